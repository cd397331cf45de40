// JobRequestTracker is the state that belongs to the client and outlives a
// connection: the requests in flight, with their attempts, retries, deadlines
// and outcomes.
//
// It is a pure machine. Commands, effects, losses and time go in; operations to
// dispatch, notices for callbacks, released waiters and the next deadline come
// out. It uses a request's session for one thing: to detach the request. Not
// thread-safe: the client's lock guards it. O(1) per event; O(log n) for
// deadlines.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/internal/client/attempt_verdict.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/net/deadline_queue.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/query.h"
#include "gearman/sdk/job_status.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/status.h"

namespace gearman {
namespace internal {

// The facts of one moment that observers and interceptors will see.
struct HookFacts {
  absl::Time time;
  int attempt = 0;
  ClientServerPtr server;  // null: none yet
  std::string handle;
  // The kind is kRetryBegins or kRetryEnds: why the attempt before, or this
  // attempt, failed.
  absl::string_view reason;
  // The kind is kEnding or kComplete: the end. The result is here as long as
  // interceptors may change it.
  RequestInput input = RequestInput::kComplete;
  absl::Status status;
  std::string result;
  RequestOutcome outcome = RequestOutcome::kComplete;
};

// An event that a user's callback, observer or interceptor must hear of.
// Notices are delivered in order.
struct Notice {
  enum class Kind : unsigned char {
    kAccepted,
    kData,
    kPiece,
    kWarning,
    kStatus,
    kRetryBegins,  // for observers only, like the next one
    kRetryEnds,
    kEnding,  // interceptors may change the end; Conclude follows
    kComplete,
  };

  std::shared_ptr<JobRequestState> request;
  Kind kind;
  std::string data;
  JobStatus status;
  // The kind is kPiece: the place of `data`; the bytes are not set.
  DataPiece piece;
  // The hooks of the submission, if it has any. Set for the last four kinds.
  std::shared_ptr<RequestHooks> hooks;
  std::unique_ptr<HookFacts> facts;
  // For an end: no callback is called.
  bool silently = false;
};

// Tells the tracker how and why an attempt failed.
struct AttemptOutcome {
  FailureReason reason;
  absl::Status status;
  bool bytes_sent;
  // Orphan::cut_off.
  bool cut_off = false;
  // Another attempt can't help: the request itself is refused.
  bool permanent = false;
  // A time limit of the client ended the attempt.
  bool timed_out = false;

  // True if the server may have accepted the job although its answer is lost.
  bool may_have_arrived() const { return bytes_sent && !cut_off; }
};

// A question whether a server still has a job.
struct JobQuestion {
  ClientSession* session;  // of the connection over which it was accepted
  std::string handle;
};

class JobRequestTracker final : public EffectSink {
 public:
  struct Options {
    // The client's policies. They must outlive the tracker. The retry policy
    // must be set. Without a backoff policy there is no delay; without an
    // idempotency policy `strict` is used.
    RetryPolicy* retry_policy = nullptr;
    BackoffPolicy* backoff_policy = nullptr;
    IdempotencyPolicy* idempotency_policy = nullptr;
    // The source of jitter. It must outlive the tracker. Null: no jitter.
    std::mt19937_64* random = nullptr;
    // The time between two questions after an accepted job that may have been
    // left behind by an earlier attempt. Infinite: nothing is asked.
    absl::Duration question_interval = absl::InfiniteDuration();
    size_t max_update_bytes = 64u << 20;
    // Counts the untaken updates of requests in flight, and the client's other
    // memory. It must outlive the tracker. If it is null, nothing is counted.
    // An update that would raise it above max_memory bytes ends its request (0:
    // no limit). A status that would raise it above half of that takes the
    // place of older ones.
    ByteAccount* account = nullptr;
    size_t max_memory = 0;
    // Null: nothing is counted.
    Metrics* metrics = nullptr;
    // Logs anything that a policy throws.
    Logger logger;
  };

  explicit JobRequestTracker(Options options);
  // Ends the requests in flight. Until then each of them keeps itself alive.
  ~JobRequestTracker() override;
  JobRequestTracker(const JobRequestTracker&) = delete;
  JobRequestTracker& operator=(const JobRequestTracker&) = delete;

