// IoDriver is the one class that knows which thread drives a client's I/O.
//
// The thread that waits drives: it takes the lead, polls without the client's
// lock, and handles events until the operation it waits for is done. Other
// waiting threads sleep until theirs is done or the lead is handed to them.
// While any thread waits, some thread has the lead or has been woken to take
// it. In DriveMode::kAuto one background thread, started when first needed,
// leads while no thread waits. In DriveMode::kEventLoop a host does, the
// program's event loop: it calls RunOnce when the poller's descriptor is
// readable and by the time that the last RunOnce returned.
//
// Call all functions except RequestStop and Stop with the client's lock held.
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
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

class IoDriver {
 public:
  // The machine that is driven: the client's core. Called with the lock held.
  class Machine {
   public:
    virtual ~Machine() = default;
    // Handles the ready keys and everything that is due, writes pending output,
    // and runs callbacks (without the lock) until nothing is left to do.
    // Returns the latest time at which it must be called again.
    virtual absl::Time Work(const std::vector<Poller::Key>& ready) = 0;
    // True if something must happen that no waiting thread will do.
    virtual bool NeedsBackground() const = 0;
    // Called when the background thread can't be started. The driver tries
    // again at the next change. Until then only threads that wait drive.
    virtual void OnNoThread(const absl::Status& status) = 0;
  };

  // `mutex`, `poller` and `machine` must outlive the driver.
  IoDriver(absl::Mutex* mutex, Poller* poller, Machine* machine,
           DriveMode mode);
  IoDriver(const IoDriver&) = delete;
  IoDriver& operator=(const IoDriver&) = delete;
  ~IoDriver();

  // Waits until `waiter` is done (true) or the deadline has come (false).
  // Drives the I/O if no other thread does. A past deadline makes one pass.
  // Returns false at once after Stop, and in a callback.
  bool Wait(Waiter* waiter, absl::Time deadline);
  // Makes one pass, as Client::RunOnce does.
  absl::Time RunOnce(absl::Time deadline);

  // Tells a sleeping leader of a change: work to do, or a timer at `deadline`.
  // Starts or wakes the background thread when needed.
  void OnChange(absl::Time deadline);
  // Wakes a polling leader whose waiter has become done without it.
  void WakeDoneLeader() {
    if (polling_ && leader_ != nullptr && leader_->done()) poller_->Wake();
  }
  // True if the leader is awake, so that it will write new output itself. False
  // if no thread leads or the leader sleeps in the poller: the caller should
  // then write its own output.
  bool leader_busy() const { return leading_ && !polling_; }
  // True if some thread has the lead.
  bool leading() const { return leading_; }
  // True if the calling thread is running a callback of this client, even if a
  // callback of another client runs inside it.
  bool in_callback() const;
  // True if such a callback (or a hook) belongs to this request. The second
  // function also requires that no other callback of its submission follows.
  bool in_callback_of(const void* request) const;
  bool in_last_callback_of(const void* request) const;
  // Marks the calling thread as running callbacks of this client.
  class CallbackScope {
   public:
    explicit CallbackScope(const IoDriver* driver);
    ~CallbackScope();
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

    // Says that the callbacks that follow belong to this request. `last`: no
    // others of its submission follow.
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

  // Ends every wait. Also ends the lead of the background thread when its
  // current callback has returned. Any thread may call it, with the lock or
  // without.
  void RequestStop();
  // Ends the background thread and every wait. Call it without the lock, and
  // not in a callback.
  void Stop();
  // Call it in a child that a callback has made by fork, after the callback has
  // returned there. The other threads don't exist in the child.
  void ForgetOtherThreads();

 private:
  // The scope of a callback of this request that the thread is in, or null.
  const CallbackScope* ScopeOf(const void* request) const;
  // Takes the lead until `waiter` is done or the deadline has come.
  void Lead(Waiter* waiter, absl::Time deadline);
  // Drops the lock while it polls. The analysis can't name the lock across two
  // classes.
  void Poll(absl::Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Wakes a thread to take the free lead, if one wants it.
  void HandOver();
  void BackgroundMain();
  bool BackgroundMayLead() const;
  // Wakes or starts the background thread if it may lead and is needed.
  void WakeBackground();
  // Makes the host call RunOnce, if there is one.
  void WakeHost();

  absl::Mutex* const mutex_;
  Poller* const poller_;
  Machine* const machine_;

  const bool hosted_;

  // Guarded by *mutex_.
  bool background_allowed_;
  bool leading_ = false;
  bool polling_ = false;
  Waiter* leader_ = nullptr;  // the leading thread's waiter, if it has one
  bool background_leads_ = false;
  bool background_idle_ = false;  // asleep until it is woken
  bool threads_wait_ = true;  // a thread waited since the background thread led
  std::atomic<bool> stopping_{false};  // set without the lock, too
  bool refused_ = false;  // it could not start; the machine was told
  // Until when the leader polls, or the host sleeps.
  absl::Time polling_until_ = absl::InfiniteFuture();
  std::list<Waiter*> followers_;  // asleep, in order of arrival
  std::vector<Poller::Key> ready_;
  absl::CondVar background_condition_;
  std::thread background_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_IO_DRIVER_H_
