// SleepPlan decides when a worker goes to sleep on one connection, and how many
// jobs it asks for when it is awake.
//
// A server wakes a sleeping worker with NOOP. In gearmand (docs/protocol.md)
// only a grab ends sleep, and a server sends one NOOP between two grabs. So:
//
//   state    input                                      sent       next state
//   awake    no grab is due, and one found nothing      PRE_SLEEP  asleep
//   awake    ... after two NOOPs that led to no job                resting
//   awake    a job has ended under a server's timer     PRE_SLEEP  asleep
//   awake    the next grab is expected to find nothing  PRE_SLEEP  asleep
//   awake    PRE_SLEEP left with a grab, which then                asleep
//            found nothing
//   resting  time                                       PRE_SLEEP  asleep
//   asleep   NOOP, or time to grab again                           awake
//   any      a task was offered                                    awake
//
// Sleeping ahead: a wake-up for one job would cost two more round trips, for
// NO_JOB and for PRE_SLEEP. So PRE_SLEEP is sent right after the grab that will
// find nothing. When that has come true, the next wake-ups send PRE_SLEEP
// instead of that grab. The server answers PRE_SLEEP with NOOP if work waits.
//
// It is pure: the session reports what has happened, and sends what comes out.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_SLEEP_PLAN_H_
#define GEARMAN_SDK_INTERNAL_WORKER_SLEEP_PLAN_H_

#include "absl/time/time.h"

namespace gearman {
namespace internal {

class SleepPlan {
 public:
  // The session's work when it asks.
  struct Work {
    int outstanding = 0;  // grabs without an answer
    int held = 0;         // jobs not answered
    // A job that came now would end at once, so that it harms nobody if the
    // server takes this worker for asleep meanwhile.
    bool may_sleep_ahead = false;
  };
  // The step that Settle has taken.
  enum class Step : unsigned char {
    kNone,
    kSleep,  // send PRE_SLEEP
    kRest,   // send nothing yet, because NOOPs have led nowhere
  };

  void OnConnected(absl::Time now);

  // PRE_SLEEP follows the grab that is being sent.
  void OnSleepSent() { ahead_ = Ahead::kSent; }
  void OnJob();
  // `may_sleep`: no other kind of grab is to be tried first.
  void OnNoJob(bool may_sleep) { dry_ = may_sleep; }
  // A job has ended under a server's timer. PRE_SLEEP stops that timer.
  void OnTimedJobEnded() { stop_timer_ = true; }
  // The last outstanding grab was answered. Like the inputs below, returns true
  // if the worker wakes up by it.
  bool OnAllAnswered(absl::Time now) {
    return sleep_sent() && OnSleptAhead(now);
  }
  bool OnNoop(absl::Time now);
  bool OnTimeToGrab() { return WakeUp(/*by_noop=*/false); }
  // The server does not tell a sleeping worker of work that waits for a new
  // task.
  bool OnOffer();
  // Goes to sleep if that is right. Call it after all events have been handled
  // and grabs have been sent, when no grab is outstanding.
  Step Settle(const Work& work, absl::Time now);

  bool connecting() const { return state_ == State::kConnecting; }
  // Asleep for `length` or longer.
  bool asleep_for(absl::Duration length, absl::Time now) const {
    return state_ == State::kAsleep && now >= since_ + length;
  }
  // When `length` of sleep is over. InfiniteFuture: the worker does not sleep.
  absl::Time end_of_sleep(absl::Duration length) const {
    return state_ == State::kAsleep ? since_ + length : absl::InfiniteFuture();
  }
  // When Settle has something to do. InfiniteFuture: time alone changes
  // nothing.
  absl::Time resting_until() const { return resting_until_; }

  bool may_grab() const {
    return state_ == State::kAwake && !dry_ && !stop_timer_ && !sleep_sent();
  }
  // The number of grabs that make sense if may_grab().
  int wanted_grabs(const Work& work) const;
  // True if the last wake-up brought as many jobs as this one has, so that the
  // next grab will hardly bring one. PRE_SLEEP then follows it.
  bool ExpectsNoJob(const Work& work) const {
    return work.may_sleep_ahead && ahead_ == Ahead::kNot && woken_by_noop_ &&
           jobs_since_wake_ > 0 && jobs_since_wake_ >= jobs_of_last_wake_ &&
           work.held == 0 && work.outstanding == 0;
  }

 private:
  enum class State : unsigned char { kConnecting, kAwake, kAsleep, kResting };
  enum class Ahead : unsigned char {
    kNot,      // may be tried in this wake-up
    kSent,     // PRE_SLEEP followed the grab that is outstanding
    kSentOld,  // kSent, but a task was offered since: grab again
    kFailed,   // the grab brought a job
  };

  bool sleep_sent() const {
    return ahead_ == Ahead::kSent || ahead_ == Ahead::kSentOld;
  }
  bool SkipsGrab(const Work& work) const {
    return skips_left_ > 0 && ExpectsNoJob(work);
  }
  bool WakeUp(bool by_noop);
  bool OnSleptAhead(absl::Time now);
  Step Sleep(absl::Time now);
  // Learns from a wake-up, when a grab has found nothing more.
  void OnDry();

  State state_ = State::kConnecting;
  absl::Time since_ = absl::InfinitePast();  // of the state
  absl::Time resting_until_ = absl::InfiniteFuture();
  // A grab has found nothing: the worker sleeps before it grabs again.
  bool dry_ = false;
  bool stop_timer_ = false;
  bool woken_by_noop_ = false;
  Ahead ahead_ = Ahead::kNot;
  // The number of grabs that may be outstanding. It grows with every job. After
  // a NOOP it begins with the number of jobs that the last NOOP brought, so
  // that no more grabs are in vain than jobs come.
  int window_ = 1;
  int jobs_since_wake_ = 0;
  int jobs_of_last_wake_ = 0;
  int vain_wakeups_ = 0;  // in a row
  int skips_left_ = 0;    // wake-ups that may skip their last grab
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_SLEEP_PLAN_H_
