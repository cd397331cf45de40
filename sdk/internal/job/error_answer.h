// The error statuses with which a handler chooses its answer, and the answer
// for each error status.
#ifndef GEARMAN_SDK_INTERNAL_JOB_ERROR_ANSWER_H_
#define GEARMAN_SDK_INTERNAL_JOB_ERROR_ANSWER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// The functions JobFailed and JobException do this (sdk/job_context.h).
absl::Status FailedError(absl::string_view why);
absl::Status ExceptionError(absl::string_view bytes);

// The answer for a handler's error status.
enum class ErrorAnswer : unsigned char { kFail, kException };
struct ErrorText {
  ErrorAnswer answer;
  std::string text;
  // The text is the bytes of a JobException, which no log may have.
  bool is_payload = false;
};
ErrorText AnswerOf(const absl::Status& error);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_ERROR_ANSWER_H_
