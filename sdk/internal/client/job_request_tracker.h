// JobRequestTracker: what belongs to the client and outlives a connection:
// the requests in flight, their attempts, retries, deadlines and outcomes.
//
// A pure machine: commands, effects, losses and time in; requests to dispatch,
// notices for callbacks, released waiters and the next deadline out. It knows
// no connection but for telling a request's session that nobody waits any
// more. Not thread-safe: guarded by the client's lock. O(1) per event,
// deadlines O(log n).
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <string>
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
#include "gearman/sdk/internal/client/deadline_queue.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/client/job_request_state.h"
#include "gearman/sdk/internal/client/query.h"
#include "gearman/sdk/job_status.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/status.h"

namespace gearman {
namespace internal {

// What of a moment its observer and interceptors will hear.
struct HookFacts {
  absl::Time time;
  int attempt = 0;
  int server = -1;  // index in the pool
  std::string handle;
  // Of a retry: why the attempt before, or this one, failed.
  absl::string_view reason;
  // Of an end. The result is here as long as it may be changed.
  RequestInput input = RequestInput::kComplete;
  absl::Status status;
  std::string result;
  RequestOutcome outcome = RequestOutcome::kComplete;
};

// Something a user's callback, observer or interceptor must hear, in order.
struct Notice {
  enum class Kind : unsigned char {
    kData,
    kWarning,
    kStatus,
    kRetryBegins,  // to observers only, as the next
    kRetryEnds,
    kEnding,  // interceptors may change the end; Conclude follows
    kComplete,
  };

  std::shared_ptr<JobRequestState> request;
  Kind kind;
  std::string data;
  JobStatus status;
  // The submission's, when it has hooks: of the last four kinds.
  std::shared_ptr<RequestHooks> hooks;
  std::unique_ptr<HookFacts> facts;
  // Of an end: callbacks are not told.
  bool silently = false;
};

// Why an attempt failed, as the tracker is told.
struct AttemptOutcome {
  FailureReason reason;
  absl::Status status;
  bool bytes_sent;
  // Another try can't help: the request itself is refused.
  bool permanent = false;
  // A time limit of the client's ended it.
  bool timed_out = false;
};

class JobRequestTracker {
 public:
  struct Options {
    // The client's policies, which outlive the tracker. A retry policy must be
    // given; the others: none, and `standard`.
    RetryPolicy* retry_policy = nullptr;
    BackoffPolicy* backoff_policy = nullptr;
    IdempotencyPolicy* idempotency_policy = nullptr;
    // For jitter; outlives the tracker. Null: none.
    std::mt19937_64* random = nullptr;
    size_t max_update_bytes = 64u << 20;
    // Counts untaken updates of requests in flight, and what else the client
    // holds. It must outlive the tracker; null: nothing counts. An update that
    // would raise it above max_memory bytes ends its request (0: no limit).
    ByteAccount* account = nullptr;
    size_t max_memory = 0;
    // Null: nothing is counted.
    Metrics* metrics = nullptr;
    // Hears what policies throw.
    Logger logger;
    // The address of a server, by its number in the pool, for messages. Unset:
    // they name none.
    std::function<std::string(int)> server_name;
  };

  explicit JobRequestTracker(Options options);
  // Ends what is in flight, which holds itself until then.
  ~JobRequestTracker();
  JobRequestTracker(const JobRequestTracker&) = delete;
  JobRequestTracker& operator=(const JobRequestTracker&) = delete;

  // How many servers there are, for retry policies.
  void set_servers(int servers) { servers_ = servers; }

  // --- commands --------------------------------------------------------------
  // Begins `request`, whose fields have been resolved: it is pending. The
  // caller ends it or gives it to a server: it is not in TakeDispatches.
  void Start(const std::shared_ptr<JobRequestState>& request, absl::Time now);
  // Ends `request` before it starts, or in flight, with `status`: invalid,
  // cancelled, refused by a limit.
  void GiveUp(JobRequestState* request, absl::Status status, absl::Time now);
  // The same, without a callback (WhenFull::kDrop, or the client's end).
  void DropSilently(JobRequestState* request, absl::Status status,
                    absl::Time now);
  // An interceptor has answered what has just been started.
  void OnAnswered(JobRequestState* request, absl::Time now);
  // The end of a request whose notice kEnding has been heard, as the facts have
  // it now; they get its outcome. Its waiters are for the caller to release.
  void Conclude(JobRequestState* request, HookFacts* facts);
  // Ends everything in flight; each status names its job.
  void GiveUpAll(const absl::Status& status, absl::Time now);

