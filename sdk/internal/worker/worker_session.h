// WorkerSession: the protocol on one connection of a worker: what was offered
// to the server, which replies are due, whether the server thinks that this
// worker sleeps. Dies with its connection.
//
// Pure: events and the time come in, packets are appended to the connection's
// output. How many jobs the worker wants is not its business (Prefetch), nor
// what becomes of them.
//
// Sleeping, as gearmand has it (docs/protocol.md): only a grab ends sleep, and
// a server says NOOP once between two grabs. So:
//
//   awake   --grab--> awake, replies due
//   last reply due was NO_JOB            --> asleep (PRE_SLEEP), or first
//                                            resting, if NOOPs led nowhere
//   asleep  --NOOP, re-grab time, new task--> awake, wants a grab
//   resting --time--> asleep
//
// Belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_SESSION_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/worker/task.h"
#include "gearman/sdk/internal/worker/task_table.h"

namespace gearman {
namespace internal {

// What one packet from the server meant.
struct SessionEvent {
  enum class Kind : unsigned char {
    kNothing,
    kJob,            // `assigned`, of `task`; without its data if `too_large`
    kNoJob,          // one grab was in vain
    kHeartbeat,      // the server answered a heartbeat after `round_trip`
    kAnswerRefused,  // ERROR JOB_NOT_FOUND: it had given the job away
    kTaskRefused,    // ERROR for a CAN_DO, which is repeated; code and text
    kTasksTaken,     // what the server had refused it has taken now
    kError,          // any other ERROR, dealt with; its code and text
  };
  Kind kind = Kind::kNothing;
  const std::shared_ptr<Task>* task = nullptr;
  wire::JobAssign* assigned = nullptr;
  const wire::TooLargePacket* too_large = nullptr;  // null: it is not
  absl::Duration round_trip;
  absl::string_view code;
  absl::string_view text;
  // For kTaskRefused: the task, if the server names it.
  absl::string_view refused_task;
};

// The data of an echo whose answer shows that the server has read the offers
// that were sent before it.
inline constexpr char kOffersEcho[] = "gearman_sdk offers";

class WorkerSession {
 public:
  struct Options {
    std::string client_id;
    std::vector<std::string> server_options;
    absl::Duration reply_timeout = absl::Seconds(30);
    absl::Duration heartbeat_interval = absl::Seconds(30);
    absl::Duration regrab_interval = absl::Seconds(10);
    // WorkerOptions has both.
    bool exceptions = true;
    bool native_exceptions = false;
    // A task that the server refused is offered again after so long, then after
    // twice that time, and so on up to the longest.
    absl::Duration first_offer_delay = absl::Seconds(1);
    absl::Duration longest_offer_delay = absl::Minutes(1);
  };
  // What happened on its own account, for the worker's counters.
  struct Counts {
    uint64_t grabs_sent = 0;
    uint64_t heartbeats = 0;
    uint64_t wakeups[kWakeupCauseCount] = {};
    uint64_t vain_pauses = 0;
  };

  // How jobs are asked for, as earlier connections to the server have shown.
  struct Grabs {
    wire::GrabKind kind = wire::GrabKind::kAll;
    // Connections ended behind better grabs, for a reason that is not known.
    bool unsure = false;
  };

  // Appends id and options. Both pointers outlive this.
  WorkerSession(const Options* options, wire::OutputBuffer* output,
                Grabs grabs);

  // Offers the tasks that have been registered, and takes back those that have
  // been unregistered. A task whose job is held, or may be on its way, is taken
  // back by a later TakeBack. O(1) for each change.
  void ChangeTasks(absl::Span<const TaskChange> changes);
  // The connection is up: grabs may leave.
  void OnConnected(absl::Time now);

  // Handles a packet. DATA_LOSS: the server broke the protocol; UNAVAILABLE:
  // it refuses to be worked for. Either ends the connection.
  absl::Status OnEvent(wire::ToWorker& event, absl::Time now,
                       SessionEvent* result);
  // A part of a packet has come, or has left: what is due has time again.
  void OnProgress(absl::Time now);
  // Does what is due. UNAVAILABLE: the server owes a reply for too long.
  absl::Status OnTime(absl::Time now);
  // When OnTime or Settle wants to be called; InfiniteFuture: never.
  absl::Time next_deadline() const;

