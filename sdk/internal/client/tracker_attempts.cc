// The part of JobRequestTracker that handles failed attempts and time: it
// decides which requests are tried again, and ends those that are late.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/random/distributions.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/internal/client/attempt_verdict.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/request/tried_servers.h"
#include "gearman/sdk/status.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// True if the attempt's job may have been accepted, and its end is unknown.
bool InDoubt(const AttemptRecord& attempt) {
  switch (attempt.reason) {
    case FailureReason::kStoreFailed:
    case FailureReason::kLostAfterAcceptance:
      return true;
    case FailureReason::kLostBeforeAcceptance:
    case FailureReason::kTimedOut:
      return attempt.bytes_sent;
    case FailureReason::kConnect:
    case FailureReason::kRefused:
    case FailureReason::kJobFailed:
    case FailureReason::kException:
      break;
  }
  return false;
}

// True if the attempt may have left a job on its server that a later attempt
// joins. A WORK_FAIL may come from a cancellation, and gearmand keeps a
// cancelled job until it would have run or has ended.
bool MayLeaveJob(const AttemptRecord& attempt) {
  return InDoubt(attempt) || attempt.reason == FailureReason::kJobFailed;
}

// True if a server that does not know SUBMIT_REDUCE_JOB would have answered it
// like this: with an ERROR, or by closing the connection.
bool MayNotKnowReduceJobs(const JobRequestState& request,
                          const AttemptOutcome& outcome) {
  if (request.call_options().reducer.empty()) return false;
  return absl::IsUnimplemented(outcome.status) ||
         (outcome.reason == FailureReason::kLostBeforeAcceptance &&
          outcome.bytes_sent);
}

// Returns the message of an error without its server, where it begins with that
// as a transport's error does.
absl::string_view WithoutServer(absl::string_view message,
                                absl::string_view server) {
  absl::string_view rest = message;
  return absl::ConsumePrefix(&rest, server) && absl::ConsumePrefix(&rest, ": ")
             ? rest
             : message;
}

// Adds to the error of an attempt what may have happened to its job.
void Explain(const JobRequestState& request, absl::string_view server,
             AttemptOutcome* outcome) {
  const auto replace = [outcome](const std::string& message) {
    outcome->status = absl::Status(outcome->status.code(), message);
  };
  const absl::string_view reason =
      WithoutServer(outcome->status.message(), server);
  if (outcome->reason == FailureReason::kLostAfterAcceptance) {
    replace(absl::StrCat(
        server, ": lost after the server had accepted the job as \"",
        SafeText(request.handle.view()), "\", outcome unknown: ", reason));
  } else if (outcome->may_have_arrived() &&
             (outcome->reason == FailureReason::kLostBeforeAcceptance ||
              outcome->reason == FailureReason::kTimedOut)) {
    replace(absl::StrCat(
        server,
        ": lost before the server answered, outcome unknown: ", reason));
  }
  if (MayNotKnowReduceJobs(request, *outcome)) {
    replace(absl::StrCat(
        outcome->status.message(),
        "; perhaps the server does not know SUBMIT_REDUCE_JOB: submit the job "
        "without CallOptions::reducer there"));
  }
}

// Returns the code of a request whose attempts have failed, perhaps each in its
// own way.
absl::StatusCode CodeOf(const std::vector<AttemptRecord>& attempts) {
  const absl::StatusCode code = attempts.front().status.code();
  const bool all = std::all_of(attempts.begin(), attempts.end(),
                               [code](const AttemptRecord& attempt) {
                                 return attempt.status.code() == code;
                               });
  return all ? code : absl::StatusCode::kUnavailable;
}

bool AtOneServer(const std::vector<AttemptRecord>& attempts) {
  return std::all_of(attempts.begin(), attempts.end(),
                     [&attempts](const AttemptRecord& attempt) {
                       return attempt.server == attempts.front().server;
                     });
}

