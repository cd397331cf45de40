#include "gearman/sdk/internal/client/job_request_tracker.h"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/sdk/internal/failure_text.h"
#include "gearman/sdk/internal/logged_call.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/sdk/status.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// Maps an ERROR code of the server to a status code. The case is ignored,
// because other servers write codes in lower case.
absl::StatusCode CodeOfServerError(absl::string_view code) {
  struct Mapping {
    absl::string_view code;
    absl::StatusCode status;
  };
  static constexpr Mapping kMappings[] = {
      {"QUEUE_ERROR", absl::StatusCode::kResourceExhausted},
      {"JOB_QUEUE_FULL", absl::StatusCode::kResourceExhausted},
      {"ARGUMENT_TOO_LARGE", absl::StatusCode::kInvalidArgument},
      {"INVALID_ARGS", absl::StatusCode::kInvalidArgument},
      {"INVALID_COMMAND", absl::StatusCode::kUnimplemented},
      {"UNKNOWN_COMMAND", absl::StatusCode::kUnimplemented},
      {"JOB_NOT_FOUND", absl::StatusCode::kNotFound},
      // Perl's Gearman::Server sends this code for a packet that it does not
      // support.
      {"server_error", absl::StatusCode::kUnimplemented},
  };
  for (const Mapping& mapping : kMappings) {
    if (absl::EqualsIgnoreCase(code, mapping.code)) return mapping.status;
  }
  return absl::StatusCode::kUnavailable;
}

// With a persistent queue, gearmand stores a background job before it accepts
// it. When the store fails, gearmand 1.1.20 answers ERROR QUEUE_ERROR and drops
// the job. But the store may have the job, which then runs after the next
// restart. A full queue has the same code and another text.
bool MayBeStored(const JobRequestState& request, const Effect& effect) {
  return request.background &&
         absl::EqualsIgnoreCase(effect.code, "QUEUE_ERROR") &&
         !absl::StartsWithIgnoreCase(effect.text, "Job queue is full") &&
         // The embedded server sends this text. It has no store.
         !absl::StartsWithIgnoreCase(effect.text, "Too many");
}

absl::Status ServerError(const Effect& effect) {
  return absl::Status(
      CodeOfServerError(effect.code),
      absl::StrCat("the server answered ERROR ", SafeText(effect.code), ": ",
                   SafeMessage(effect.text)));
}

// `accepted`: a server had accepted the job before it ended with `input`.
RequestOutcome OutcomeOf(const JobRequestState& request, bool accepted,
                         RequestInput input, const absl::Status& status) {
  if (input == RequestInput::kComplete || input == RequestInput::kAccepted) {
    return RequestOutcome::kComplete;
  }
  if (input == RequestInput::kFail) {
    return request.extras != nullptr && request.extras->exception.has_value()
               ? RequestOutcome::kException
               : RequestOutcome::kFailed;
  }
  if (input == RequestInput::kRefused) return RequestOutcome::kRefused;
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return RequestOutcome::kTimedOut;
    case absl::StatusCode::kCancelled:
      return RequestOutcome::kCancelled;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return RequestOutcome::kRefused;
    case absl::StatusCode::kResourceExhausted:
      return accepted ? RequestOutcome::kFailed : RequestOutcome::kRefused;
    default:
      return RequestOutcome::kLost;
  }
}

}  // namespace

JobRequestTracker::JobRequestTracker(Options options) : options_(options) {}

JobRequestTracker::~JobRequestTracker() {
  GiveUpAll(absl::CancelledError("the client was destroyed"), now_);
}

// --- in and out of flight ----------------------------------------------------

