// The part of JobRetryCore that submits failed jobs.
#include <string>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/client/random_unique.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry/retry_core.h"
#include "gearman/sdk/job_retry/retry_envelope.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// A submission ends by its time limit, and not by the number of its attempts.
constexpr int kMostSubmissions = 1000000;

// Whether no server would take this submission at any time.
bool IsRefusedForGood(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnimplemented ||
         status.code() == absl::StatusCode::kInvalidArgument;
}

const Job& WireJob(const PendingJob& job) { return Access::HeldOf(job)->job; }

// Returns the bytes of the first submission. Bytes that can't be opened stay as
// they are.
OpenedJob OpenOrTake(const Job& job) {
  absl::StatusOr<OpenedJob> opened = OpenJob(job);
  if (opened.ok()) return *std::move(opened);
  OpenedJob taken;
  taken.data = job.data();
  taken.unique = job.unique();
  return taken;
}

}  // namespace

void JobRetryCore::SubmitAgain(const std::shared_ptr<RetriedTask>& task,
                               PendingJob job, int attempt, absl::Status error,
                               absl::Duration delay) {
  const Job& wire_job = WireJob(job);
  const OpenedJob opened = OpenOrTake(wire_job);
  auto submission = std::make_shared<Submission>();
  submission->task = task;
  submission->error = std::move(error);
  submission->attempt = attempt;
  submission->server = wire_job.connection();
  submission->to_task = wire_job.task();
  submission->unique = UniqueOfAttempt(BaseOf(opened.unique), attempt + 1);
  absl::StatusOr<std::string> bytes = WrapAttempt(opened, attempt + 1);
  if (!bytes.ok()) {
    return OnRefusedForGood(*submission, std::move(job), bytes.status());
  }
  std::optional<absl::Time> run_at;
  if (delay > absl::ZeroDuration()) {
    run_at = clock_->WallNow() + delay;
  }
  submission->job = std::move(job);
  Submit(submission, *std::move(bytes), run_at);
}

void JobRetryCore::GiveUp(const std::shared_ptr<RetriedTask>& task,
                          PendingJob job, int attempt, absl::Status error) {
  const Job& wire_job = WireJob(job);
  auto submission = std::make_shared<Submission>();
  submission->kind = Submission::Kind::kDeadLetter;
  submission->task = task;
  submission->error = std::move(error);
  submission->attempt = attempt;
  submission->server = wire_job.connection();
  submission->to_task = task->policy.dead_letter_task;
  if (submission->to_task.empty()) {
    Count(&given_up_);
    logger_.Log(LogLevel::kWarning, Story(*submission, wire_job),
                "; it is not tried again");
    return job.Finish(std::move(submission->error));
  }
  const OpenedJob opened = OpenOrTake(wire_job);
  submission->unique = UniqueOfAttempt(BaseOf(opened.unique), /*attempt=*/0);
  absl::StatusOr<std::string> bytes =
      WrapDeadLetter(opened, attempt, wire_job.task(), submission->error);
  if (!bytes.ok()) {
    return OnRefusedForGood(*submission, std::move(job), bytes.status());
  }
  submission->job = std::move(job);
  Submit(submission, *std::move(bytes), std::nullopt);
}

void JobRetryCore::Submit(const SubmissionPtr& submission, std::string bytes,
                          std::optional<absl::Time> run_at) {
  // Uniques of two servers, or of a job that was given out twice, may be equal.
  while (!book_->Add(submission)) {
    submission->unique = UniqueOfAttempt(
        RandomUnique(), submission->kind == Submission::Kind::kDeadLetter
                            ? 0
                            : submission->attempt + 1);
  }
  const absl::Status known = KnowServer(submission->server);
  if (!known.ok()) return Settle(submission, known);
  JobSpec spec(submission->to_task, std::move(bytes));
  spec.background = true;
  spec.options.unique = submission->unique;
  spec.options.run_at = run_at;
  spec.options.timeout = submit_limit_;
  spec.options.max_connection_attempts = kMostSubmissions;
  // The server joins a repetition to the job that it has.
  spec.options.idempotent = true;
  // The handler's thread must not wait for room.
  spec.options.when_full = WhenFull::kFail;
  // From here on the job belongs to the client's thread, which may end it.
  const StopToken token = submission->job.stop_token();
  const JobRequest request = client_->SubmitJob(std::move(spec));
  if (request.finished()) {
    // A client that is being destroyed, or inherited, tells no interceptor.
    return Settle(submission, request.status());
  }
  // A lost job is let go at once, because it keeps its handler, and thereby
  // this object. The client may not come to do so: nobody drives it any more.
  token.OnStop([token, request, submission, weak = weak_from_this()] {
    if (!IsLost(token.reason())) return;
    const std::shared_ptr<JobRetryCore> core = weak.lock();
    if (core != nullptr) {
      core->Settle(submission, absl::CancelledError("the job is lost"));
    }
    request.Cancel();
  });
}

