#include "gearman/tools/gearctl/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr absl::Duration kMercy = absl::Seconds(5);
constexpr int kPollMilliseconds = 50;

class Descriptor {
 public:
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void Reset(int descriptor) {
    Close();
    descriptor_ = descriptor;
  }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  // It is the caller's from now on.
  int Release() { return std::exchange(descriptor_, -1); }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;

  absl::Status Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return absl::ErrnoToStatus(errno, "a pipe");
    }
    read_end.Reset(ends[0]);
    write_end.Reset(ends[1]);
    return absl::OkStatus();
  }
};

absl::StatusOr<pid_t> Spawn(const ChildCommand& command, int in, int out) {
  std::vector<char*> argv;
  for (const std::string& word : command.argv) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (const std::string& entry : command.environment) {
    environment.push_back(const_cast<char*>(entry.c_str()));
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    environment.push_back(*entry);
  }
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &actions, &attributes,
                                 argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return absl::ErrnoToStatus(error,
                               absl::StrCat("can't run ", command.argv[0]));
  }
  return pid;
}

void SetNonBlocking(int descriptor) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

absl::Status EndOf(const ChildCommand& command, pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::AbortedError(
      WIFSIGNALED(status)
          ? absl::StrCat(command.argv[0], " was ended by signal ",
                         WTERMSIG(status))
          : absl::StrCat(command.argv[0], " ended with exit code ",
                         WEXITSTATUS(status)));
}

// A child that runs, its pipes, and what of the input it has not read.
class Child {
 public:
  Child(pid_t pid, int in, int out, absl::string_view input)
      : pid_(pid), in_(in), out_(out), input_(input) {
    // glibc 2.36 declares its pidfd_open for C only.
    end_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (input_.empty()) in_.Close();
  }

  // Until its end, and the end of its output unless others hold that open.
  absl::Status Run(const std::function<absl::Status(std::string)>& on_output,
                   const std::function<bool()>& stopped) {
    absl::Status status;
    bool ended = false;
    while (!ended) {
      if (status.ok() && stopped()) status = absl::CancelledError("stopped");
      if (!status.ok()) End();
      pollfd ready[] = {{in_.get(), POLLOUT, 0},
                        {out_.get(), POLLIN, 0},
                        {end_.get(), POLLIN, 0}};
      if (poll(ready, 3, kPollMilliseconds) < 0) continue;
      ended = ready[2].revents != 0;
      if (ready[0].revents != 0) Feed();
      if (ready[1].revents != 0 || ended) {
        absl::Status read = ReadAll(on_output);
        if (status.ok()) status = std::move(read);
      }
    }
    return status;
  }

 private:
  void Feed() {
    const ssize_t written = write(in_.get(), input_.data(), input_.size());
    if (written > 0) input_.remove_prefix(written);
    // One that reads no more is content with what it has.
    const bool refused = written < 0 && errno != EAGAIN && errno != EINTR;
    if (refused || input_.empty()) in_.Close();
  }

  absl::Status ReadAll(
      const std::function<absl::Status(std::string)>& on_output) {
    while (out_.get() >= 0) {
      char buffer[1 << 16];
      const ssize_t size = read(out_.get(), buffer, sizeof buffer);
      if (size > 0) {
        absl::Status status = on_output(std::string(buffer, size));
        if (!status.ok()) return status;
      } else if (size < 0 && errno == EINTR) {
        continue;
      } else if (size < 0 && errno == EAGAIN) {
        break;
      } else {
        out_.Close();
      }
    }
    return absl::OkStatus();
  }

  void End() {
    const absl::Time now = absl::Now();
    if (killed_at_ == absl::InfiniteFuture()) {
      kill(-pid_, SIGTERM);
      killed_at_ = now;
    } else if (now - killed_at_ > kMercy) {
      kill(-pid_, SIGKILL);
    }
  }

  const pid_t pid_;
  Descriptor in_;
  Descriptor out_;
  Descriptor end_;
  absl::string_view input_;
  absl::Time killed_at_ = absl::InfiniteFuture();
};

}  // namespace

absl::Status RunChild(const ChildCommand& command, absl::string_view input,
                      const std::function<absl::Status(std::string)>& on_output,
                      const std::function<bool()>& stopped) {
  Pipe in;
  Pipe out;
  absl::Status status = in.Open();
  if (status.ok()) status = out.Open();
  if (!status.ok()) return status;
  absl::StatusOr<pid_t> pid =
      Spawn(command, in.read_end.get(), out.write_end.get());
  if (!pid.ok()) return pid.status();
  in.read_end.Close();
  out.write_end.Close();
  SetNonBlocking(in.write_end.get());
  SetNonBlocking(out.read_end.get());
  status = Child(*pid, in.write_end.Release(), out.read_end.Release(), input)
               .Run(on_output, stopped);
  const absl::Status end = EndOf(command, *pid);
  return status.ok() ? end : status;
}

}  // namespace gearctl
}  // namespace gearman
