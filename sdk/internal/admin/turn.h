// Turn is the right to use something, such as a connection. One thread has it
// at a time. A mutex would not do: a thread could not give up waiting for it at
// its deadline, and no thread could come before the others. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_ADMIN_TURN_H_
#define GEARMAN_SDK_INTERNAL_ADMIN_TURN_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

class ABSL_LOCKABLE Turn {
 public:
  // Returns false if the turn has not become free within `timeout`, or if
  // threads wait in TakeFirst.
  bool TryTake(absl::Duration timeout) ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(this, &Turn::NobodyWaits),
                                 timeout)) {
      return false;
    }
    taken_ = true;
    return true;
  }
  // Waits until the turn is free, and comes before the threads in TryTake.
  // Wakes `poller`, on which the thread that has the turn may wait.
  void TakeFirst(Poller* poller) ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    {
      absl::MutexLock lock(&mutex_);
      ++first_;
    }
    poller->Wake();
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Turn::IsFree));
    --first_;
    taken_ = true;
  }
  void End() ABSL_UNLOCK_FUNCTION() {
    absl::MutexLock lock(&mutex_);
    taken_ = false;
  }

 private:
  bool IsFree() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !taken_; }
  bool NobodyWaits() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !taken_ && first_ == 0;
  }

  absl::Mutex mutex_;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;
  int first_ ABSL_GUARDED_BY(mutex_) = 0;  // the threads in TakeFirst
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_ADMIN_TURN_H_