void JobRequestTracker::Start(const std::shared_ptr<JobRequestState>& shared,
                              absl::Time now) {
  now_ = now;
  JobRequestState* request = shared.get();
  request->self = shared;
  request->previous_in_flight = nullptr;
  request->next_in_flight = first_in_flight_;
  if (first_in_flight_ != nullptr) {
    first_in_flight_->previous_in_flight = request;
  }
  first_in_flight_ = request;
  ++in_flight_;
  request->state = JobState::kPending;
  // The requests of a batch have one time.
  if (now != batch_time_) {
    batch_time_ = now;
    batch_nanos_ = absl::ToUnixNanos(now);
  }
  request->submitted = batch_nanos_;
  request->timer = absl::InfiniteFuture();
  SetTimer(request, request->deadline);
  request->finished.store(false, std::memory_order_relaxed);
  if (request->metrics != nullptr) {
    request->metrics->Submitted(request->priority,
                                request->background ? SubmitMode::kBackground
                                                    : SubmitMode::kForeground);
  }
}

void JobRequestTracker::SetTimer(JobRequestState* request, absl::Time time) {
  if (request->timer == time) return;
  timers_.Remove(request->timer, request);
  request->timer = time;
  timers_.Add(time, request);
}

void JobRequestTracker::Dispatch(Operation* operation) {
  operation->to_dispatch = true;
  operation->reply_number = to_dispatch_.size();
  to_dispatch_.push_back(operation);
}

void JobRequestTracker::Withdraw(Operation* operation) {
  if (!operation->to_dispatch) return;
  operation->to_dispatch = false;
  to_dispatch_[operation->reply_number] = nullptr;
}

void JobRequestTracker::TakeDispatches(std::vector<Operation*>* operations) {
  operations->clear();
  operations->swap(to_dispatch_);
  operations->erase(
      std::remove(operations->begin(), operations->end(), nullptr),
      operations->end());
  for (Operation* operation : *operations) operation->to_dispatch = false;
}

std::vector<Notice> JobRequestTracker::TakeNotices() {
  return std::exchange(notices_, {});
}

void JobRequestTracker::Finish(JobRequestState* request, RequestInput input,
                               absl::Status status, bool silently) {
  if (request->self == nullptr) return;
  if (request->session != nullptr) {
    HandOnQuestions(request);
    request->session->Detach(request);
  }
  StopCounting(request);
  SetTimer(request, absl::InfiniteFuture());
  if (request->extras != nullptr) {
    request->extras->retry_at = absl::InfiniteFuture();
  }
  Withdraw(request);
  if (request->previous_in_flight != nullptr) {
    request->previous_in_flight->next_in_flight = request->next_in_flight;
  } else {
    first_in_flight_ = request->next_in_flight;
  }
  if (request->next_in_flight != nullptr) {
    request->next_in_flight->previous_in_flight = request->previous_in_flight;
  }
  request->next_in_flight = nullptr;
  request->previous_in_flight = nullptr;
  --in_flight_;
  std::shared_ptr<JobRequestState> self = std::move(request->self);
  if (request->hooks() != nullptr) {
    FinishHooked(std::move(self), input, std::move(status), silently);
    return;
  }
  const bool told = request->has_callbacks() && !silently;
  MarkFinished(request, input, std::move(status), now_, told);
  if (!told) {
    ReleaseWaiters(request, /*finished=*/true);
    return;
  }
  // The waiters are released after the callbacks have run.
  AddNotice(std::move(self), Notice::Kind::kComplete);
}

Notice& JobRequestTracker::AddNotice(std::shared_ptr<JobRequestState> request,
                                     Notice::Kind kind) {
  Notice& notice = notices_.emplace_back();
  notice.request = std::move(request);
  notice.kind = kind;
  return notice;
}

RequestOutcome JobRequestTracker::MarkFinished(JobRequestState* request,
                                               RequestInput input,
                                               absl::Status status,
                                               absl::Time ended, bool told) {
  const bool accepted = request->state == JobState::kCreated;
  const std::optional<JobState> next = NextState(request->state, input);
  request->state = next.value_or(JobState::kUnknown);
  const RequestOutcome outcome = OutcomeOf(*request, accepted, input, status);
  if (request->metrics != nullptr) {
    request->metrics->Finished(outcome, request->Elapsed(ended));
  }
  request->status = std::move(status);
  if (told) ++request->callbacks_pending;
  // This store comes last: a thread that sees it may read everything without
  // the lock.
  request->finished.store(true, std::memory_order_release);
  return outcome;
}