  // Sets the number of servers, for retry policies.
  void set_servers(int servers) { servers_ = servers; }

  // --- commands --------------------------------------------------------------
  // Starts `request`, whose fields have been resolved. It becomes pending. The
  // caller then ends it or gives it to a server; TakeDispatches does not return
  // it.
  void Start(const std::shared_ptr<JobRequestState>& request, absl::Time now);
  // Ends `request` with `status`, before its start or in flight. It is invalid,
  // cancelled, or refused by a limit.
  void GiveUp(JobRequestState* request, absl::Status status, absl::Time now);
  // Like GiveUp, but no callback is called (WhenFull::kDrop, or the client's
  // end).
  void DropSilently(JobRequestState* request, absl::Status status,
                    absl::Time now);
  // Ends a request that was just started and that an interceptor has answered.
  void OnAnswered(JobRequestState* request, absl::Time now);
  // Ends a request after its kEnding notice has been heard. `facts` hold the
  // end, and get its outcome. The caller releases the waiters.
  void Conclude(JobRequestState* request, HookFacts* facts);
  // Ends everything in flight. Each status names its job.
  void GiveUpAll(const absl::Status& status, absl::Time now);

  // --- inputs ----------------------------------------------------------------
  // Counts an attempt, which begins now. Tells observers of each one but the
  // first.
  void OnDispatched(JobRequestState* request, absl::Time now) {
    now_ = now;
    if (++request->attempts > 1) OnRetryDispatched(request, now);
  }
  // The time of the effects that follow.
  void set_now(absl::Time now) { now_ = now; }
  // EffectSink. Sessions tell what events mean for their operations.
  void OnAccepted(JobRequestState* request) override;
  void OnEffect(Effect& effect) override;
  void OnPiece(JobRequestState* request, const DataPiece& piece) override;
  // Decides whether the operation is tried again after its attempt on its
  // server has failed.
  void OnFailed(Operation* operation, AttemptOutcome outcome, absl::Time now);
  // Ends requests that are late, starts retries that are due, and asks the
  // questions that are due.
  void OnTime(absl::Time now);
  // Ends the request because it is late.
  void OnLate(JobRequestState* request, absl::Time now);
  // Ends the query, and wakes its thread. OK: it has its answer.
  static void Finish(Query* query, absl::Status status);
  // Takes an operation, which may be waiting for a server again, out of
  // TakeDispatches.
  void Withdraw(Operation* operation);

  // --- outputs ---------------------------------------------------------------
  // Operations that want a server again, oldest first. TakeDispatches replaces
  // the content of `operations` and reuses its memory.
  bool wants_dispatch() const { return !to_dispatch_.empty(); }
  void TakeDispatches(std::vector<Operation*>* operations);
  // Questions for the servers. The caller takes them directly after OnTime,
  // before it closes connections. One that asks about a request that has ended
  // since does no harm.
  std::vector<JobQuestion> TakeQuestions() {
    return std::exchange(questions_, {});
  }
  // Notices for callbacks, observers and interceptors.
  bool has_notices() const { return !notices_.empty(); }
  std::vector<Notice> TakeNotices();
  // The latest time at which OnTime must be called.
  absl::Time next_deadline() const { return timers_.next(); }
  // Calls `function(JobRequestState&)` for each request that OnTime would
  // handle at `now`. It must not change the tracker.
  template <typename Function>
  void ForEachDue(absl::Time now, Function&& function) const {
    timers_.ForEachDue(now, function);
  }

  // The number of requests in flight.
  size_t in_flight() const { return in_flight_; }

