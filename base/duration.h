// Duration: the type of each argument and option of this SDK that is a time
// span. It is an absl::Duration, and takes std::chrono's durations, too.
//
//   client.Wait(request, 5s);
//   options.connect_timeout = 250ms;
//   options.connect_timeout = absl::Milliseconds(250);
//   auto milliseconds = absl::ToChronoMilliseconds(options.connect_timeout);
#ifndef GEARMAN_BASE_DURATION_H_
#define GEARMAN_BASE_DURATION_H_

#include <chrono>  // NOLINT: this header is the place where it is taken
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class Duration : public absl::Duration {
 public:
  // Makes a duration of zero, and one that is equal to an absl::Duration.
  constexpr Duration() = default;
  constexpr Duration(absl::Duration duration) : absl::Duration(duration) {}
  // Keeps a quarter of a nanosecond, and drops what is smaller. A value that is
  // too large for absl::Duration is infinite, and so are the largest and the
  // smallest value of the type, which mean "for ever" in the standard library.
  template <typename Rep, typename Period>
  Duration(std::chrono::duration<Rep, Period> duration)
      : absl::Duration(FromChrono(duration)) {}

 private:
  template <typename Rep, typename Period>
  static absl::Duration FromChrono(std::chrono::duration<Rep, Period> from) {
    using From = std::chrono::duration<Rep, Period>;
    if (from >= (From::max)()) return absl::InfiniteDuration();
    if constexpr (std::numeric_limits<Rep>::is_signed) {
      if (from <= (From::min)()) return -absl::InfiniteDuration();
    }
    if constexpr (std::is_integral_v<Rep>) {
      return FromTicks<Period>(from.count());
    } else {
      // Saturates; the standard's conversion to an integer would not.
      return absl::Seconds(
          std::chrono::duration_cast<std::chrono::duration<double>>(from)
              .count());
    }
  }

  // Each step saturates. Whole seconds and the rest are converted apart, so
  // that nothing is lost.
  template <typename Period, typename Rep>
  static absl::Duration FromTicks(Rep ticks) {
    using Ratio = typename Period::type;
    using Wide = std::conditional_t<std::is_signed_v<Rep>, int64_t, uint64_t>;
    const auto per = static_cast<Wide>(Ratio::den);
    const Wide whole = static_cast<Wide>(ticks) / per;
    const Wide rest = static_cast<Wide>(ticks) % per;
    if constexpr (!std::is_signed_v<Rep>) {
      if (whole > static_cast<Wide>((std::numeric_limits<int64_t>::max)())) {
        return absl::InfiniteDuration();
      }
    }
    return absl::Seconds(static_cast<int64_t>(whole)) * Ratio::num +
           absl::Seconds(static_cast<int64_t>(rest)) * Ratio::num / Ratio::den;
  }
};

}  // namespace gearman

#endif  // GEARMAN_BASE_DURATION_H_
