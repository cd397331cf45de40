// LogPause: permits one message of a kind in ten seconds and counts the others.
// It is for messages that a peer may cause thousands of times a second.
//
// Not thread-safe: its owner guards it with a lock.
#ifndef GEARMAN_SDK_VALUES_LOG_PAUSE_H_
#define GEARMAN_SDK_VALUES_LOG_PAUSE_H_

#include <cstdint>

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class LogPause {
 public:
  static constexpr absl::Duration kPause = absl::Seconds(10);

  // Whether a message may be written now. If not, the caller calls Skip; if the
  // caller writes the message, it calls Written. A clock that was set back
  // prolongs no pause.
  bool over(absl::Time now) const {
    return now >= written_ + kPause || now < written_;
  }
  void Skip() { ++skipped_; }
  void Written(absl::Time now) {
    skipped_ = 0;
    written_ = now;
  }
  // The number of messages skipped since the last one written.
  uint64_t skipped() const { return skipped_; }

 private:
  absl::Time written_ = absl::InfinitePast();
  uint64_t skipped_ = 0;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_VALUES_LOG_PAUSE_H_
