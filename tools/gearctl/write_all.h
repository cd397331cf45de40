// WriteAll and PrintError write to a stream that may be full for long: a pipe
// that nobody reads, or a terminal that was stopped.
//
// While they wait for room, SIGINT, SIGTERM and SIGHUP do what they do by
// default, which is to end the program, even if Signals holds them back. A
// program that waits for its reader can't do anything else about them. Any
// thread.
#ifndef GEARMAN_TOOLS_GEARCTL_WRITE_ALL_H_
#define GEARMAN_TOOLS_GEARCTL_WRITE_ALL_H_

#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {

// Writes all bytes. Returns the errno of the write that failed, or 0.
int WriteAll(int descriptor, absl::string_view bytes);

// Writes `text` to standard error. An error is ignored, because there is no
// other place to report it.
void PrintError(absl::string_view text);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_WRITE_ALL_H_
