#include "gearman/tools/gearctl/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr absl::Duration kMercy = absl::Seconds(5);
constexpr int kPollMilliseconds = 50;

// Returns the error if `name` can't be started: `what` failed with `error`.
absl::Status StartError(const std::string& name, absl::string_view what,
                        int error) {
  const std::string message = absl::StrCat("can't run ", name, ": ", what);
  switch (error) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(
          absl::StrCat(message, ": ", std::strerror(error)));
    default:
      return absl::ErrnoToStatus(error, message);
  }
}

// Returns an error number or 0.
int OpenPipe(Descriptor* read_end, Descriptor* write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  read_end->Reset(ends[0]);
  write_end->Reset(ends[1]);
  return 0;
}

void SetNonBlocking(int descriptor) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    ChildReaper* reaper, const ChildCommand& command) {
  const std::string& name = command.argv[0];
  auto process = absl::WrapUnique(new ChildProcess(reaper, name));
  Descriptor child_in, child_out;
  int error = OpenPipe(&child_in, &process->in_);
  if (error == 0) error = OpenPipe(&process->out_, &child_out);
  if (error != 0) return StartError(name, "a pipe", error);
  process->end_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (process->end_.get() < 0) return StartError(name, "an eventfd", errno);
  SetNonBlocking(process->in_.get());
  SetNonBlocking(process->out_.get());
  const absl::StatusOr<pid_t> pid =
      reaper->Start(process->end_.get(), [&]() -> absl::StatusOr<pid_t> {
        pid_t started = -1;
        const int refused =
            StartCommand(command, child_in.get(), child_out.get(),
                         reaper->guard(), &started);
        if (refused != 0)
          return StartError(name, "it can't be started", refused);
        return started;
      });
  if (!pid.ok()) return pid.status();
  process->started_ = true;
  return process;
}

ChildProcess::~ChildProcess() {
  if (!started_) return;
  reaper_->Signal(end_.get(), SIGKILL);
  reaper_->Forget(end_.get());
}

absl::Status ChildProcess::Run(
    absl::string_view input,
    const std::function<absl::Status(std::string)>& on_output,
    const std::function<bool()>& stopped) {
  input_ = input;
  if (input_.empty()) in_.Close();
  absl::Status status;
  for (;;) {
    if (status.ok() && stopped()) status = absl::CancelledError("stopped");
    if (!status.ok() && !End()) return status;
    pollfd ready[] = {{in_.get(), POLLOUT, 0},
                      {out_.get(), POLLIN, 0},
                      {end_.get(), POLLIN, 0}};
    if (poll(ready, 3, kPollMilliseconds) < 0) continue;
    // When the command has ended, its output is read to the end, unless another
    // process still holds it open.
    const bool ended = ready[2].revents != 0;
    if (ready[0].revents != 0) Feed();
    if (ready[1].revents != 0 || ended) {
      absl::Status read = ReadAll(on_output);
      if (status.ok()) status = std::move(read);
    }
    if (!ended) continue;
    return status.ok() ? Result(reaper_->StatusOf(end_.get()).value_or(0))
                       : status;
  }
}

void ChildProcess::Feed() {
  const ssize_t written = write(in_.get(), input_.data(), input_.size());
  if (written > 0) input_.remove_prefix(static_cast<size_t>(written));
  // A command that reads no more has all the input that it wants.
  const bool refused = written < 0 && errno != EAGAIN && errno != EINTR;
  if (refused || input_.empty()) in_.Close();
}

absl::Status ChildProcess::ReadAll(
    const std::function<absl::Status(std::string)>& on_output) {
  while (out_.get() >= 0) {
    char buffer[1 << 16];
    const ssize_t size = read(out_.get(), buffer, sizeof buffer);
    if (size > 0) {
      absl::Status status =
          on_output(std::string(buffer, static_cast<size_t>(size)));
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

bool ChildProcess::End() {
  const absl::Time now = Clock::Real()->Now();
  if (ended_at_ == absl::InfiniteFuture()) {
    reaper_->Signal(end_.get(), SIGTERM);
    ended_at_ = now;
  } else if (now - ended_at_ > 2 * kMercy) {
    return false;
  } else if (now - ended_at_ > kMercy) {
    reaper_->Signal(end_.get(), SIGKILL);
  }
  return true;
}

absl::Status ChildProcess::Result(int status) const {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::AbortedError(
      WIFSIGNALED(status)
          ? absl::StrCat(name_, " was ended by signal ", WTERMSIG(status))
          : absl::StrCat(name_, " ended with exit code ", WEXITSTATUS(status)));
}

}  // namespace gearctl
}  // namespace gearman