  // How many grabs make sense here now; Grab sends so many at most.
  int wanted_grabs() const;
  void Grab(int count, absl::Time now);
  // Takes back the tasks that can be. Before grabs are sent, which wait for it.
  void TakeBack() {
    if (taking_back() && state_ != State::kConnecting && grabbing_) {
      TakeBackTasks();
    }
  }
  // Call when all that happened has been handled and grabs have been sent: goes
  // to sleep.
  void Settle(absl::Time now);
  // The ends of jobs. `task` as in kJob.
  void Complete(Task* task, absl::string_view handle, std::string result);
  void Fail(Task* task, absl::string_view handle);
  // The one place that decides how a failure with a text is answered.
  void Exception(Task* task, absl::string_view handle, std::string text);
  // Updates of a job that is held. INVALID_ARGUMENT: too large.
  absl::Status SendData(absl::string_view handle, std::string data);
  absl::Status SendWarning(absl::string_view handle, std::string data);
  void SendStatus(absl::string_view handle, int64_t numerator,
                  int64_t denominator);

  // A job that came now would be over in no time, so that it harms nobody if
  // the server takes this worker for a sleeper meanwhile: allows to go to sleep
  // ahead.
  void set_quick(bool quick) { quick_ = quick; }

  // No more grabs and no sleep, from now on.
  void StopGrabbing() { grabbing_ = false; }
  // Asks for an echo: its answer shows that the server has taken all that was
  // sent before.
  void AskForReceipt(absl::Time now);
  bool receipt_asked() const { return receipt_ != Receipt::kNotAsked; }
  // The handle of the job that was answered last, while the server has answered
  // nothing that was sent behind that. Empty: all answers have been taken.
  absl::string_view answer_on_its_way() const {
    return replies_ > answered_behind_ ? "" : absl::string_view(last_answered_);
  }
  // It is, and it left less than a second ago or the server has not been asked
  // for anything since. So a server that goes now may not have taken it.
  absl::string_view fresh_answer(absl::Time now) const {
    return state_ == State::kAsleep && now >= state_since_ + absl::Seconds(1)
               ? ""
               : answer_on_its_way();
  }
  bool receipt_given() const { return receipt_ == Receipt::kGiven; }

  // The server knows WORK_DATA and WORK_WARNING.
  bool carries_updates() const { return !plain_server(); }
  // Not one grab has been answered, though one was sent.
  bool first_grab_unanswered() const {
    return !grab_answered_ && outstanding_ > 0;
  }
  // A server that answers lesser grabs is being asked for more; it would be
  // good news, but the connection may end.
  bool probing() const { return probing_; }
  const Grabs& grabs() const { return grabs_; }

  // Any reply has come: this is a server that serves.
  bool served() const { return served_; }
  bool asleep() const { return state_ == State::kAsleep; }
  int outstanding() const { return outstanding_; }
  int held() const { return held_; }
  size_t offered_tasks() const { return offered_.size(); }
  // The tasks that the server has refused and not taken since, without their
  // prefix, in order.
  std::vector<std::string> refused_tasks() const;
  const Counts& counts() const { return counts_; }

 private:
  enum class State : unsigned char { kConnecting, kAwake, kAsleep, kResting };
  enum class ReplyKind : unsigned char {
    kGrab,
    kHeartbeat,
    kReceipt,
    kOption,
    kOffers,  // an echo behind offers that were repeated
  };
  enum class Receipt : unsigned char { kNotAsked, kAsked, kGiven };
  // Replies come in the order of requests; equal ones are counted.
  struct RepliesDue {
    ReplyKind kind;
    wire::GrabKind grab_kind;
    int count;
    absl::Time since;
  };
  struct Offer {
    std::shared_ptr<Task> task;
    bool wanted = true;
    bool look_at = false;  // in look_at_
    int held = 0;
    // What the server was told; the task may want another time by now.
    int64_t announced_ms = 0;
    // The server refused it, or refused it and has been asked again.
    bool refused = false;
    bool asked_again = false;
  };

