// WorkerSession is the protocol on one connection of a worker: the tasks
// offered to the server, and the replies due. It ends with its connection.
//
// It is pure. Events and the time come in, and packets are appended to the
// connection's output. Prefetch decides how many jobs the worker wants,
// SleepPlan decides when it sleeps, and WorkerJobs handles the jobs.
//
// It belongs to the worker's I/O thread.
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
#include "gearman/codecs/body_source.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/internal/job/task_table.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/worker/sleep_plan.h"
#include "gearman/sdk/internal/worker/worker_counters.h"

namespace gearman {
namespace internal {

// The meaning of one packet from the server.
struct SessionEvent {
  enum class Kind : unsigned char {
    kNothing,
    kJob,            // `assigned`, of `task`; without its data if `too_large`
    kNoJob,          // one grab was in vain
    kWokenTooLate,   // NOOP: work waits, but the session grabs no more
    kHeartbeat,      // the server answered a heartbeat after `round_trip`
    kAnswerRefused,  // ERROR JOB_NOT_FOUND: another worker has the job
    kTaskRefused,    // ERROR for a CAN_DO; `code` and `text`
    kTasksTaken,     // the server took the tasks that it had refused
    kError,          // another ERROR, already handled; code and text
  };
  Kind kind = Kind::kNothing;
  const std::shared_ptr<Task>* task = nullptr;
  wire::JobAssign* assigned = nullptr;
  const wire::TooLargePacket* too_large = nullptr;  // null: it is not too large
  absl::Duration round_trip;
  absl::string_view code;
  absl::string_view text;
  // Set if the kind is kTaskRefused and the server names the task.
  absl::string_view refused_task;
};

// The data of an echo that is sent after offers. Its answer shows that the
// server has read them.
inline constexpr char kOffersEcho[] = "gearman_sdk offers";

class WorkerSession {
 public:
  using Receiver = wire::ToWorker;

  struct Options {
    std::string client_id;
    std::vector<std::string> server_options;
    absl::Duration reply_timeout = absl::Seconds(30);
    absl::Duration heartbeat_interval = absl::Seconds(30);
    absl::Duration regrab_interval = absl::Seconds(10);
    // WorkerOptions documents both.
    bool exceptions = true;
    bool native_exceptions = false;
    // The delay before a task that the server refused is offered again. It
    // doubles each time, up to the longest.
    absl::Duration first_offer_delay = absl::Seconds(1);
    absl::Duration longest_offer_delay = absl::Minutes(1);
  };
  // The sessions of one worker have this in common.
  struct Shared {
    Options options;
    // A job that came now would end at once, so a session may go to sleep ahead
    // (SleepPlan). The owner sets it before it sends grabs.
    bool quick = false;
    // The number of grabs on all connections that were not answered and are not
    // overdue.
    int outstanding = 0;
    WorkerCounters* counters = nullptr;
    Metrics* metrics = nullptr;  // null: nothing is counted there
  };

  // The way to ask for jobs, as learned from earlier connections to the server.
  struct Grabs {
    wire::GrabKind kind = wire::GrabKind::kAll;
    // Connections ended after better grabs, for an unknown reason.
    bool unsure = false;
  };

  // Appends the client ID and the options. All pointers must outlive the
  // session. `lane_outstanding` is for the connection of a task with a lane of
  // its own: it counts, like Shared::outstanding, the grabs on all connections
  // of that task (null: the connection is not one of these).
  WorkerSession(Shared* shared, wire::OutputBuffer* output, Grabs grabs,
                int* lane_outstanding = nullptr);
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;
  ~WorkerSession() { CountOutstanding(-outstanding_); }

  // Offers the tasks that were registered, and takes back those that were
  // unregistered. A task is taken back later, by TakeBack, if a job of it is
  // held or may be on its way, and no grab is sent before. O(1) for each
  // change.
  void ChangeTasks(absl::Span<const TaskChange> changes);
  // Asks for an echo as soon as the connection is made. Call it before.
  void AskEchoFirst() { asks_echo_ = true; }
  // Call it when the connection is made. Grabs may leave from now on.
  void OnConnected(absl::Time now);

  // Handles a packet. DATA_LOSS: the server broke the protocol. UNAVAILABLE:
  // the server refuses GRAB_JOB. Both end the connection.
  absl::Status OnEvent(wire::ToWorker& event, absl::Time now,
                       SessionEvent* result);
  // Call it when bytes have come and were handled. Returns true if any reply
  // has come so far, so the server serves.
  bool OnReceived(absl::Time now) const {
    static_cast<void>(now);
    return served_;
  }
  // Call it when a part of a packet has come or has left. Due replies get more
  // time.
  void OnProgress(absl::Time now);
  // Handles everything that is due. UNAVAILABLE: a reply is due for too long.
  absl::Status OnTime(absl::Time now);
  // The next time to call OnTime or Settle. InfiniteFuture: never.
  absl::Time next_deadline() const;

