// Poller: the only source of readiness. It watches transports and listeners and
// reports which of them can make progress.
//
// There are two implementations: EpollPoller (transports/epoll_poller.h) and
// SimulatedPoller (sdk/testing), which advances a fake clock when nothing is
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

// The events that a transport or listener waits for.
struct Interest {
  // A descriptor to watch, or -1. An in-process pipe has no descriptor: it
  // calls its Waker.
  int fd = -1;
  bool read = false;   // wait until fd is readable
  bool write = false;  // wait until fd is writable
  // Progress is possible right now, whatever the state of fd: for example,
  // bytes are already decrypted, or a pipe is not empty.
  bool ready_now = false;
  // Progress is possible at this time: for example, a connection race tries its
  // next address, or the embedded server's next timer is due.
  absl::Time deadline = absl::InfiniteFuture();

  friend bool operator==(const Interest& a, const Interest& b) {
    return a.fd == b.fd && a.read == b.read && a.write == b.write &&
           a.ready_now == b.ready_now && a.deadline == b.deadline;
  }
  friend bool operator!=(const Interest& a, const Interest& b) {
    return !(a == b);
  }
};

// Marks one watched key ready and wakes its poller. Any thread may call it. A
// waker may outlive its key and its poller: after that Wake does nothing. Wake
// is cheap if the key is marked already. Wake takes only locks that are never
// held while other code runs.
class Waker {
 public:
  virtual ~Waker() = default;
  // Marks the key ready, and wakes the poller.
  virtual void Wake() = 0;
};

// A task that must run on the polling thread with none of its owner's locks
// held. The in-process transport defers the run of the embedded server in this
// way, so the server needs no thread of its own, and no order of locks exists
// between the two.
class DeferredTask {
 public:
  virtual ~DeferredTask() = default;
  // Does the task. The poller calls this once for each time that it was queued.
  virtual void Run() = 0;
};

class Poller {
 public:
  // Names a watched transport or listener. The caller chooses the key, which is
  // unique among the watched keys.
  using Key = uint64_t;

  virtual ~Poller() = default;

  // The clock of all deadlines. Any thread may call it.
  virtual Clock* clock() = 0;

  // Watches `key`, or changes the events that are watched for it. Any thread
  // may call it, even while another thread is in Wait: that Wait takes the
  // change into account. Returns RESOURCE_EXHAUSTED or INTERNAL if the
  // descriptor can't be watched.
  virtual absl::Status Watch(Key key, const Interest& interest) = 0;
  // Stops watching `key`. No later Wait reports it. Call Forget before the
  // descriptor is closed. Any thread may call it.
  virtual void Forget(Key key) = 0;
  // Makes a waker for `key`. Any thread may call it.
  virtual std::shared_ptr<Waker> MakeWaker(Key key) = 0;

  // Queues `task` to run in the next Wait or RunDeferred. A task that is queued
  // several times runs once. Any thread may call it, with any lock held.
  virtual void Defer(std::shared_ptr<DeferredTask> task) = 0;
  // Runs the deferred tasks. The caller must hold no lock. Any thread may call
  // it.
  virtual void RunDeferred() = 0;

  // Runs the deferred tasks, then waits until a key is ready, until another
  // thread calls Wake, or until `deadline`. Does not wait if `deadline` is
  // past. Replaces the contents of `ready` by the ready keys. A key whose
  // Interest::deadline has passed is ready. The owner of a ready transport
  // tries to read and write to find out what is possible. One thread at a time;
  // the caller must hold no lock.
  virtual void Wait(absl::Time deadline, std::vector<Key>* ready) = 0;
  // Makes the current or the next Wait return. Any thread and any signal
  // handler may call it.
  virtual void Wake() = 0;

  // --- for an event loop of the program, which sleeps instead of Wait --------
  // Returns a descriptor that is readable when a Wait would report something or
  // a thread has called Wake, or -1 if this poller has none. The poller keeps
  // it: the program may watch it, and must not read or close it. Any thread may
  // call it.
  virtual int descriptor() const { return -1; }
  // Returns the time by which the next Wait is due, for the thread that calls
  // Wait: the earliest deadline of a key, or a past time if a Wait would return
  // at once. If an earlier deadline is watched after this, the descriptor
  // becomes readable.
  virtual absl::Time NextWait() { return absl::InfiniteFuture(); }
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_POLLER_H_
