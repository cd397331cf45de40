#include "gearman/tools/gearctl/command_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gearman {
namespace gearctl {
namespace {

// Closes all streams and blocks all signals. Signals meant for the worker must
// not end the guard: the last command may take long to end after a Ctrl-C.
// Writes a byte to `left` when no such signal can reach the guard any more.
void LeaveTheWorker(int pipe, int left) {
  setsid();
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  [[maybe_unused]] const ssize_t size = write(left, "", 1);
  prctl(PR_SET_NAME, "gearctl-guard");
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream <= STDERR_FILENO; ++stream) {
    if (nothing < 0) {
      close(stream);
    } else {
      dup2(nothing, stream);
    }
  }
  close_range(STDERR_FILENO + 1, static_cast<unsigned>(pipe) - 1, 0);
  close_range(static_cast<unsigned>(pipe) + 1, ~0U, 0);
}

// Runs the guard until the worker has ended.
[[noreturn]] void Watch(int pipe, int left) {
  LeaveTheWorker(pipe, left);
  std::set<pid_t> commands;
  for (;;) {
    // Each number is written at once, and so it is read whole.
    pid_t command;
    const ssize_t size = read(pipe, &command, sizeof command);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof command) break;
    if (command > 0) {
      commands.insert(command);
    } else {
      commands.erase(-command);
    }
  }
  for (const pid_t command : commands) kill(-command, SIGKILL);
  _exit(0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CommandGuard>> CommandGuard::Create() {
  auto guard = absl::WrapUnique(new CommandGuard);
  Descriptor read_end, is_left, left;
  for (const auto& [reader, writer] :
       {std::pair(&read_end, &guard->pipe_), std::pair(&is_left, &left)}) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return absl::ErrnoToStatus(errno, "a pipe to the guard of commands");
    }
    reader->Reset(ends[0]);
    writer->Reset(ends[1]);
  }
  const pid_t process = fork();
  if (process < 0) {
    return absl::ErrnoToStatus(errno, "the guard of commands");
  }
  if (process == 0) {
    guard->pipe_.Close();
    Watch(read_end.get(), left.get());
  }
  left.Close();
  // A guard that has not run yet is in the worker's process group, and would be
  // killed with it. So no command begins before.
  char byte;
  ssize_t size;
  while ((size = read(is_left.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (size != 1) {
    return absl::UnavailableError("the guard of commands has ended");
  }
  return guard;
}

void CommandGuard::Remove(pid_t command) const {
  const pid_t entry = -command;
  // If the guard was killed, it guards nothing any more.
  while (write(pipe_.get(), &entry, sizeof entry) < 0 && errno == EINTR) {
  }
}

}  // namespace gearctl
}  // namespace gearman
