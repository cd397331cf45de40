// CheckProgram finds out, before the first job, that a command can't be run.
#ifndef GEARMAN_TOOLS_GEARCTL_PROGRAM_H_
#define GEARMAN_TOOLS_GEARCTL_PROGRAM_H_

#include <string>

#include "absl/status/status.h"

namespace gearman {
namespace gearctl {

// Checks that `name`, a path or a name that is looked up in PATH, is a program
// that this process may execute. Runs nothing. NOT_FOUND: there is no such
// file. INVALID_ARGUMENT: it is a directory, has no permission, is empty, is no
// program of this system, or is a script whose interpreter can't be executed.
// OK is no promise, because the file may change. Any thread.
absl::Status CheckProgram(const std::string& name);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_PROGRAM_H_