// Lists the failures with their servers, in order. Equal failures appear once,
// with their number. If all are equal, the message says the number elsewhere.
std::string Summary(const std::vector<AttemptRecord>& attempts) {
  struct Failure {
    std::string text;
    int times = 0;
  };
  std::vector<Failure> failures;
  absl::flat_hash_map<std::string, size_t> places;
  for (const AttemptRecord& attempt : attempts) {
    std::string text =
        absl::StrCat(attempt.server, ": ",
                     WithoutServer(attempt.status.message(), attempt.server));
    const auto place = places.try_emplace(text, failures.size());
    if (place.second) failures.push_back({std::move(text)});
    ++failures[place.first->second].times;
  }
  if (failures.size() == 1) {
    return absl::StrCat(failures.front().text, ", each time");
  }
  return absl::StrJoin(failures, "; ",
                       [](std::string* out, const Failure& failure) {
                         absl::StrAppend(out, failure.text);
                         if (failure.times > 1) {
                           absl::StrAppend(out, " (", failure.times, " times)");
                         }
                       });
}

}  // namespace

// --- failed attempts ---------------------------------------------------------

void JobRequestTracker::OnFailed(Operation* operation, AttemptOutcome outcome,
                                 absl::Time now) {
  now_ = now;
  if (operation->kind != Operation::Kind::kJob) {
    OnQueryFailed(static_cast<Query*>(operation), std::move(outcome));
  } else if (AsRequest(operation)->self != nullptr) {
    DecideOnAttempt(AsRequest(operation), std::move(outcome));
  }
}

AttemptVerdict JobRequestTracker::Judge(const JobRequestState& request,
                                        const AttemptOutcome& outcome) {
  AttemptFailure failure;
  failure.attempt = request.attempts;
  failure.max_attempts = request.resolved_max_attempts;
  failure.reason = outcome.reason;
  failure.bytes_sent = outcome.may_have_arrived();
  failure.timed_out = outcome.timed_out;
  failure.idempotent = request.idempotent;
  failure.has_explicit_unique = request.explicit_unique;
  failure.elapsed = request.Elapsed(now_);
  failure.servers = servers_;
  failure.refused_everywhere =
      IsRefusal(outcome.reason) &&
      (request.extras->pinned || request.extras->refusals >= servers_);
  if (options_.random != nullptr) {
    failure.random = absl::Uniform(*options_.random, 0.0, 1.0);
  }
  failure.server = request.server->name;
  failure.task = request.task;
  failure.status = &outcome.status;
  AttemptPolicies policies;
  policies.idempotency = options_.idempotency_policy != nullptr
                             ? options_.idempotency_policy
                             : &strict_idempotency_;
  policies.retry = PolicyFor(request);
  policies.backoff = options_.backoff_policy;
  policies.logger = options_.logger;
  return JudgeAttempt(failure, policies, outcome.permanent,
                      request.deadline - now_);
}

void JobRequestTracker::DecideOnAttempt(JobRequestState* request,
                                        AttemptOutcome outcome) {
  StatusFacts facts = FactsNow(*request);
  facts.bytes_sent = outcome.bytes_sent;
  Explain(*request, facts.server, &outcome);
  RecordAttempt(request, outcome, facts.server);
  const bool used_up = request->body_used_up();
  outcome.permanent = outcome.permanent || used_up;
  AttemptVerdict verdict = Judge(*request, outcome);
  if (used_up) {
    verdict.why = "not repeated, as the source of its data can't be read again";
  }
  if (options_.metrics != nullptr && verdict.budget_exhausted) {
    options_.metrics->retry_budget_exhausted.Add();
  }
  if (verdict.again) {
    TryAgain(request, outcome.reason, verdict);
  } else if (verdict.late) {
    OnLate(request, now_);
  } else {
    GiveUp(request, outcome, std::move(facts), verdict.why);
  }
}

