// The part of WorkerJobs that answers jobs, and counts how they ended.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/failure_text.h"
#include "gearman/sdk/internal/job/error_answer.h"
#include "gearman/sdk/internal/worker/worker_jobs.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// The place of an outcome in the metrics and in the stats.
struct OutcomeCount {
  WorkOutcome outcome;
  WorkerCounters::Number number;
};

OutcomeCount CountOf(JobOutcome outcome) {
  switch (outcome) {
    case JobOutcome::kComplete:
      return {WorkOutcome::kComplete, &WorkerStats::jobs_complete};
    case JobOutcome::kFailed:
      return {WorkOutcome::kFailed, &WorkerStats::jobs_failed};
    case JobOutcome::kException:
      return {WorkOutcome::kException, &WorkerStats::jobs_exception};
    case JobOutcome::kTimedOut:
      return {WorkOutcome::kTimedOut, &WorkerStats::jobs_timed_out};
    case JobOutcome::kLost:
      break;
  }
  return {WorkOutcome::kLost, &WorkerStats::jobs_lost};
}

}  // namespace

void WorkerJobs::Answer(const HeldJobPtr& job,
                        absl::StatusOr<std::string>* result, bool forgotten,
                        absl::Time now) {
  if (job->state == HeldJob::State::kEnded) {
    if (forgotten) return;
    counters_->Add(&WorkerStats::late_results);
    if (job->task->metrics != nullptr) job->task->metrics->late_results.Add();
    options_.logger.Log(LogLevel::kDebug, "late result of job ",
                        SafeText(job->job.handle()), " dropped");
    return;
  }
  WorkerLink& link = *job->link;
  if (job->kept != nullptr) AddKept(job.get(), result);
  absl::Status status = result->status();
  if (status.ok()) {
    status = mailbox_->CheckResult(*job, (*result)->size());
  }
  JobOutcome outcome = JobOutcome::kComplete;
  if (status.ok()) {
    link.session->Complete(job->task.get(), job->job.handle(),
                           *std::move(*result), std::move(job->body));
  } else {
    SendError(job, status, &outcome);
  }
  servers_->Touch(link);
  if (forgotten) counters_->Add(&WorkerStats::jobs_forgotten);
  NoteUnsent(now);
  End(job, outcome, std::move(status), now);
}

void WorkerJobs::SendError(const HeldJobPtr& job, const absl::Status& status,
                           JobOutcome* outcome) {
  WorkerSession& session = *job->link->session;
  ErrorText error = AnswerOf(status);
  LogFailure(*job, error);
  if (error.answer != ErrorAnswer::kException || !options_.exceptions) {
    *outcome = JobOutcome::kFailed;
    session.Fail(job->task.get(), job->job.handle());
    return;
  }
  *outcome = JobOutcome::kException;
  // A text that is too long is cut. The session may put a mark in front of it.
  const size_t room = mailbox_->MaxPayload(*job);
  if (error.text.size() + kFailureMark.size() > room) {
    error.text.resize(room - std::min(room, kFailureMark.size()));
  }
  session.Exception(job->task.get(), job->job.handle(), std::move(error.text));
}

void WorkerJobs::LogFailure(const HeldJob& job, const ErrorText& error) const {
  // A handler that calls JobFailed expects the failure.
  const LogLevel level =
      error.answer == ErrorAnswer::kFail ? LogLevel::kInfo : LogLevel::kWarning;
  if (!options_.logger.enabled(level)) return;
  // In quotes, so that all failures of a task are messages of one kind, of
  // which the default logger shows few. The text has no such quotes itself.
  options_.logger.Log(
      level, "job ", SafeText(job.job.handle()), " of task \"",
      SafeText(job.task->name), "\" failed: ",
      error.is_payload
          ? absl::StrCat("an exception of ", error.text.size(), " bytes")
          : absl::StrCat(
                "\"",
                absl::StrReplaceAll(SafeMessage(error.text), {{"\"", "'"}}),
                "\""));
}

void WorkerJobs::End(const HeldJobPtr& job, JobOutcome outcome,
                     absl::Status status, absl::Time now) {
  if (job->held_back) {
    TakeHeldBack(job.get());
  } else if (job->state == HeldJob::State::kWaiting && pool_ == nullptr) {
    Unqueue(job.get());
  }
  job->state = HeldJob::State::kEnded;
  job->ended.store(true, std::memory_order_release);
  held_bytes_ -= job->job.data().size();
  ShareBytes();
  if (job->kept != nullptr) DropKept(job.get());
  CountMayPend(job.get(), false);
  if (job->pending) {
    job->pending = false;
    --pending_;
  }
  timers_.Remove(std::exchange(job->timer, absl::InfiniteFuture()), job.get());
  job->link = nullptr;
  job->ListLink<OfLinkTag>::Unlink();
  job->self = nullptr;
  LeaveGate(job.get());
  const OutcomeCount count = CountOf(outcome);
  counters_->Add(count.number);
  if (job->task->metrics != nullptr) {
    job->task->metrics->Processed(count.outcome, now - job->assigned);
  }
  job->stop.End();
  if (job->hooks != nullptr) {
    job->hooks->ended = now;
    job->hooks->outcome = OutcomeName(count.outcome);
    job->hooks->status = status;
    if (job->hooks->returned != absl::InfinitePast()) {
      ended_spans_.push_back(job);
    }
  }
  if (options_.reports) {
    reports_.push_back({job, outcome, std::move(status),
                        job->started == absl::InfinitePast()
                            ? absl::ZeroDuration()
                            : now - job->started});
  }
}

}  // namespace internal
}  // namespace gearman
