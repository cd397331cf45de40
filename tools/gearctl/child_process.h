// ChildProcess: runs a command with a payload on its standard input.
#ifndef GEARMAN_TOOLS_GEARCTL_CHILD_PROCESS_H_
#define GEARMAN_TOOLS_GEARCTL_CHILD_PROCESS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {

struct ChildCommand {
  // A path, or a name that is looked up in PATH, and its arguments.
  std::vector<std::string> argv;
  // "NAME=value", beside this process's own environment.
  std::vector<std::string> environment;
};

// Runs it to its end: feeds `input` and hands each piece of its standard output
// to `on_output` at the same time, so neither waits for the other however large
// they are. Its standard error is this process's. It leads a process group of
// its own: a Ctrl-C at the terminal does not reach it.
//
// `stopped` is asked every 50 ms at least (a worker's stop token moves bytes
// when it is asked). Once it is true, or `on_output` fails, the group gets
// SIGTERM, and SIGKILL 5 s later.
//
// OK: exit code 0. ABORTED: another one, or a signal; the message tells.
// CANCELLED: stopped. NOT_FOUND, PERMISSION_DENIED, ...: it can't be started.
// Else what `on_output` said. Any thread; SIGPIPE must be ignored.
absl::Status RunChild(const ChildCommand& command, absl::string_view input,
                      const std::function<absl::Status(std::string)>& on_output,
                      const std::function<bool()>& stopped);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_CHILD_PROCESS_H_