  // The number of grabs that make sense here now. Grab sends at most so many.
  int wanted_grabs() const;
  void Grab(int count, absl::Time now);
  // Takes back unregistered tasks where that is possible. Call it before grabs
  // are sent, which wait for it.
  void TakeBack() {
    if (taking_back() && !sleep_.connecting() && grabbing_) TakeBackTasks();
  }
  // True if grabs wait until the jobs of a task that gives way have ended.
  // Another connection can grab for the other tasks meanwhile. Call it after
  // TakeBack.
  bool blocked() const { return blocked_ && grabbing_; }
  // Goes to sleep if that is right. Call it after all events have been handled
  // and grabs have been sent.
  void Settle(absl::Time now);
  // Send the answers of jobs. `task` is the one of SessionEvent::kJob.
  // `body` follows `result`; null: nothing does.
  void Complete(Task* task, absl::string_view handle, std::string result,
                std::shared_ptr<BodySource> body = nullptr);
  void Fail(Task* task, absl::string_view handle);
  // The only function that decides how a failure with a text is answered.
  void Exception(Task* task, absl::string_view handle, std::string text);
  // A job is left to its server without an answer. The session must end soon.
  void LetGo(Task* task);
  // Send updates of a job that is held. INVALID_ARGUMENT: the packet is too
  // large.
  absl::Status SendData(absl::string_view handle, std::string data);
  absl::Status SendWarning(absl::string_view handle, std::string data);
  void SendStatus(absl::string_view handle, int64_t numerator,
                  int64_t denominator);

  // From now on the session neither grabs nor sleeps.
  void Retire() { grabbing_ = false; }
  // The server has told another session that work waits.
  void WakeUp() {
    if (!grabbing_ || sleep_.connecting()) return;
    CountWakeUp(sleep_.OnTimeToGrab(), WakeupCause::kNoop);
  }
  // True if no grab or job is left, and the server has taken the answers.
  bool MayEnd(absl::Time now) {
    return sleep_.connecting() || (held_ == 0 && HasReceipt(now));
  }
  // True if the server has taken the answers, and no grab is left that it may
  // still answer soon. Asks the server for a receipt if one is needed.
  bool HasReceipt(absl::Time now);
  // The handle of the job that was answered last, if the server has not
  // answered any later request. Empty: the server has taken all answers.
  absl::string_view answer_on_its_way() const {
    return replies_ > answered_behind_ ? "" : absl::string_view(last_answered_);
  }
  // Like answer_on_its_way(), but empty if the worker has been asleep for a
  // second or longer. A server that is lost now may not have taken that answer.
  absl::string_view fresh_answer(absl::Time now) const {
    return sleep_.asleep_for(absl::Seconds(1), now) ? "" : answer_on_its_way();
  }

  // The number of jobs received here and not answered.
  int held() const { return held_; }
  // True if the server knows WORK_DATA and WORK_WARNING.
  bool carries_updates() const { return !plain_server(); }
  // True if anything was answered.
  bool served() const { return served_; }
  // True if any grab was answered.
  bool grab_answered() const { return grab_answered_; }
  // True if grabs were sent and none has been answered.
  bool first_grab_unanswered() const {
    return !grab_answered_ && outstanding_ > 0;
  }
  // True while the session asks for more from a server that answers lesser
  // grabs. The server may answer, or may end the connection.
  bool probing() const { return probing_; }
  const Grabs& grabs() const { return grabs_; }

  // The tasks that the server has refused and not taken since, without their
  // prefix, sorted.
  std::vector<std::string> refused_tasks() const;

 private:
  enum class ReplyKind : unsigned char {
    kGrab,
    kHeartbeat,
    kReceipt,
    kOption,
    kOffers,  // an echo after offers that were repeated
  };
  // Replies come in the order of the requests. Equal requests share an entry.
  struct RepliesDue {
    ReplyKind kind;
    wire::GrabKind grab_kind;
    int count;
    absl::Time since;
  };
  struct Offer {
    std::shared_ptr<Task> task;
    bool wanted = true;
    bool gives_way = false;
    bool look_at = false;  // in look_at_
    int held = 0;
    // The limit that the server was told. The task may have another one by now.
    int64_t announced_ms = 0;
    // The server refused it. asked_again: it refused it, and was asked again.
    bool refused = false;
    bool asked_again = false;
  };

