// Exit codes tell a script how a run ended.
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
  // A shell reports this code if SIGPIPE has ended the program: 128 + 13.
  kClosedOutput = 141
};

struct ExitCodeMeaning {
  ExitCode code;
  absl::string_view meaning;
};
// All codes, for help and the man page.
absl::Span<const ExitCodeMeaning> ExitCodes();

// Returns the code for `status`.
ExitCode ExitCodeOf(const absl::Status& status);
// Reports an error on standard error, and returns the code for `status`.
ExitCode Report(const absl::Status& status);
// Reports on standard error something odd that is no failure.
void ReportWarning(absl::string_view warning);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_EXIT_CODE_H_
