// QuietLog: warnings of one kind that a peer may cause thousands of times a
// second. It writes one warning and only counts the next ones for kPause.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_QUIET_LOG_H_
#define GEARMAN_SDK_EMBEDDED_QUIET_LOG_H_

#include <cstdint>
#include <new>
#include <utility>

#include "absl/time/time.h"
#include "gearman/sdk/log.h"

namespace gearman {
namespace embedded {

class QuietLog {
 public:
  static constexpr absl::Duration kPause = absl::Seconds(10);

  explicit QuietLog(Logger logger) : logger_(std::move(logger)) {}

  // Throws nothing: if there is no memory for a warning, it is only counted.
  template <typename... Pieces>
  void Warn(absl::Time now, const Pieces&... pieces) {
    if (now < silent_until_) {
      ++unsaid_;
      return;
    }
    try {
      if (unsaid_ > 0) {
        logger_.Log(LogLevel::kWarning, pieces..., " (and ", unsaid_,
                    " like it before)");
      } else {
        logger_.Log(LogLevel::kWarning, pieces...);
      }
      unsaid_ = 0;
      silent_until_ = now + kPause;
    } catch (const std::bad_alloc&) {
      ++unsaid_;
    }
  }

 private:
  const Logger logger_;
  absl::Time silent_until_ = absl::InfinitePast();
  uint64_t unsaid_ = 0;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_QUIET_LOG_H_