  void SendHeartbeat(absl::Time now);
  absl::Status OnJob(wire::JobAssign& assigned, SessionEvent* result);
  absl::Status OnTooLarge(const wire::TooLargePacket& packet, absl::Time now,
                          SessionEvent* result);
  absl::Status OnEcho(const wire::EchoResponse& echo, absl::Time now,
                      SessionEvent* result);
  absl::Status OnError(const wire::Error& error, absl::Time now,
                       SessionEvent* result);
  void Due(ReplyKind kind, int count, absl::Time now,
           wire::GrabKind grab_kind = wire::GrabKind::kAll);
  // Call it when a grab was answered with a job or NO_JOB, so the server knows
  // its kind.
  void OnGrabTaken() {
    if (probing_) grabs_ = {};
    probing_ = false;
  }
  // Takes the first due reply, which must be `kind`.
  absl::Status TakeReply(ReplyKind kind, absl::string_view packet,
                         absl::Time now);
  // Counts a wake-up if SleepPlan says that the worker `woke`.
  void CountWakeUp(bool woke, WakeupCause cause);
  // The work here, for SleepPlan.
  SleepPlan::Work work() const {
    return {outstanding_, held_,
            shared_->quick && !grabs_.unsure && !server_times() &&
                lane_outstanding_ == nullptr};
  }
  // Adds to the numbers of grabs without an answer.
  void CountOutstanding(int more) {
    outstanding_ += more;
    if (!overdue_) CountForAll(more);
  }
  void CountForAll(int more) {
    shared_->outstanding += more;
    if (lane_outstanding_ != nullptr) *lane_outstanding_ += more;
  }
  // A server that is stopped, or whose machine has gone, keeps a grab until the
  // reply timeout. Grabs without an answer for kOverdue leave room for grabs at
  // other servers meanwhile. If the answer comes and is a job, the worker has
  // one job more than it asked for, and begins it when it can.
  static constexpr absl::Duration kOverdue = absl::Milliseconds(500);
  void SetOverdue(bool overdue) {
    if (overdue == overdue_) return;
    overdue_ = overdue;
    CountForAll(overdue ? -outstanding_ : outstanding_);
  }
  // When the grabs become overdue. InfiniteFuture: they are, or there is none.
  absl::Time overdue_at() const {
    return overdue_ || outstanding_ == 0 ? absl::InfiniteFuture()
                                         : waiting_since_ + kOverdue;
  }
  void Announce(Offer* offer);
  void OfferTask(const std::shared_ptr<Task>& task);
  // Marks an offer that a later TakeBackTasks looks at.
  void LookAtLater(Offer* offer);
  // Handles an ERROR that refuses an offer. Returns false if the refusal is
  // new. Sets `name` to the task's name, or leaves it empty if the text names
  // no task.
  bool NoteRefusal(absl::string_view text, absl::Time now,
                   absl::string_view* name);
  void RepeatOffers(absl::Time now);
  // Call it when the server has answered the echo sent after the repeated
  // offers. Returns true if nothing is refused any more.
  bool EndRepeat();
  void TakeBackTasks();
  // True if an offer waits for the end of its jobs.
  bool taking_back() const { return !look_at_.empty(); }
  void JobEnded(Task* task, absl::string_view handle);
  // Everything sent with this has been checked before: task names when they
  // were registered, handles when they came. Packets that can be refused return
  // a status.
  static void MustEncode(const absl::Status& status) { status.IgnoreError(); }
  // True if a server has a timer for this connection. Then it gets one job at a
  // time.
  bool server_times() const { return timed_offers_ > 0; }
  // True for a server that knows only the oldest grab, such as Perl's
  // Gearman::Server. It knows no WORK_DATA and no WORK_WARNING, and a job goes
  // on after its WORK_EXCEPTION.
  bool plain_server() const { return grabs_.kind == wire::GrabKind::kPlain; }
  // True if the next grab shall show whether the server knows GRAB_JOB_ALL.
  bool wants_probe() const {
    return grabs_.unsure && grab_answered_ && held_ == 0 && outstanding_ == 0;
  }

  const Options& options() const { return shared_->options; }
  absl::Time reply_deadline() const {
    return waiting_since_ + options().reply_timeout;
  }

  Shared* const shared_;
  wire::OutputBuffer* const output_;
  int* const lane_outstanding_;

  absl::flat_hash_map<std::string, std::unique_ptr<Offer>> offered_;
  Offer* last_offer_ =
      nullptr;            // offer of the last job; mostly also of the next
  int timed_offers_ = 0;  // offers announced with a time limit
  // Offers that must be taken back, or whose time limit has changed.
  std::vector<Offer*> look_at_;
  // A task in look_at_ gives way, and there are other offers.
  bool blocked_ = false;
  // When refused tasks are offered again, and the last delay.
  absl::Time offer_again_at_ = absl::InfiniteFuture();
  absl::Duration offer_delay_ = absl::ZeroDuration();

  SleepPlan sleep_;
  bool asks_echo_ = false;
  bool grabbing_ = true;
  bool served_ = false;
  int outstanding_ = 0;
  bool overdue_ = false;  // the others do not count its grabs
  int held_ = 0;
  Grabs grabs_;
  bool grab_answered_ = false;
  bool probing_ = false;

  std::deque<RepliesDue> replies_due_;
  uint64_t requests_ = 0;  // requests sent that earn a reply
  uint64_t replies_ = 0;
  std::string last_answered_;     // the handle of a job
  uint64_t answered_behind_ = 0;  // number of requests sent before its answer
  // The first reply due is awaited since then. InfiniteFuture: none is due.
  absl::Time waiting_since_ = absl::InfiniteFuture();
  absl::Time last_received_ = absl::InfiniteFuture();
  bool receipt_asked_ = false;  // and not given
  // The last job that was too large. Valid until the next event.
  wire::JobAssign too_large_job_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_SESSION_H_
