// Exit codes: what a script learns of a run.
#ifndef GEARMAN_TOOLS_GEARCTL_EXIT_CODE_H_
#define GEARMAN_TOOLS_GEARCTL_EXIT_CODE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {
namespace gearctl {

enum ExitCode : int {
  kSuccess = 0,
  kJobFailed = 1,
  kUsage = 2,
  kUnreachable = 3,
  kTimedOut = 4,
  kNotFound = 5,
  kOtherError = 6,
  kInterrupted = 130,
  // What a shell makes of the signal that ends the program then.
  kClosedOutput = 141
};

struct ExitCodeMeaning {
  ExitCode code;
  absl::string_view meaning;
};
// All of them, for help and the man page.
absl::Span<const ExitCodeMeaning> ExitCodes();

// The code that tells of `status`.
ExitCode ExitCodeOf(const absl::Status& status);
// The same, after saying on standard error what went wrong.
ExitCode Report(const absl::Status& status);
// Says on standard error what is odd, and no failure.
void ReportWarning(absl::string_view warning);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_EXIT_CODE_H_
