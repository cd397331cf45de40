// Poller: the only source of readiness. It watches transports and listeners
// and tells which of them can make progress.
//
// Two implementations: EpollPoller (transports/epoll_poller.h) and
// SimulatedPoller (sdk/testing), which moves a fake clock on when nothing is
// ready.
#ifndef GEARMAN_TRANSPORTS_POLLER_H_
#define GEARMAN_TRANSPORTS_POLLER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/transports/clock.h"

namespace gearman {

// What a transport or listener waits for.
struct Interest {
  // A descriptor to watch, or -1: an in-process pipe has none and calls its
  // Waker instead.
  int fd = -1;
  bool read = false;   // of fd
  bool write = false;  // of fd
  // Progress is possible right now whatever fd says (bytes already decrypted,
  // a pipe that is not empty).
  bool ready_now = false;
  // Progress is possible at this time (the next address of a connection race,
  // the embedded server's next timer).
  absl::Time deadline = absl::InfiniteFuture();

  friend bool operator==(const Interest& a, const Interest& b) {
    return a.fd == b.fd && a.read == b.read && a.write == b.write &&
           a.ready_now == b.ready_now && a.deadline == b.deadline;
  }
  friend bool operator!=(const Interest& a, const Interest& b) {
    return !(a == b);
  }
};

// Marks one watched key ready, from any thread, and wakes its poller. Cheap
// when it is marked already. Does nothing once the key has been forgotten or
// the poller is gone, so it may outlive both. Takes no lock that is held while
// anything else runs.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void Wake() = 0;
};

// Work that must run on the polling thread with none of its owner's locks
// held: the in-process transport hands the embedded server to be pumped here,
// which is why talking to it costs no thread and no lock order.
class DeferredTask {
 public:
  virtual ~DeferredTask() = default;
  virtual void Run() = 0;
};

class Poller {
 public:
  // Chosen by the caller; unique among what is watched.
  using Key = uint64_t;

  virtual ~Poller() = default;

  // The clock that deadlines are measured on. Any thread.
  virtual Clock* clock() = 0;

  // Watches `key`, or changes what is watched for it. Any thread, also while
  // another is in Wait, which takes the change into account. RESOURCE_EXHAUSTED
  // or INTERNAL when the descriptor can't be watched.
  virtual absl::Status Watch(Key key, const Interest& interest) = 0;
  // Stops watching `key`; a later Wait does not report it. Call it before the
  // descriptor is closed. Any thread.
  virtual void Forget(Key key) = 0;
  // A waker for `key`. Any thread.
  virtual std::shared_ptr<Waker> MakeWaker(Key key) = 0;

  // Queues `task` to run in the next Wait or RunDeferred, once however often
  // it was queued meanwhile. Any thread, under any lock.
  virtual void Defer(std::shared_ptr<DeferredTask> task) = 0;
  // Runs what has been deferred. Call with no lock held. Any thread.
  virtual void RunDeferred() = 0;

  // Runs what has been deferred, then waits until a key is ready, somebody
  // called Wake, or `deadline` (a past one only looks). Replaces `ready` with
  // the ready keys: what a key can do, its transport finds out by trying. A key
  // whose Interest deadline has passed is ready. One thread at a time; no lock
  // held.
  virtual void Wait(absl::Time deadline, std::vector<Key>* ready) = 0;
  // Makes the current or next Wait return. Any thread, and async-signal-safe.
  virtual void Wake() = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_POLLER_H_
