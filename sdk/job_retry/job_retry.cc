#include "gearman/sdk/job_retry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/job_retry/retry_core.h"
#include "gearman/text/safe_text.h"

namespace gearman {

using internal::JobRetryCore;
using internal::RetriedTask;

namespace {

constexpr int kMostAttempts = 1000000;

}  // namespace

bool MayPass(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kDataLoss:
      return false;
    default:
      return true;
  }
}

absl::StatusOr<std::unique_ptr<JobRetry>> JobRetry::Create(
    JobRetryOptions options) {
  absl::StatusOr<std::shared_ptr<JobRetryCore>> core =
      JobRetryCore::Create(std::move(options));
  if (!core.ok()) return core.status();
  return std::unique_ptr<JobRetry>(new JobRetry(*std::move(core)));
}

JobRetry::JobRetry(std::shared_ptr<JobRetryCore> core)
    : core_(std::move(core)) {}

JobRetry::~JobRetry() = default;

absl::Status JobRetry::Register(Worker& worker, StringView task,
                                Handler handler, JobRetryPolicy policy,
                                TaskOptions options) {
  if (core_->inherited()) return InheritedError("JobRetry");
  if (policy.max_attempts < 1 || policy.max_attempts > kMostAttempts) {
    return absl::InvalidArgumentError(absl::StrCat(
        "task \"", SafeText(task), "\": JobRetryPolicy::max_attempts is ",
        policy.max_attempts, ": it must be from 1 to ", kMostAttempts));
  }
  const std::string& letters = policy.dead_letter_task;
  absl::Status listable = CheckListable("the dead-letter task", letters);
  if (!listable.ok()) return listable;
  if (letters == task) {
    return absl::InvalidArgumentError(absl::StrCat(
        "task \"", SafeText(task),
        "\" is its own dead-letter task: its jobs would never end"));
  }
  if (options.time_limit != absl::InfiniteDuration() &&
      options.when_late != WhenLate::kWait) {
    return absl::InvalidArgumentError(absl::StrCat(
        "task \"", SafeText(task),
        "\" has a time limit without WhenLate::kWait: the worker would answer "
        "a late job, which ends it, before it could be tried again"));
  }
  for (const std::string& server : worker.servers()) {
    absl::Status known = core_->KnowServer(server);
    if (!known.ok()) return known;
  }
  Worker::AsyncHandler begin;
  if (handler) {
    begin = [core = core_, retried = std::make_shared<RetriedTask>(RetriedTask{
                               std::move(handler), std::move(policy)})](
                PendingJob job) { core->Do(retried, std::move(job)); };
  }
  return worker.RegisterAsync(task, std::move(begin), options);
}

absl::Status JobRetry::Register(Worker& worker, StringView task,
                                Worker::Handler handler, JobRetryPolicy policy,
                                TaskOptions options) {
  Handler with_attempt;
  if (handler) {
    with_attempt = [handler = std::move(handler)](JobContext& context,
                                                  const JobAttempt&) mutable {
      return handler(context);
    };
  }
  return Register(worker, task, std::move(with_attempt), std::move(policy),
                  options);
}

absl::Time JobRetry::RunOnce(absl::Time deadline) {
  if (core_->inherited()) return absl::InfiniteFuture();
  return core_->RunOnce(deadline);
}

JobRetryStats JobRetry::stats() const {
  if (core_->inherited()) return {};
  return core_->stats();
}

}  // namespace gearman
