#include "gearman/sdk/internal/worker/held_job.h"

#include <exception>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/job_context.h"

namespace gearman {
namespace internal {
namespace {

// Mark the statuses of JobFailed and JobException.
constexpr absl::string_view kFailedPayload = "gearman/job_failed";
constexpr absl::string_view kExceptionPayload = "gearman/job_exception";

// Calls user code, from which anything may be thrown.
template <typename Function>
absl::Status Guarded(const Function& function) {
  try {
    function();
  } catch (const std::exception& exception) {
    return JobException(exception.what());
  } catch (...) {
    return JobException("unknown exception");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CallHandler(const HeldJobPtr& job) {
  absl::StatusOr<std::string> result = std::string();
  absl::Status thrown = Guarded([&job, &result] {
    JobContext context(job);
    result = job->task->handler(context);
  });
  if (!thrown.ok()) return thrown;
  return result;
}

absl::Status CallAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  job->dropped = false;
  job->calling.store(std::this_thread::get_id(), std::memory_order_release);
  absl::Status thrown =
      Guarded([&job] { job->task->async_handler(PendingJob(job)); });
  job->calling.store(std::thread::id(), std::memory_order_release);
  *forgotten = thrown.ok() && job->dropped;
  return *forgotten ? JobFailed("the handler dropped its pending job") : thrown;
}

bool DroppedInHandler(HeldJob* job) {
  if (job->calling.load(std::memory_order_acquire) !=
      std::this_thread::get_id()) {
    return false;
  }
  job->dropped = true;
  return true;
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
