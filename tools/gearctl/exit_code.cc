#include "gearman/tools/gearctl/exit_code.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gearman/tools/gearctl/text.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {

absl::Span<const ExitCodeMeaning> ExitCodes() {
  static constexpr ExitCodeMeaning kMeanings[] = {
      {kSuccess, "all went well"},
      {kJobFailed, "a job failed or raised an exception"},
      {kUsage, "the command line or the config is wrong"},
      {kUnreachable,
       "a server can't be reached, isn't trusted, or hasn't taken an answer"},
      {kTimedOut, "--timeout passed"},
      {kNotFound, "there is no such job, task or file"},
      {kOtherError, "the server refused, or something broke"},
      {kInterrupted, "interrupted before the end"},
      {kClosedOutput, "nobody reads standard output any more"},
  };
  return kMeanings;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kSuccess;
    case absl::StatusCode::kAborted:
      return kJobFailed;
    case absl::StatusCode::kInvalidArgument:
      return kUsage;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnauthenticated:
      return kUnreachable;
    case absl::StatusCode::kDeadlineExceeded:
      return kTimedOut;
    case absl::StatusCode::kNotFound:
      return kNotFound;
    case absl::StatusCode::kCancelled:
      return kInterrupted;
    default:
      return kOtherError;
  }
}

ExitCode Report(const absl::Status& status) {
  if (!status.ok()) {
    // Each line is made safe, because a server or worker may have written it.
    std::vector<std::string> lines = absl::StrSplit(status.message(), '\n');
    for (std::string& line : lines) line = Printable(line);
    PrintError(absl::StrCat("gearctl: ", absl::StrJoin(lines, "\n"), "\n"));
  }
  return ExitCodeOf(status);
}

void ReportWarning(absl::string_view warning) {
  PrintError(absl::StrCat("gearctl: warning: ", Printable(warning), "\n"));
}

}  // namespace gearctl
}  // namespace gearman