void JobRetryCore::Settle(const SubmissionPtr& submission,
                          const absl::Status& status) {
  if (!book_->Remove(*submission)) return;
  PendingJob job = std::move(submission->job);
  if (status.ok()) return OnAccepted(*submission, std::move(job));
  if (IsRefusedForGood(status)) {
    return OnRefusedForGood(*submission, std::move(job), status);
  }
  if (!IsLost(job.stop_token().reason())) {
    Count(&given_back_);
    logger_.Log(LogLevel::kWarning, Story(*submission, WireJob(job)),
                "; it is given back to the server, because it could not be "
                "submitted to task \"",
                SafeText(submission->to_task), "\": ", status.message());
  }
  job.GiveBack();
}

void JobRetryCore::OnAccepted(const Submission& submission, PendingJob job) {
  const bool dead = submission.kind == Submission::Kind::kDeadLetter;
  Count(dead ? &dead_letters_ : &submitted_again_);
  logger_.Log(dead ? LogLevel::kWarning : LogLevel::kInfo,
              Story(submission, WireJob(job)), "; submitted to task \"",
              SafeText(submission.to_task), "\" with the unique \"",
              SafeText(submission.unique), "\"");
  job.Finish(submission.error);
}

void JobRetryCore::OnRefusedForGood(const Submission& submission,
                                    PendingJob job,
                                    const absl::Status& status) {
  const Job& wire_job = WireJob(job);
  const std::string story = Story(submission, wire_job);
  logger_.Log(LogLevel::kError, story, "; it can't be submitted to task \"",
              SafeText(submission.to_task), "\": ", status.message());
  if (submission.kind == Submission::Kind::kDeadLetter) {
    Count(&given_up_);
    return job.Finish(submission.error);
  }
  const std::string why =
      status.code() == absl::StatusCode::kUnimplemented
          ? absl::StrCat(submission.server,
                         " knows no delayed jobs (SUBMIT_JOB_EPOCH), which "
                         "retries need: use RetryPlace::kWorker with it")
          : absl::StrCat("it can't be submitted again: ", status.message());
  absl::Status error = absl::FailedPreconditionError(
      absl::StrCat(SafeTextOf(submission.error), " (attempt ",
                   submission.attempt, "; not tried again: ", why, ")"));
  GiveUp(submission.task, std::move(job), submission.attempt, std::move(error));
}

// --- small things ------------------------------------------------------------

absl::Status JobRetryCore::KnowServer(const std::string& server) {
  {
    absl::MutexLock lock(&mutex_);
    if (servers_.contains(server)) return absl::OkStatus();
  }
  const absl::Status added = client_->AddServer(server);
  if (!added.ok() && added.code() != absl::StatusCode::kAlreadyExists) {
    return added;
  }
  absl::MutexLock lock(&mutex_);
  servers_.insert(server);
  return absl::OkStatus();
}

std::string JobRetryCore::BaseOf(const std::string& unique) {
  // "-" says that equal payloads are one job.
  return unique.empty() || unique == "-" ? RandomUnique() : unique;
}

std::string JobRetryCore::RandomUnique() {
  std::string unique(kRandomUniqueSize, ' ');
  absl::MutexLock lock(&mutex_);
  WriteHexUnique(absl::MakeUint128(random_(), random_()), &unique[0]);
  return unique;
}

std::string JobRetryCore::Story(const Submission& submission, const Job& job) {
  return absl::StrCat("job ", SafeText(job.handle()), " of task \"",
                      SafeText(job.task()), "\" at ", job.connection(),
                      ": attempt ", submission.attempt, " of ",
                      submission.task->policy.max_attempts,
                      " failed: ", SafeTextOf(submission.error));
}

}  // namespace internal
}  // namespace gearman
