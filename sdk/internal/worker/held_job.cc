#include "gearman/sdk/internal/worker/held_job.h"

#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/job_context.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// These payloads mark the statuses of JobFailed and JobException.
constexpr absl::string_view kFailedPayload = "gearman/job_failed";
constexpr absl::string_view kExceptionPayload = "gearman/job_exception";

// The plain functions are for jobs without observers and interceptors, the
// hooked ones for jobs with them.
absl::StatusOr<std::string> CallPlainHandler(const HeldJobPtr& job) {
  absl::StatusOr<std::string> result = std::string();
  absl::Status thrown = GuardedCall(
      [&job, &result] {
        JobContext context(job);
        result = job->task->handler(context);
      },
      JobException);
  if (!thrown.ok()) return thrown;
  return result;
}

absl::StatusOr<std::string> CallHookedHandler(const HeldJobPtr& job) {
  std::optional<absl::StatusOr<std::string>> answer = BeginHooks(job.get());
  absl::StatusOr<std::string> result =
      answer.has_value() ? *std::move(answer) : CallPlainHandler(job);
  RunEndHooks(job.get(), &result);
  return result;
}

absl::Status CallPlainAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  job->dropped = false;
  job->calling.store(std::this_thread::get_id(), std::memory_order_release);
  absl::Status thrown = GuardedCall(
      [&job] { job->task->async_handler(PendingJob(job)); }, JobException);
  job->calling.store(std::thread::id(), std::memory_order_release);
  *forgotten = thrown.ok() && job->dropped;
  return *forgotten ? JobFailed("the handler dropped its pending job") : thrown;
}

absl::Status CallHookedAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  std::optional<absl::StatusOr<std::string>> answer = BeginHooks(job.get());
  if (answer.has_value()) {
    PendingJob(job).Finish(*std::move(answer));
    return absl::OkStatus();
  }
  absl::Status status = CallPlainAsyncHandler(job, forgotten);
  if (status.ok()) return status;
  absl::StatusOr<std::string> result = std::move(status);
  RunEndHooks(job.get(), &result);
  if (!result.ok()) return result.status();
  // An interceptor has replaced the error by a result.
  *forgotten = false;
  PendingJob(job).Finish(std::move(result));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CallHandler(const HeldJobPtr& job) {
  return job->hooks == nullptr ? CallPlainHandler(job) : CallHookedHandler(job);
}

absl::Status CallAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  return job->hooks == nullptr ? CallPlainAsyncHandler(job, forgotten)
                               : CallHookedAsyncHandler(job, forgotten);
}

bool DroppedInHandler(HeldJob* job) {
  if (job->calling.load(std::memory_order_acquire) !=
      std::this_thread::get_id()) {
    return false;
  }
  job->dropped = true;
  return true;
}

absl::Status NoWarnings(const HeldJob& job) {
  return absl::UnimplementedError(
      absl::StrCat(job.job.connection(), " knows no WORK_WARNING: that of job ",
                   SafeText(job.job.handle()), " is told nobody"));
}

ErrorText AnswerOf(const absl::Status& error) {
  if (error.GetPayload(kFailedPayload).has_value()) {
    return {ErrorAnswer::kFail, std::string(error.message())};
  }
  if (error.GetPayload(kExceptionPayload).has_value()) {
    return {ErrorAnswer::kException, std::string(error.message())};
  }
  return {ErrorAnswer::kException,
          error.ToString(absl::StatusToStringMode::kWithNoExtraData)};
}

}  // namespace internal

absl::Status JobFailed(absl::string_view why) {
  absl::Status status = absl::AbortedError(why);
  status.SetPayload(internal::kFailedPayload, absl::Cord());
  return status;
}

absl::Status JobException(absl::string_view bytes) {
  absl::Status status = absl::UnknownError(bytes);
  status.SetPayload(internal::kExceptionPayload, absl::Cord());
  return status;
}

}  // namespace gearman