void JobRequestTracker::RecordAttempt(JobRequestState* request,
                                      const AttemptOutcome& outcome,
                                      const std::string& server) {
  AttemptRecord record;
  record.attempt = request->attempts;
  record.server = server;
  record.reason = outcome.reason;
  record.bytes_sent = outcome.may_have_arrived();
  record.time = now_;
  record.status = outcome.status;
  JobRequestExtras& extras = request->MutableExtras();
  if (IsRefusal(outcome.reason)) {
    const bool again = !extras.attempts.empty() &&
                       extras.attempts.back().server == server &&
                       IsRefusal(extras.attempts.back().reason);
    if (!again) ++extras.refusals;
  }
  if (extras.tried == nullptr) extras.tried = std::make_unique<TriedServers>();
  extras.tried->Add(server, outcome.reason);
  extras.attempts.push_back(std::move(record));
  if (extras.hooks != nullptr) {
    EndRetry(request, outcome.status, FailureReasonName(outcome.reason));
  }
}

void JobRequestTracker::TryAgain(JobRequestState* request, FailureReason reason,
                                 const AttemptVerdict& verdict) {
  if (options_.metrics != nullptr) {
    options_.metrics->Retried(RetriedOperation::kSubmit, reason);
  }
  JobRequestExtras& extras = request->MutableExtras();
  // A pinned request stays pinned: the job may be on that server, whatever
  // later attempts did.
  if (!extras.pinned) {
    extras.next_server = verdict.same_server ? request->server : nullptr;
    extras.pinned = verdict.pinned;
  }
  if (MayLeaveJob(extras.attempts.back())) request->may_have_joined = true;
  Retry(request, verdict.delay);
}

void JobRequestTracker::GiveUp(JobRequestState* request,
                               const AttemptOutcome& outcome, StatusFacts facts,
                               absl::string_view why) {
  const JobRequestExtras& extras = *request->extras;
  if (outcome.reason == FailureReason::kJobFailed ||
      outcome.reason == FailureReason::kException) {
    facts.failed = true;
    if (extras.exception.has_value()) {
      facts.exception = extras.exception->substr(0, kMaxExceptionBytes);
    }
    Finish(request, RequestInput::kFail, Annotate(outcome.status, facts));
    return;
  }
  const bool refused =
      outcome.reason == FailureReason::kRefused &&
      !std::any_of(extras.attempts.begin(), extras.attempts.end(), InDoubt);
  std::string message(outcome.status.message());
  absl::StatusCode code = outcome.status.code();
  if (extras.attempts.size() > 1) {
    if (!refused) code = CodeOf(extras.attempts);
    message = Summary(extras.attempts);
    if (!AtOneServer(extras.attempts)) facts.server.clear();
    facts.handle.clear();
  }
  Finish(request, refused ? RequestInput::kRefused : RequestInput::kGiveUp,
         Annotate(absl::Status(code, absl::StrCat(message, " (", why, ")")),
                  facts));
}

void JobRequestTracker::OnTooLarge(JobRequestState* request,
                                   const wire::TooLargePacket& packet) {
  const bool ended = packet.info->command == wire::Command::kWorkComplete ||
                     packet.info->command == wire::Command::kWorkException;
  // A retry would run the job again and produce as large a result.
  Finish(request, RequestInput::kGiveUp,
         Annotate(absl::ResourceExhaustedError(absl::StrCat(
                      packet.Describe(), " and was skipped; the job with ",
                      "handle \"", SafeText(request->handle.view()),
                      ended ? "\" has ended" : "\" goes on")),
                  FactsNow(*request)));
}

void JobRequestTracker::Retry(JobRequestState* request, absl::Duration delay) {
  request->state = NextState(request->state, RequestInput::kRetry)
                       .value_or(JobState::kPending);
  request->handle.Clear();
  // This exception is that of the attempt before.
  if (request->extras != nullptr) request->extras->exception.reset();
  if (delay <= absl::ZeroDuration()) {
    SetTimer(request, request->deadline);
    Dispatch(request);
    return;
  }
  request->MutableExtras().retry_at = now_ + delay;
  SetTimer(request, std::min(now_ + delay, request->deadline));
}

// --- jobs that are dropped without a word ------------------------------------

void JobRequestTracker::AskLater(JobRequestState* request) {
  // A server joins nothing to a job without a unique.
  if (!request->may_have_joined || request->unique.empty()) return;
  SetTimer(request,
           std::min(now_ + options_.question_interval, request->deadline));
}

