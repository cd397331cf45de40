// gearctl submit --lines submits a job for each line of the input.
#ifndef GEARMAN_TOOLS_GEARCTL_SUBMIT_LINES_H_
#define GEARMAN_TOOLS_GEARCTL_SUBMIT_LINES_H_

#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/exit_code.h"
#include "gearman/tools/gearctl/input.h"

namespace gearman {
namespace gearctl {

// Submits a job like `pattern` for each line of `input`. Prints the results in
// the order of the lines, each on one line: the last line feed of a result is
// the end of its line. A result with another line feed is refused: its line is
// empty, and the failure is reported. With --null the same holds for NULs. Call
// it on the main thread, before others are started. Returns the code of the
// first failure.
ExitCode SubmitLines(Client& client, const JobSpec& pattern, Input& input);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SUBMIT_LINES_H_