void JobRequestTracker::GiveUp(JobRequestState* request, absl::Status status,
                               absl::Time now) {
  now_ = now;
  Finish(request, RequestInput::kGiveUp, std::move(status));
}

void JobRequestTracker::DropSilently(JobRequestState* request,
                                     absl::Status status, absl::Time now) {
  now_ = now;
  Finish(request, RequestInput::kGiveUp, std::move(status), /*silently=*/true);
}

// --- effects -----------------------------------------------------------------

void JobRequestTracker::OnEffect(Effect& effect) {
  if (effect.operation->kind != Operation::Kind::kJob) {
    OnQueryEffect(static_cast<Query*>(effect.operation), effect);
    return;
  }
  JobRequestState* const request = AsRequest(effect.operation);
  // An earlier effect of the same event may have ended the request.
  if (request->self == nullptr) return;
  if (effect.kind != Effect::Kind::kFailed && request->extras != nullptr) {
    // The failure that the worker announced did not follow: the job is running
    // again.
    request->extras->failure_text.reset();
  }
  switch (effect.kind) {
    case Effect::Kind::kRefused:
      return OnRefused(request, effect);
    case Effect::Kind::kData:
    case Effect::Kind::kWarning:
      return OnUpdate(request, effect);
    case Effect::Kind::kFailureText:
      request->MutableExtras().failure_text =
          std::move(effect.data).TakeString().substr(kFailureMark.size());
      return;
    case Effect::Kind::kStatus:
      return OnStatus(request, effect);
    case Effect::Kind::kCompleted:
    case Effect::Kind::kFailed:
    case Effect::Kind::kException:
      return OnEnded(request, effect);
    case Effect::Kind::kTooLarge:
      return OnTooLarge(request, *effect.too_large);
    case Effect::Kind::kNoMemory:
      return OnNoMemory(request);
    case Effect::Kind::kDropped:
      return OnDropped(request);
    case Effect::Kind::kEcho:
      return;
  }
}

void JobRequestTracker::OnNoMemory(JobRequestState* request) {
  Finish(request, RequestInput::kGiveUp,
         absl::ResourceExhaustedError(absl::StrCat(
             request->server->name,
             ": there is no memory for what it sent for the job with "
             "handle \"",
             SafeText(request->handle.view()), "\"")));
}

void JobRequestTracker::OnQueryEffect(Query* query, Effect& effect) {
  query->answered = now_;
  if (effect.kind == Effect::Kind::kRefused ||
      effect.kind == Effect::Kind::kTooLarge) {
    StatusFacts facts;
    facts.operation =
        query->kind == Operation::Kind::kEcho ? "echo" : "status query";
    facts.server = query->server->name;
    query->status = Annotate(
        effect.kind == Effect::Kind::kRefused
            ? ServerError(effect)
            : absl::ResourceExhaustedError(effect.too_large->Describe()),
        facts);
  } else if (effect.kind == Effect::Kind::kEcho) {
    query->echo = std::move(effect.data).TakeString();
  } else {
    query->job_status.handle = query->handle;
    query->job_status.known = effect.known;
    query->job_status.running = effect.running;
    query->job_status.numerator = effect.numerator;
    query->job_status.denominator = effect.denominator;
    query->job_status.client_count = effect.client_count;
    query->job_status.time_received = now_;
  }
  Finish(query, query->status);
}

void JobRequestTracker::OnQueryFailed(Query* query, AttemptOutcome outcome) {
  // A question changes nothing, so it is asked once more if it was lost with an
  // old connection. A server that refuses the client's certificate in TLS 1.3
  // reports this only now, and would do so again.
  if (outcome.reason == FailureReason::kConnect || query->asked_again ||
      absl::IsUnauthenticated(outcome.status)) {
    Finish(query, std::move(outcome.status));
    return;
  }
  query->asked_again = true;
  if (options_.metrics != nullptr) {
    options_.metrics->Retried(query->kind == Operation::Kind::kEcho
                                  ? RetriedOperation::kEcho
                                  : RetriedOperation::kStatus,
                              FailureReason::kLostBeforeAcceptance);
  }
  Dispatch(query);
}

