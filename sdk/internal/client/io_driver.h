// IoDriver: the one class that knows who drives a client's I/O.
//
// The thread that waits drives: it takes the lead, polls with the client's
// lock dropped, and handles what comes until what it waits for is done. Other
// waiters sleep until theirs is done or the lead is handed to them; the lead
// is never held by nobody while somebody waits. In DriveMode::kAuto one
// background thread, started when first needed, leads while nobody waits.
//
// All functions but RequestStop and Stop are called with the client's lock
// held.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_IO_DRIVER_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_IO_DRIVER_H_

#include <atomic>
#include <list>
#include <thread>  // NOLINT: absl has no thread
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/client/waiter.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

class IoDriver {
 public:
  // What is driven: the client's core. Called with the lock held.
  class Machine {
   public:
    virtual ~Machine() = default;
    // Handles the ready keys and whatever is due, writes what can be written,
    // and runs callbacks (dropping the lock meanwhile) until there is nothing
    // left to do. Returns when it must be called again at the latest.
    virtual absl::Time Work(const std::vector<Poller::Key>& ready) = 0;
    // Something waits to happen that no waiting thread will see to.
    virtual bool NeedsBackground() const = 0;
    // The background thread can't be started, which is tried again at the next
    // change. Threads that wait drive meanwhile; without one nothing moves.
    virtual void OnNoThread(const absl::Status& status) = 0;
  };

  // `mutex`, `poller` and `machine` outlive this.
  IoDriver(absl::Mutex* mutex, Poller* poller, Machine* machine,
           bool background_allowed);
  IoDriver(const IoDriver&) = delete;
  IoDriver& operator=(const IoDriver&) = delete;
  ~IoDriver();

  // Waits until `waiter` is done (true) or the deadline has come (false),
  // driving the I/O when nobody else does. A past deadline makes one pass.
  // False at once after Stop, and in a callback.
  bool Wait(Waiter* waiter, absl::Time deadline);
  // One pass, as Client::RunOnce.
  absl::Time RunOnce(absl::Time deadline);

  // Something changed that a sleeping leader must hear of: work to do, or a
  // timer at `deadline`. Starts or wakes the background thread when needed.
  void OnChange(absl::Time deadline);
  // What the thread that leads waits for may have come about without it: then
  // it must not sleep on in the poller.
  void WakeDoneLeader() {
    if (polling_ && leader_ != nullptr && leader_->done()) poller_->Wake();
  }
  // Nobody polls, or the one who leads is asleep in the poller: whoever has
  // something to send should write it himself.
  bool leader_busy() const { return leading_ && !polling_; }
  // Some thread drives.
  bool leading() const { return leading_; }
  // The calling thread is running a callback of this client, perhaps with one
  // of another client inside.
  bool in_callback() const;
  // That callback, or a hook, is one of this request's; and no other of its
  // submission follows.
  bool in_callback_of(const void* request) const;
  bool in_last_callback_of(const void* request) const;
  // Marks the calling thread as running callbacks of this client.
  class CallbackScope {
   public:
    explicit CallbackScope(const IoDriver* driver);
    ~CallbackScope();
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

    // The callbacks that follow are this request's, and the last ones of its
    // submission.
    void SetSubject(const void* request, bool last) {
      request_ = request;
      last_ = last;
    }

   private:
    friend class IoDriver;

    const IoDriver* const driver_;
    const CallbackScope* const outer_;
    const void* request_ = nullptr;
    bool last_ = false;
  };

  // Ends every wait, and the lead of the background thread, as soon as its
  // thread has returned from a callback. Any thread, with the lock or without.
  void RequestStop();
  // Ends the background thread and every wait. The lock is not held. Don't
  // call it in a callback.
  void Stop();
  // For a child that a callback has made by fork, when the callback has
  // returned in it: the other threads don't exist there.
  void ForgetOtherThreads();

 private:
  // The scope of a callback of this request that the thread is in, or null.
  const CallbackScope* ScopeOf(const void* request) const;
  // Takes the lead until `done` or the deadline.
  void Lead(Waiter* waiter, absl::Time deadline);
  // Drops the lock, whose name the analysis does not see across two classes.
  void Poll(absl::Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Gives the free lead to somebody who wants it.
  void HandOver();
  void BackgroundMain();
  bool BackgroundMayLead() const;
  // Wakes or starts the background thread, if it may lead and is needed.
  void WakeBackground();

  absl::Mutex* const mutex_;
  Poller* const poller_;
  Machine* const machine_;

  // Guarded by *mutex_.
  bool background_allowed_;
  bool leading_ = false;
  bool polling_ = false;
  Waiter* leader_ = nullptr;  // whose thread leads, if it waits for something
  bool background_leads_ = false;
  bool background_idle_ = false;  // asleep until it is woken
  bool threads_wait_ = true;      // one did since the background thread led
  std::atomic<bool> stopping_{false};  // set without the lock, too
  bool refused_ = false;  // the background thread was, and the machine knows
  absl::Time polling_until_ = absl::InfiniteFuture();
  std::list<Waiter*> followers_;  // asleep, in the order they came
  std::vector<Poller::Key> ready_;
  absl::CondVar background_condition_;
  std::thread background_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_IO_DRIVER_H_
