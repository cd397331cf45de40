#include "gearman/sdk/internal/job/error_answer.h"

#include "absl/strings/cord.h"

namespace gearman {
namespace internal {
namespace {

// These payloads mark the statuses of the two functions.
constexpr absl::string_view kFailedPayload = "gearman/job_failed";
constexpr absl::string_view kExceptionPayload = "gearman/job_exception";

}  // namespace

absl::Status FailedError(absl::string_view why) {
  absl::Status status = absl::AbortedError(why);
  status.SetPayload(kFailedPayload, absl::Cord());
  return status;
}

absl::Status ExceptionError(absl::string_view bytes) {
  absl::Status status = absl::UnknownError(bytes);
  status.SetPayload(kExceptionPayload, absl::Cord());
  return status;
}

ErrorText AnswerOf(const absl::Status& error) {
  if (error.GetPayload(kFailedPayload).has_value()) {
    return {ErrorAnswer::kFail, std::string(error.message())};
  }
  if (error.GetPayload(kExceptionPayload).has_value()) {
    return {ErrorAnswer::kException, std::string(error.message()),
            /*is_payload=*/true};
  }
  return {ErrorAnswer::kException,
          error.ToString(absl::StatusToStringMode::kWithNoExtraData)};
}

}  // namespace internal
}  // namespace gearman
