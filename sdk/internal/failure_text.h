// FailureText is the text of a job's failure when it does not travel in a
// WORK_EXCEPTION.
//
// For a client that has not asked for exceptions, gearmand turns a
// WORK_EXCEPTION into a WORK_FAIL and spoils its handle. Libgearman's and
// Perl's clients then do not recognize the job. Instead, a WORK_WARNING that
// begins with kFailureMark and a WORK_FAIL after it end the job for every
// client. The worker writes the warning. A client of this SDK takes it for the
// text of the failure. Other clients show it as a warning (docs/guide/interop.md).
#ifndef GEARMAN_SDK_INTERNAL_FAILURE_TEXT_H_
#define GEARMAN_SDK_INTERNAL_FAILURE_TEXT_H_

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// All bytes after this mark are the text.
inline constexpr absl::string_view kFailureMark = "gearman exception: ";

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_FAILURE_TEXT_H_
