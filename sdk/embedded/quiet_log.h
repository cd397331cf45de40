// QuietLog: warnings of one kind that a peer may cause thousands of times a
// second. It writes one warning in ten seconds and counts the others.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_QUIET_LOG_H_
#define GEARMAN_SDK_EMBEDDED_QUIET_LOG_H_

#include <new>
#include <utility>

#include "absl/time/time.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/values/log_pause.h"

namespace gearman {
namespace embedded {

class QuietLog {
 public:
  explicit QuietLog(Logger logger) : logger_(std::move(logger)) {}

  // Throws nothing: if there is no memory for a warning, it is only counted.
  template <typename... Pieces>
  void Warn(absl::Time now, const Pieces&... pieces) {
    if (!pause_.over(now)) return pause_.Skip();
    try {
      if (pause_.skipped() > 0) {
        logger_.Log(LogLevel::kWarning, pieces..., " (and ", pause_.skipped(),
                    " like it before)");
      } else {
        logger_.Log(LogLevel::kWarning, pieces...);
      }
      pause_.Written(now);
    } catch (const std::bad_alloc&) {
      pause_.Skip();
    }
  }

 private:
  const Logger logger_;
  LogPause pause_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_QUIET_LOG_H_
