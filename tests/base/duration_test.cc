#include "gearman/base/duration.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <sstream>
#include <type_traits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""s;

// Like a function of the SDK that takes a duration.
absl::Duration Taken(Duration duration) { return duration; }

struct Options {
  Duration timeout = absl::Seconds(5);
};

template <typename Chrono>
absl::Duration Largest() {
  return Taken(Chrono::max());
}
template <typename Chrono>
absl::Duration Smallest() {
  return Taken(Chrono::min());
}

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Duration, TakesBothKinds) {
  EXPECT_EQ(Taken(absl::Seconds(5)), absl::Seconds(5));
  EXPECT_EQ(Taken(absl::InfiniteDuration()), absl::InfiniteDuration());
  EXPECT_EQ(Taken(5s), absl::Seconds(5));
  EXPECT_EQ(Taken(250ms), absl::Milliseconds(250));
  EXPECT_EQ(Taken(-250ms), absl::Milliseconds(-250));
  EXPECT_EQ(Taken(7ns), absl::Nanoseconds(7));
  EXPECT_EQ(Taken(2min), absl::Minutes(2));
  EXPECT_EQ(Taken(-3h), absl::Hours(-3));
  EXPECT_EQ(Taken(1.5s), absl::Milliseconds(1500));
  EXPECT_EQ(Taken(0s), absl::ZeroDuration());
  EXPECT_EQ(Taken({}), absl::ZeroDuration());
}

TEST(Duration, IsAnOption) {
  Options options;
  EXPECT_EQ(options.timeout, absl::Seconds(5));
  options.timeout = 250ms;
  EXPECT_EQ(options.timeout, absl::Milliseconds(250));
  options.timeout = absl::Minutes(1);
  EXPECT_EQ(options.timeout, absl::Minutes(1));
  const Options made{1h};
  EXPECT_EQ(made.timeout, absl::Hours(1));
}

TEST(Duration, IsAnAbslDuration) {
  Options options;
  const absl::Duration abseil = options.timeout;
  EXPECT_EQ(abseil, absl::Seconds(5));
  EXPECT_EQ(options.timeout + absl::Seconds(1), absl::Seconds(6));
  EXPECT_EQ(options.timeout / 2, absl::Milliseconds(2500));
  EXPECT_EQ(options.timeout * 2, absl::Seconds(10));
  EXPECT_EQ(-options.timeout, absl::Seconds(-5));
  EXPECT_LT(options.timeout, absl::Seconds(6));
  EXPECT_LT(options.timeout, Duration(6s));
  EXPECT_EQ(absl::UnixEpoch() + options.timeout, absl::FromUnixSeconds(5));
  EXPECT_EQ(std::min<absl::Duration>(options.timeout, absl::Seconds(1)),
            absl::Seconds(1));
  options.timeout += absl::Seconds(1);
  EXPECT_EQ(absl::ToInt64Seconds(options.timeout), 6);
  EXPECT_EQ(absl::ToChronoSeconds(options.timeout), 6s);
  EXPECT_EQ(absl::FormatDuration(options.timeout), "6s");
  std::ostringstream out;
  out << options.timeout;
  EXPECT_EQ(out.str(), "6s");
  const bool yes = options.timeout > absl::ZeroDuration();
  EXPECT_EQ(yes ? options.timeout : absl::ZeroDuration(), absl::Seconds(6));
  EXPECT_EQ(yes ? options.timeout : 1s, absl::Seconds(6));
}

TEST(Duration, CostsNoMoreThanAbseils) {
  EXPECT_EQ(sizeof(Duration), sizeof(absl::Duration));
  EXPECT_EQ(std::is_trivially_copyable_v<Duration>,
            std::is_trivially_copyable_v<absl::Duration>);
}

TEST(Duration, TheLargestAndTheSmallestOfEachTypeAreInfinite) {
  using std::chrono::duration;
  EXPECT_EQ(Largest<std::chrono::nanoseconds>(), absl::InfiniteDuration());
  EXPECT_EQ(Largest<std::chrono::milliseconds>(), absl::InfiniteDuration());
  EXPECT_EQ(Largest<std::chrono::seconds>(), absl::InfiniteDuration());
  EXPECT_EQ(Largest<std::chrono::hours>(), absl::InfiniteDuration());
  EXPECT_EQ(Largest<duration<int32_t>>(), absl::InfiniteDuration());
  EXPECT_EQ(Largest<duration<uint64_t>>(), absl::InfiniteDuration());
  EXPECT_EQ(Largest<duration<double>>(), absl::InfiniteDuration());
  EXPECT_EQ(Smallest<std::chrono::nanoseconds>(), -absl::InfiniteDuration());
  EXPECT_EQ(Smallest<std::chrono::hours>(), -absl::InfiniteDuration());
  EXPECT_EQ(Smallest<duration<double>>(), -absl::InfiniteDuration());
  EXPECT_EQ(Smallest<duration<uint32_t>>(), absl::ZeroDuration());
}

TEST(Duration, AValueThatDoesNotFitIsInfinite) {
  using std::chrono::duration;
  using Days = duration<int64_t, std::ratio<86400>>;
  EXPECT_EQ(Taken(Days(kMax - 1)), absl::InfiniteDuration());
  EXPECT_EQ(Taken(Days(-kMax)), -absl::InfiniteDuration());
  EXPECT_EQ(Taken(Days(365)), absl::Hours(24 * 365));
  EXPECT_EQ(Taken(duration<uint64_t>(uint64_t{1} << 63)),
            absl::InfiniteDuration());
  EXPECT_EQ(Taken(duration<double>(1e30)), absl::InfiniteDuration());
  EXPECT_EQ(Taken(duration<double>(-1e30)), -absl::InfiniteDuration());
  // No number is infinite, too: which way does not matter.
  const auto none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(absl::AbsDuration(Taken(duration<double>(none))),
            absl::InfiniteDuration());
  // The largest finite values keep each tick.
  EXPECT_EQ(Taken(std::chrono::seconds(kMax - 1)), absl::Seconds(kMax - 1));
  EXPECT_EQ(Taken(std::chrono::nanoseconds(kMax - 1)),
            absl::Nanoseconds(kMax - 1));
}

TEST(Duration, TakesAnyPeriod) {
  using std::chrono::duration;
  // Thirds of a second; pictures of a film; a tick of 1.5 seconds.
  EXPECT_EQ(Taken(duration<int, std::ratio<1, 3>>(6)), absl::Seconds(2));
  EXPECT_EQ(Taken(duration<int64_t, std::ratio<1001, 30000>>(30000)),
            absl::Seconds(1001));
  EXPECT_EQ(Taken(duration<int, std::ratio<3, 2>>(-3)),
            absl::Milliseconds(-4500));
  EXPECT_EQ(Taken(duration<int64_t, std::pico>(1250)),
            absl::Nanoseconds(5) / 4);
  EXPECT_EQ(Taken(duration<int8_t, std::milli>(-100)),
            absl::Milliseconds(-100));
  EXPECT_EQ(Taken(duration<uint8_t>(200)), absl::Seconds(200));
}

}  // namespace
}  // namespace gearman