  // --- inputs ----------------------------------------------------------------
  // An attempt begins on `server`.
  void OnDispatched(JobRequestState* request) { ++request->attempts; }
  // The same, for observers: it is not the first one.
  void OnRetryDispatched(JobRequestState* request, absl::Time now);
  // What a session made of an event. `server` is its address.
  void OnEffect(Effect& effect, const std::string& server, absl::Time now);
  // The attempt of `request` on `server` failed: decides whether it is tried
  // again.
  void OnAttemptFailed(JobRequestState* request, const std::string& server,
                       AttemptOutcome outcome, absl::Time now);
  // Time has passed: ends what is late, starts what was to wait.
  void OnTime(absl::Time now);
  // Ends the request, which is late.
  void OnLate(JobRequestState* request, absl::Time now);

  // --- outputs ---------------------------------------------------------------
  // Requests that want a server again, oldest first. Taking them replaces
  // `requests`, whose memory is used again.
  bool wants_dispatch() const { return !to_dispatch_.empty(); }
  void TakeDispatches(std::vector<JobRequestState*>* requests);
  // What callbacks must hear.
  bool has_notices() const { return !notices_.empty(); }
  std::vector<Notice> TakeNotices();
  // When OnTime must be called at the latest.
  absl::Time next_deadline() const { return timers_.next(); }

  // Requests in flight.
  size_t in_flight() const { return in_flight_; }

 private:
  void OnQueryEffect(Query* query, Effect& effect, const std::string& server);
  void OnAccepted(JobRequestState* request);
  void OnRefused(JobRequestState* request, const Effect& effect,
                 const std::string& server);
  void OnUpdate(JobRequestState* request, Effect& effect,
                const std::string& server);
  // Takes the request's updates out of the client's account: from now on they
  // are the user's.
  static void StopCounting(JobRequestState* request);
  // Ends the request: there was no memory for a packet from `server`.
  void OnNoMemory(JobRequestState* request, const std::string& server);
  void OnStatus(JobRequestState* request, const Effect& effect);
  // Ends the request: a result or update exceeds this client's limit.
  void OnTooLarge(JobRequestState* request, const wire::TooLargePacket& packet,
                  const std::string& server);
  void OnEnded(JobRequestState* request, Effect& effect,
               const std::string& server);
  void DecideOnAttempt(JobRequestState* request, const std::string& server,
                       AttemptOutcome outcome);
  // What the policies say about a failed attempt.
  AttemptVerdict Judge(const JobRequestState& request,
                       const std::string& server,
                       const AttemptOutcome& outcome);
  void Retry(JobRequestState* request, absl::Duration delay);
  void Dispatch(JobRequestState* request);
  // Takes it out of everything; `input` says how it ended. `silently`: no
  // callback is to hear of it.
  void Finish(JobRequestState* request, RequestInput input, absl::Status status,
              bool silently = false);
  // The rest of it, once nobody can change the end any more. `told`: a notice
  // follows, after which its waiters are released.
  RequestOutcome MarkFinished(JobRequestState* request, RequestInput input,
                              absl::Status status, absl::Time ended, bool told);
  // The rest of it for a request that has hooks.
  void FinishHooked(std::shared_ptr<JobRequestState> request,
                    RequestInput input, absl::Status status, bool silently);
  // For observers: an attempt of a request that has hooks has failed; if it was
  // a further one, they hear of it.
  void EndRetry(JobRequestState* request, const absl::Status& status,
                absl::string_view reason);
  void SetTimer(JobRequestState* request, absl::Time time);
  // The facts of the request, at the server that it was given to last.
  StatusFacts FactsNow(const JobRequestState& request) const;

  const Options options_;
  int servers_ = 1;
  StandardIdempotencyPolicy standard_idempotency_;
  // Of the input being handled.
  absl::Time now_ = absl::InfinitePast();
  JobRequestState* first_in_flight_ = nullptr;
  size_t in_flight_ = 0;
  DeadlineQueue<JobRequestState> timers_;
  // Null where one has ended meanwhile.
  std::vector<JobRequestState*> to_dispatch_;
  std::vector<Notice> notices_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_H_