  absl::Status OnJob(wire::JobAssign& assigned, SessionEvent* result);
  absl::Status OnTooLarge(const wire::TooLargePacket& packet, absl::Time now,
                          SessionEvent* result);
  void OnNoop(absl::Time now);
  absl::Status OnEcho(const wire::EchoResponse& echo, absl::Time now,
                      SessionEvent* result);
  absl::Status OnError(const wire::Error& error, absl::Time now,
                       SessionEvent* result);
  void Due(ReplyKind kind, int count, absl::Time now,
           wire::GrabKind grab_kind = wire::GrabKind::kAll);
  // A grab was answered with a job or NO_JOB: the server knows its kind.
  void OnGrabTaken() {
    if (probing_) grabs_ = {};
    probing_ = false;
  }
  // Takes the head of what is due, which must be `kind`.
  absl::Status TakeReply(ReplyKind kind, absl::string_view packet,
                         absl::Time now);
  void WakeUp(WakeupCause cause);
  void Sleep(absl::Time now);
  // The server takes it for a sleeper from now on.
  void FellAsleep(absl::Time now);
  // The last wake-up brought as many jobs as this one has, so that the next
  // grab will hardly bring one.
  bool ExpectsNoJob() const;
  // Goes to sleep without that grab.
  bool SkipsGrab() const { return skips_left_ > 0 && ExpectsNoJob(); }
  // PRE_SLEEP has left behind the grab that is outstanding.
  bool pre_sleep_sent() const {
    return ahead_ == Ahead::kSent || ahead_ == Ahead::kSentOld;
  }
  // The grab that PRE_SLEEP left with has been answered.
  void SleptAhead(absl::Time now);
  // Draws the lessons of a wake-up when a grab has found nothing more.
  void OnDry();
  void Announce(Offer* offer);
  void OfferTask(const std::shared_ptr<Task>& task);
  // A later TakeBackTasks looks at the offer.
  void LookAtLater(Offer* offer);
  // An ERROR says that an offer was refused. False: that a new one was.
  // `name` becomes that of the task, or stays empty when the text names none.
  bool NoteRefusal(absl::string_view text, absl::Time now,
                   absl::string_view* name);
  void RepeatOffers(absl::Time now);
  // The server has answered what was sent behind the repeated offers. True:
  // nothing is refused any more.
  bool EndRepeat();
  void TakeBackTasks();
  // An offer waits for the end of its jobs.
  bool taking_back() const { return !look_at_.empty(); }
  void JobEnded(Task* task, absl::string_view handle);
  // Everything that is sent here has been checked before: task names when they
  // were registered, handles when they came. What can still be refused says so.
  static void MustEncode(const absl::Status& status) { status.IgnoreError(); }
  // A job at a time: some server has a timer for this connection.
  bool server_times() const { return timed_offers_ > 0; }
  // A server that knows no grab but the oldest, such as Perl's
  // Gearman::Server: it knows no WORK_DATA and no WORK_WARNING, and a job goes
  // on after its WORK_EXCEPTION.
  bool plain_server() const { return grabs_.kind == wire::GrabKind::kPlain; }
  // The next grab shall show whether the server knows GRAB_JOB_ALL.
  bool wants_probe() const {
    return grabs_.unsure && grab_answered_ && held_ == 0 && outstanding_ == 0;
  }

  const Options* const options_;
  wire::OutputBuffer* const output_;

  absl::flat_hash_map<std::string, std::unique_ptr<Offer>> offered_;
  Offer* last_offer_ = nullptr;  // of the last job: mostly the next one's, too
  int timed_offers_ = 0;         // announced with a time limit
  // Offers that are to be taken back, or whose time limit has changed.
  std::vector<Offer*> look_at_;
  // When what was refused is offered again, and how long to wait the next time.
  absl::Time offer_again_at_ = absl::InfiniteFuture();
  absl::Duration offer_delay_ = absl::ZeroDuration();

  State state_ = State::kConnecting;
  bool grabbing_ = true;
  bool served_ = false;
  // The last answer was NO_JOB: grab no more before having slept.
  bool dry_ = false;
  // A job has ended under a server's timer, which PRE_SLEEP stops.
  bool stop_timer_ = false;
  int outstanding_ = 0;
  int held_ = 0;
  Grabs grabs_;
  bool grab_answered_ = false;
  bool probing_ = false;

  // Grabs that may be outstanding here: grows with every job, and after a NOOP
  // begins with what the last NOOP brought, so that grabs in vain are no more
  // than jobs.
  int window_ = 1;
  int jobs_since_wake_ = 0;
  bool woken_by_noop_ = false;
  int vain_wakeups_ = 0;  // in a row
  // Going to sleep ahead. A wake-up for one job would cost two round trips
  // more, for NO_JOB and for PRE_SLEEP. So PRE_SLEEP leaves with the grab that
  // will find nothing, or, for some wake-ups after that has come true, instead
  // of it: a server answers PRE_SLEEP with NOOP when work waits.
  bool quick_ = false;
  int skips_left_ = 0;
  int jobs_of_last_wake_ = 0;
  enum class Ahead : unsigned char {
    kNot,      // may be tried in this wake-up
    kSent,     // PRE_SLEEP has left behind the grab that is outstanding
    kSentOld,  // the same, but a task has been offered since: grab once more
    kFailed,   // the grab brought a job
  };
  Ahead ahead_ = Ahead::kNot;
  absl::Time state_since_ = absl::InfinitePast();
  absl::Time resting_until_ = absl::InfiniteFuture();

  std::deque<RepliesDue> replies_due_;
  uint64_t requests_ = 0;  // sent that earn a reply
  uint64_t replies_ = 0;
  std::string last_answered_;     // the handle of a job
  uint64_t answered_behind_ = 0;  // so many requests
  absl::Time reply_deadline_ = absl::InfiniteFuture();
  absl::Time last_received_ = absl::InfiniteFuture();
  Receipt receipt_ = Receipt::kNotAsked;
  // The last job that was too large, until the next event.
  wire::JobAssign too_large_job_;
  Counts counts_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_SESSION_H_