 private:
  RetryPolicy* PolicyFor(const JobRequestState& request) const {
    RetryPolicy* const own = request.call_options().retry_policy.get();
    return own != nullptr ? own : options_.retry_policy;
  }
  void OnQueryEffect(Query* query, Effect& effect);
  void OnQueryFailed(Query* query, AttemptOutcome outcome);
  void OnRetryDispatched(JobRequestState* request, absl::Time now);
  // Sets the timer for the next question after the request's job, if it needs
  // one.
  void AskLater(JobRequestState* request);
  // Lets another request that shares the submission ask in place of this one.
  void HandOnQuestions(JobRequestState* request);
  // Fails the attempt, because the server does not have the job any more.
  void OnDropped(JobRequestState* request);
  void OnRefused(JobRequestState* request, const Effect& effect);
  void OnUpdate(JobRequestState* request, Effect& effect);
  // Tells the request's callback of `bytes`, whose place in their payload is
  // that of `piece`.
  void AddPiece(JobRequestState* request, DataPiece piece, std::string bytes);
  // Tells it of a payload that has come as a whole.
  void AddWhole(JobRequestState* request, DataPiece::Kind kind,
                std::string bytes);
  // Removes the request's updates from the client's account. From now on they
  // are the user's.
  static void StopCounting(JobRequestState* request);
  JobUpdates& UpdatesOf(JobRequestState* request);
  // True if the client holds at most `limit` bytes when it holds `bytes` more.
  bool HasMemory(size_t bytes, size_t limit) const;
  // Ends the request because there was no memory for a packet.
  void OnNoMemory(JobRequestState* request);
  void OnStatus(JobRequestState* request, const Effect& effect);
  // Ends the request because a result or update exceeds this client's limit.
  void OnTooLarge(JobRequestState* request, const wire::TooLargePacket& packet);
  void OnEnded(JobRequestState* request, Effect& effect);
  void DecideOnAttempt(JobRequestState* request, AttemptOutcome outcome);
  // Asks the policies about a failed attempt.
  AttemptVerdict Judge(const JobRequestState& request,
                       const AttemptOutcome& outcome);
  // Adds the failed attempt, at `server`, to the request's attempts.
  void RecordAttempt(JobRequestState* request, const AttemptOutcome& outcome,
                     const std::string& server);
  void TryAgain(JobRequestState* request, FailureReason reason,
                const AttemptVerdict& verdict);
  // Ends the request with the error of its attempts. `why`: why there is no
  // other attempt.
  void GiveUp(JobRequestState* request, const AttemptOutcome& outcome,
              StatusFacts facts, absl::string_view why);
  void Retry(JobRequestState* request, absl::Duration delay);
  void Dispatch(Operation* operation);
  // Ends the request and removes it from the tracker. `input` says how it
  // ended. `silently`: no callback is called.
  void Finish(JobRequestState* request, RequestInput input, absl::Status status,
              bool silently = false);
  Notice& AddNotice(std::shared_ptr<JobRequestState> request,
                    Notice::Kind kind);
  // Does the rest of Finish, when nobody can change the end any more. `told`: a
  // notice follows, after which the waiters are released.
  RequestOutcome MarkFinished(JobRequestState* request, RequestInput input,
                              absl::Status status, absl::Time ended, bool told);
  // Does the rest of Finish for a request that has hooks.
  void FinishHooked(std::shared_ptr<JobRequestState> request,
                    RequestInput input, absl::Status status, bool silently);
  // Tells observers that a further attempt of a request with hooks has failed.
  // Does nothing for the first attempt.
  void EndRetry(JobRequestState* request, const absl::Status& status,
                absl::string_view reason);
  void SetTimer(JobRequestState* request, absl::Time time);
  // The facts of the request now, with the server of its last attempt.
  static StatusFacts FactsNow(const JobRequestState& request);

  const Options options_;
  int servers_ = 1;
  StrictIdempotencyPolicy strict_idempotency_;
  // The time of the input being handled.
  absl::Time now_ = absl::InfinitePast();
  JobRequestState* first_in_flight_ = nullptr;
  size_t in_flight_ = 0;
  DeadlineQueue<JobRequestState> timers_;
  // An entry is null if its operation was withdrawn since.
  std::vector<Operation*> to_dispatch_;
  std::vector<JobQuestion> questions_;
  std::vector<Notice> notices_;
  // When the last batch was submitted, also as JobRequestState::submitted.
  absl::Time batch_time_;
  int64_t batch_nanos_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_H_
