#include "gearman/tests/support/terminal_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

extern char** environ;

namespace gearman {
namespace support {

absl::StatusOr<std::unique_ptr<TerminalProcess>> TerminalProcess::Start(
    std::vector<std::string> argv, int columns, int rows) {
  auto process = std::unique_ptr<TerminalProcess>(new TerminalProcess());
  process->terminal_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (process->terminal_ < 0 || grantpt(process->terminal_) != 0 ||
      unlockpt(process->terminal_) != 0) {
    return absl::ErrnoToStatus(errno, "a pseudo-terminal");
  }
  process->Resize(columns, rows);
  const std::string name = ptsname(process->terminal_);

  // Opened by the leader of a session, it becomes the session's terminal.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, name.c_str(), O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(&word[0]);
  words.push_back(nullptr);
  const int error = posix_spawnp(&process->pid_, words[0], &actions,
                                 &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    process->pid_ = -1;
    return absl::ErrnoToStatus(error, argv[0]);
  }
  // glibc 2.36 declares its pidfd_open for C only.
  process->end_ = static_cast<int>(syscall(SYS_pidfd_open, process->pid_, 0));
  return process;
}

TerminalProcess::~TerminalProcess() {
  if (pid_ > 0 && !ended_) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (terminal_ >= 0) close(terminal_);
  if (end_ >= 0) close(end_);
}

void TerminalProcess::Type(absl::string_view keys) {
  while (!keys.empty()) {
    const ssize_t written = write(terminal_, keys.data(), keys.size());
    if (written < 0 && errno != EINTR) return;  // hung up: the end tells
    if (written > 0) keys.remove_prefix(static_cast<size_t>(written));
  }
}

void TerminalProcess::Resize(int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  ioctl(terminal_, TIOCSWINSZ, &size);
}

bool TerminalProcess::Read(absl::Time deadline) {
  const absl::Duration left =
      std::max(deadline - absl::Now(), absl::ZeroDuration());
  // Nobody has the terminal open any more: only the end is left to wait for.
  pollfd ready[] = {{terminal_, POLLIN, 0}, {end_, POLLIN, 0}};
  if (poll(ready, 2, static_cast<int>(absl::ToInt64Milliseconds(left))) == 0) {
    return false;
  }
  char buffer[1 << 12];
  if ((ready[0].revents & POLLIN) != 0) {
    const ssize_t size = read(terminal_, buffer, sizeof buffer);
    if (size > 0) output_.append(buffer, static_cast<size_t>(size));
  } else if (ready[1].revents != 0) {
    // The program may have written its last words and ended after poll had
    // looked at the terminal.
    pollfd last{terminal_, POLLIN, 0};
    ended_ = poll(&last, 1, 0) <= 0 || (last.revents & POLLIN) == 0;
  } else {
    poll(&ready[1], 1, static_cast<int>(absl::ToInt64Milliseconds(left)));
  }
  return true;
}

absl::Status TerminalProcess::Expect(absl::string_view text,
                                     absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  for (;;) {
    const size_t found = output_.find(std::string(text), expected_);
    if (found != std::string::npos) {
      expected_ = found + text.size();
      return absl::OkStatus();
    }
    if (ended_ || !Read(deadline)) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the terminal does not show '", absl::CHexEscape(text), "' after '",
          absl::CHexEscape(output_.substr(0, expected_)), "' but '",
          absl::CHexEscape(output_.substr(expected_)), "'",
          ended_ ? "; the program has ended" : ""));
    }
  }
}

absl::StatusOr<ExitStatus> TerminalProcess::Wait(absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  while (!ended_) {
    if (!Read(deadline)) {
      return absl::DeadlineExceededError(
          absl::StrCat("the program still runs; its terminal shows '",
                       absl::CHexEscape(output_), "'"));
    }
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  ExitStatus exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  } else {
    exit.code = WEXITSTATUS(status);
  }
  return exit;
}

}  // namespace support
}  // namespace gearman
