// PassiveTimer: when a passive listener wants to be pumped though nobody
// writes: its next timer. It appears in the interest of every stream that leads
// to the listener, so that whoever polls one wakes up in time.
//
// Thread-safe. Asking costs two atomic loads while the time stays as it is,
// joining and leaving O(1), however many there are.
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
  // One who polls for the timer. Used by one thread at a time.
  class Watcher {
   public:
    Watcher(std::shared_ptr<PassiveTimer> timer, std::shared_ptr<Waker> waker);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    // The time until which it may sleep. It is woken, once, when an earlier one
    // is set before it asks again.
    absl::Time Ask();

   private:
    friend class PassiveTimer;

    const std::shared_ptr<PassiveTimer> timer_;
    const std::shared_ptr<Waker> waker_;
    // What it was told, unless it has been woken since: kWoken. Changed with
    // the timer's lock held.
    std::atomic<int64_t> told_{kWoken};
  };

  // Sets the time; wakes the watchers that would sleep for longer.
  void Set(absl::Time time);
  absl::Time Get() const;

 private:
  // Nothing is earlier, so who has been told this needs no waking.
  static constexpr int64_t kWoken = INT64_MIN;

  // Nanoseconds since the epoch; the least is the infinite past, the largest
  // the infinite future. An absl::Time is too large for a cheap atomic.
  std::atomic<int64_t> time_{INT64_MAX};
  absl::Mutex mutex_;  // over changes of `time_` and of any `told_`
  // Those that have been told something that is later than kWoken.
  absl::flat_hash_set<Watcher*> asleep_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_PASSIVE_TIMER_H_
