// PassiveTimer: the next time at which a passive listener must run although
// nothing is written to it. The time appears in the interest of every stream to
// the listener, so that a thread that polls such a stream wakes up in time.
//
// A timer is thread-safe. Asking costs two atomic loads while the time does not
// change. Joining and leaving cost O(1), whatever the number of watchers.
#ifndef GEARMAN_TRANSPORTS_INPROC_PASSIVE_TIMER_H_
#define GEARMAN_TRANSPORTS_INPROC_PASSIVE_TIMER_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/transports/poller.h"

namespace gearman {

class PassiveTimer {
 public:
  // A stream's view of the timer. Used by one thread at a time.
  class Watcher {
   public:
    // `waker` is woken when an earlier time is set.
    Watcher(std::shared_ptr<PassiveTimer> timer, std::shared_ptr<Waker> waker);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    // Returns the time until which the watcher's thread may sleep. If an
    // earlier time is set before the next Ask, the watcher is woken once.
    absl::Time Ask();

   private:
    friend class PassiveTimer;

    const std::shared_ptr<PassiveTimer> timer_;
    const std::shared_ptr<Waker> waker_;
    // The time that Ask returned last, or kWoken if the watcher has been woken
    // since. Changed only with the timer's lock held.
    std::atomic<int64_t> told_{kWoken};
  };

  // Sets the time and wakes the watchers that would sleep longer.
  void Set(absl::Time time);
  // Returns the time that was set last. Any thread may call it.
  absl::Time Get() const;

 private:
  // No time is earlier, so a watcher with this time needs no waking.
  static constexpr int64_t kWoken = INT64_MIN;

  // Nanoseconds since the epoch. INT64_MIN is the infinite past, INT64_MAX the
  // infinite future. An absl::Time is too large for a cheap atomic.
  std::atomic<int64_t> time_{INT64_MAX};
  absl::Mutex mutex_;  // for changes of `time_` and of any `told_`
  // The watchers whose `told_` is later than kWoken.
  absl::flat_hash_set<Watcher*> asleep_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_PASSIVE_TIMER_H_