void JobRequestTracker::Finish(Query* query, absl::Status status) {
  query->status = std::move(status);
  query->finished = true;
  ReleaseWaiters(query, /*finished=*/true);
}

void JobRequestTracker::OnAccepted(JobRequestState* request) {
  if (request->self == nullptr) return;
  if (request->metrics != nullptr) {
    request->metrics->submit_duration.Observe(request->Elapsed(now_));
  }
  RetryPolicy* const policy = PolicyFor(*request);
  CallLoggingThrow(options_.logger, "RetryPolicy::OnSuccess",
                   [policy] { policy->OnSuccess(); });
  if (request->call_options().callbacks.on_accepted) {
    AddNotice(request->self, Notice::Kind::kAccepted);
  }
  if (request->background) {
    Finish(request, RequestInput::kAccepted, absl::OkStatus());
    return;
  }
  request->state = NextState(request->state, RequestInput::kAccepted)
                       .value_or(JobState::kCreated);
  AskLater(request);
  ReleaseWaiters(request, /*finished=*/false);
}

void JobRequestTracker::OnRefused(JobRequestState* request,
                                  const Effect& effect) {
  absl::Status status = ServerError(effect);
  AttemptOutcome outcome;
  outcome.reason = FailureReason::kRefused;
  outcome.bytes_sent = true;
  if (MayBeStored(*request, effect)) {
    outcome.reason = FailureReason::kStoreFailed;
    status = absl::UnavailableError(absl::StrCat(
        status.message(), " (its persistent queue failed",
        request->call_options().run_at.has_value()
            ? "; some, such as redis and memcached, take no job with run_at"
            : "",
        "; the job may be stored there, and run after the server's next "
        "restart: outcome unknown)"));
  }
  outcome.permanent = !IsRetryable(status);
  outcome.status = std::move(status);
  DecideOnAttempt(request, std::move(outcome));
}

void JobRequestTracker::OnEnded(JobRequestState* request, Effect& effect) {
  std::string data;
  try {
    data = std::move(effect.data).TakeString();
  } catch (const std::bad_alloc&) {
    return OnNoMemory(request);
  }
  if (effect.kind == Effect::Kind::kCompleted) {
    request->result = std::move(data);
    request->has_result = true;
    if (request->call_options().callbacks.on_piece && !effect.in_pieces) {
      AddWhole(request, DataPiece::Kind::kResult,
               std::exchange(request->result, std::string()));
    }
    Finish(request, RequestInput::kComplete, absl::OkStatus());
    return;
  }
  AttemptOutcome outcome;
  std::optional<std::string> exception;
  if (effect.kind == Effect::Kind::kException) {
    exception = std::move(data);
  } else if (request->extras != nullptr) {
    exception = std::exchange(request->extras->failure_text, std::nullopt);
  }
  if (exception.has_value()) {
    outcome.reason = FailureReason::kException;
    outcome.status = absl::AbortedError(absl::StrCat(
        "the job with ", JobName(*request), " ended with an exception: ",
        SafeMessage(
            absl::string_view(*exception).substr(0, kMaxExceptionBytes))));
    request->MutableExtras().exception = std::move(exception);
  } else {
    outcome.reason = FailureReason::kJobFailed;
    // Perhaps no worker failed it. A server also sends WORK_FAIL when its
    // retries are used up, or when a job is dropped from its queue.
    outcome.status = absl::AbortedError(
        absl::StrCat("the job failed (", JobName(*request), ")"));
  }
  outcome.bytes_sent = true;
  DecideOnAttempt(request, std::move(outcome));
}

}  // namespace internal
}  // namespace gearman
