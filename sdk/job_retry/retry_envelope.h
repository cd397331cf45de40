// The bytes of a job that is submitted again, and of a dead letter: an envelope
// (docs/guide/encoding.md) with headers of JobRetry's own around the bytes of the
// first submission. docs/guide/retry.md has them.
#ifndef GEARMAN_SDK_JOB_RETRY_RETRY_ENVELOPE_H_
#define GEARMAN_SDK_JOB_RETRY_RETRY_ENVELOPE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"
#include "gearman/sdk/job.h"

namespace gearman {
namespace internal {

// The bytes of the first submission, and the attempt that came with them.
struct OpenedJob {
  absl::string_view data;  // a view of the job's data
  int attempt = 1;
  std::string unique;  // of the first submission
};

// Opens a job that may have come in an envelope of JobRetry. Other bytes, also
// those in an envelope of somebody else, are a first attempt as they are.
// Returns an error for bytes that begin as an envelope does and are none.
absl::StatusOr<OpenedJob> OpenJob(const Job& job);

// Returns the text of a handler's error, at most 1,024 bytes and never empty.
std::string TextOfError(const absl::Status& error);

// Returns the bytes of the next attempt.
absl::StatusOr<std::string> WrapAttempt(const OpenedJob& opened, int attempt);
// Returns the bytes of a dead letter of this task.
absl::StatusOr<std::string> WrapDeadLetter(const OpenedJob& opened,
                                           int attempts, absl::string_view task,
                                           const absl::Status& error);

// Returns the unique of an attempt, or with attempt 0 of the dead letter. It
// has at most 63 bytes and no NUL: else it has a hash in the place of `unique`,
// which must not be empty.
std::string UniqueOfAttempt(absl::string_view unique, int attempt);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_RETRY_RETRY_ENVELOPE_H_
