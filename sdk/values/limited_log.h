// LimitedLog: writes messages to a Logger, one of each kind in ten seconds. A
// message that follows skipped ones says how many were skipped.
//
// Two messages are of one kind if they have one level and differ only in
// numbers and in quoted text. The first 64 kinds of the last ten seconds are
// distinguished. All others count as one kind, so that names which a peer
// invents cost neither memory nor lines.
//
// Thread-safe.
#ifndef GEARMAN_SDK_VALUES_LIMITED_LOG_H_
#define GEARMAN_SDK_VALUES_LIMITED_LOG_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/values/log_pause.h"

namespace gearman {
namespace internal {

class LimitedLog {
 public:
  static constexpr size_t kMaxKinds = 64;

  // `now` returns the time; any thread may call it.
  LimitedLog(Logger logger, std::function<absl::Time()> now);

  void Write(LogLevel level, absl::string_view message);

 private:
  LogPause& PauseOf(LogLevel level, absl::string_view message, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Logger logger_;
  const std::function<absl::Time()> now_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, LogPause> kinds_ ABSL_GUARDED_BY(mutex_);
  LogPause others_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_VALUES_LIMITED_LOG_H_