void JobRequestTracker::HandOnQuestions(JobRequestState* request) {
  if (!request->may_have_joined) return;
  Operation* const neighbour =
      request->behind ? request->previous_shared : request->next_shared;
  if (neighbour == nullptr) return;
  JobRequestState* const other = AsRequest(neighbour);
  if (other->may_have_joined) return;
  other->may_have_joined = true;
  if (other->state == JobState::kCreated) AskLater(other);
}

void JobRequestTracker::OnDropped(JobRequestState* request) {
  // The job may have run: its end may have been told to others only.
  AttemptOutcome outcome;
  outcome.reason = FailureReason::kLostAfterAcceptance;
  outcome.bytes_sent = true;
  outcome.status = absl::UnavailableError(
      "the server says that it does not have the job any more, and sent no "
      "result: the submission had joined a job that was left behind or "
      "cancelled, and the server has dropped it; submit the job again if it "
      "may "
      "run twice");
  DecideOnAttempt(request, std::move(outcome));
}

// --- ends that no server has told --------------------------------------------

StatusFacts JobRequestTracker::FactsNow(const JobRequestState& request) {
  StatusFacts facts;
  facts.operation = "submit";
  facts.task = request.task;
  facts.server = request.server_name();
  facts.handle = std::string(request.handle.view());
  facts.attempt = request.attempts;
  facts.max_attempts = request.resolved_max_attempts;
  return facts;
}

void JobRequestTracker::GiveUpAll(const absl::Status& status, absl::Time now) {
  for (Operation* const operation : to_dispatch_) {
    if (operation == nullptr || operation->kind == Operation::Kind::kJob) {
      continue;
    }
    Withdraw(operation);
    Finish(static_cast<Query*>(operation), status);
  }
  while (first_in_flight_ != nullptr) {
    JobRequestState* const request = first_in_flight_;
    // A submission that is on its way may still arrive.
    const bool goes_on =
        request->state == JobState::kCreated || request->session != nullptr;
    const std::string message =
        absl::StrCat(status.message(), ": ", JobName(*request),
                     goes_on ? "; the job itself may go on" : "");
    GiveUp(request,
           Annotate(absl::Status(status.code(), message), FactsNow(*request)),
           now);
  }
}

void JobRequestTracker::OnLate(JobRequestState* request, absl::Time now) {
  now_ = now;
  if (request->self == nullptr) return;
  request->late = true;
  const bool accepted = request->state == JobState::kCreated;
  std::string message = absl::StrCat(
      accepted ? "accepted, but no result" : "not accepted by any server",
      " within ", absl::FormatDuration(request->Elapsed(request->deadline)),
      ": ", JobName(*request));
  if (accepted) {
    absl::StrAppend(&message, "; the job itself may go on");
  } else if (request->session != nullptr) {
    absl::StrAppend(&message, "; it is on its way there and may still run");
  }
  StatusFacts facts = FactsNow(*request);
  if (request->extras != nullptr && !request->extras->attempts.empty()) {
    absl::StrAppend(&message,
                    "; failed before: ", Summary(request->extras->attempts));
    // The request waits for a retry, perhaps on another server.
    if (request->session == nullptr) {
      facts.server.clear();
      facts.handle.clear();
    }
  }
  Finish(request, RequestInput::kGiveUp,
         Annotate(absl::DeadlineExceededError(message), facts));
}

// --- time --------------------------------------------------------------------

void JobRequestTracker::OnTime(absl::Time now) {
  now_ = now;
  while (JobRequestState* request = timers_.Pop(now)) {
    request->timer = absl::InfiniteFuture();
    if (request->deadline <= now) {
      OnLate(request, now);
      continue;
    }
    SetTimer(request, request->deadline);
    if (request->extras != nullptr && request->extras->retry_at <= now) {
      request->extras->retry_at = absl::InfiniteFuture();
      Dispatch(request);
    } else if (request->may_have_joined &&
               request->state == JobState::kCreated) {
      questions_.push_back(
          {request->session, std::string(request->handle.view())});
      AskLater(request);
    }
  }
}

}  // namespace internal
}  // namespace gearman
