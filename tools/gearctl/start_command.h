// StartCommand starts a process that does not outlive this one.
#ifndef GEARMAN_TOOLS_GEARCTL_START_COMMAND_H_
#define GEARMAN_TOOLS_GEARCTL_START_COMMAND_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace gearman {
namespace gearctl {

struct ChildCommand {
  // A path, or a name that is looked up in PATH, and its arguments.
  std::vector<std::string> argv;
  // "NAME=value" variables, beside those of this process that have other names.
  std::vector<std::string> environment;
};

// Starts `command` in its own process group. `in` and `out` become its standard
// input and output; it shares this process's standard error. No signal is
// blocked or caught. A script without "#!" is run by /bin/sh, as in a shell.
// Returns 0, or the error number with which the system refused. Before the
// command begins, the process adds itself to `guard` (CommandGuard::descriptor;
// -1: none). SIGPIPE must be ignored.
//
// The kernel kills the command when the calling thread ends, in whatever way
// (PR_SET_PDEATHSIG knows threads only). So the thread must stay until the
// command has ended. Any thread.
int StartCommand(const ChildCommand& command, int in, int out, int guard,
                 pid_t* pid);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_START_COMMAND_H_
