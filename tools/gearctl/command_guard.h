// CommandGuard kills commands, and everything that they have started, when this
// process has ended without ending them.
//
// PR_SET_PDEATHSIG alone would kill a shell and leave the programs that it
// runs. The guard is a separate process. It sleeps at a pipe whose other end
// closes with this process, even if that is killed with SIGKILL.
#ifndef GEARMAN_TOOLS_GEARCTL_COMMAND_GUARD_H_
#define GEARMAN_TOOLS_GEARCTL_COMMAND_GUARD_H_

#include <sys/types.h>

#include <memory>

#include "absl/status/statusor.h"
#include "gearman/tools/gearctl/descriptor.h"

namespace gearman {
namespace gearctl {

// Thread-safe.
class CommandGuard {
 public:
  // Starts the guard, and returns when the guard has left this process' group:
  // from then on no signal to the group ends it. Call it before any thread is
  // started. The errors are the system's: it refuses a pipe or a process.
  // UNAVAILABLE: a signal has ended the guard before.
  static absl::StatusOr<std::unique_ptr<CommandGuard>> Create();
  // The guard ends by itself.
  ~CommandGuard() = default;
  CommandGuard(const CommandGuard&) = delete;
  CommandGuard& operator=(const CommandGuard&) = delete;

  // A command adds itself before it begins. It writes the number of its process
  // group, which is its own process number, to this descriptor as a pid_t.
  int descriptor() const { return pipe_.get(); }
  // Removes a command that has ended. Its number may belong to another process
  // from now on.
  void Remove(pid_t command) const;

 private:
  CommandGuard() = default;

  Descriptor pipe_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_COMMAND_GUARD_H_
