#include "gearman/tests/support/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

extern char** environ;

namespace gearman {
namespace support {
namespace {

// Signals of a test are meant for its own threads.
void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

void CloseFd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

// The child's arguments are made before the fork. After the fork, in a program
// with threads, only system calls are allowed.
struct ExecArguments {
  std::vector<std::string> environment_text;
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* directory;
  pid_t parent;
  int in, out, error, report;
};

[[noreturn]] void ExecInChild(const ExecArguments& arguments) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != arguments.parent) _exit(127);  // it died before the prctl
  for (const int signal : {SIGINT, SIGQUIT, SIGPIPE, SIGHUP, SIGTERM}) {
    ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // All four descriptors are above 2: see AboveStandard.
  dup2(arguments.in, 0);
  dup2(arguments.out, 1);
  dup2(arguments.error, 2);
  dup2(arguments.report, 3);
  fcntl(3, F_SETFD, FD_CLOEXEC);
  close_range(4, ~0U, 0);
  if (*arguments.directory == '\0' || chdir(arguments.directory) == 0) {
    execvpe(arguments.argv[0], arguments.argv.data(),
            arguments.environment.data());
  }
  const int error = errno;
  if (write(3, &error, sizeof(error)) < 0) _exit(126);
  _exit(127);
}

// Moves a descriptor out of the way of 0 to 3, which the child's dup2 fill.
int AboveStandard(int fd) {
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 4);
  close(fd);
  return moved;
}

bool MakePipe(int& read_end, int& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end = AboveStandard(ends[0]);
  write_end = AboveStandard(ends[1]);
  return true;
}

void SetNonBlocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

absl::Status ErrnoStatus(int error, const std::string& what) {
  const std::string text = absl::StrCat(what, ": ", strerror(error));
  return error == ENOENT ? absl::NotFoundError(text)
                         : absl::UnavailableError(text);
}

}  // namespace

std::string ExitStatus::ToString() const {
  return signal != 0 ? absl::StrCat("signal ", signal)
                     : absl::StrCat("exit code ", code);
}

absl::StatusOr<std::unique_ptr<Subprocess>> Subprocess::Start(
    SubprocessOptions options) {
  if (options.argv.empty()) return absl::InvalidArgumentError("no program");
  auto process =
      std::unique_ptr<Subprocess>(new Subprocess(std::move(options)));
  int in = -1, out = -1, error = -1;
  absl::StatusOr<pid_t> started = absl::UnknownError("not started");
  {
    absl::MutexLock lock(&process->mutex_);
    process->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (process->wake_fd_ < 0 || !MakePipe(in, process->input_fd_) ||
        !MakePipe(process->output_fd_, out) ||
        !MakePipe(process->error_fd_, error)) {
      started = ErrnoStatus(errno, "cannot make pipes");
    } else {
      SetNonBlocking(process->input_fd_);
      SetNonBlocking(process->output_fd_);
      SetNonBlocking(process->error_fd_);
      process->awaiter_ = std::thread(&Subprocess::ForkAndAwait, process.get(),
                                      in, out, error, &started);
      process->mutex_.Await(absl::Condition(&process->fork_done_));
    }
  }
  CloseFd(in);
  CloseFd(out);
  CloseFd(error);
  if (!started.ok()) return started.status();
  process->pid_ = *started;
  process->pump_ = std::thread(&Subprocess::Pump, process.get());
  return process;
}

Subprocess::Subprocess(SubprocessOptions options)
    : options_(std::move(options)),
      input_(options_.input),
      close_input_(!options_.keep_input_open) {}

Subprocess::~Subprocess() {
  Kill();
  if (awaiter_.joinable()) awaiter_.join();
  if (pump_.joinable()) {
    {
      absl::MutexLock lock(&mutex_);
      stop_pump_ = true;
    }
    WakePump();
    pump_.join();
  }
  absl::MutexLock lock(&mutex_);
  CloseFd(input_fd_);
  CloseFd(output_fd_);
  CloseFd(error_fd_);
  CloseFd(wake_fd_);
}

void Subprocess::ForkAndAwait(int in, int out, int error,
                              absl::StatusOr<pid_t>* started) {
  BlockSignals();
  ExecArguments arguments;
  for (const std::string& argument : options_.argv) {
    arguments.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.argv.push_back(nullptr);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string name(*variable, strcspn(*variable, "="));
    if (options_.environment.count(name) == 0) {
      arguments.environment.push_back(*variable);
    }
  }
  for (const auto& variable : options_.environment) {
    arguments.environment_text.push_back(
        absl::StrCat(variable.first, "=", variable.second));
  }
  for (std::string& text : arguments.environment_text) {
    arguments.environment.push_back(&text[0]);
  }
  arguments.environment.push_back(nullptr);
  arguments.directory = options_.directory.c_str();
  arguments.parent = getpid();
  arguments.in = in;
  arguments.out = out;
  arguments.error = error;
  int report_read = -1;
  pid_t pid = -1;
  int failure = 0;
  if (!MakePipe(report_read, arguments.report)) {
    failure = errno;
  } else {
    pid = fork();
    if (pid == 0) ExecInChild(arguments);
    if (pid < 0) failure = errno;
    close(arguments.report);
    // Ends when the exec closes the other end, or tells why it failed.
    while (pid > 0 && read(report_read, &failure, sizeof(failure)) < 0 &&
           errno == EINTR) {
    }
    close(report_read);
  }
  if (pid > 0 && failure != 0) waitpid(pid, nullptr, 0);
  {
    absl::MutexLock lock(&mutex_);
    fork_done_ = true;
    if (failure != 0) {
      exited_ = true;
      *started = ErrnoStatus(failure, options_.argv[0]);
      return;
    }
    *started = pid;
  }

  siginfo_t info;
  while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  // The leader is not reaped yet, so the group's number cannot be a stranger's.
  kill(-pid, SIGKILL);
  int status = 0;
  absl::MutexLock lock(&mutex_);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  exited_ = true;
  if (WIFSIGNALED(status)) {
    status_.signal = WTERMSIG(status);
  } else {
    status_.code = WEXITSTATUS(status);
  }
}

void Subprocess::Pump() {
  BlockSignals();  // SIGPIPE among them: a closed input is an error of write
  std::vector<char> buffer(64 << 10);
  absl::MutexLock lock(&mutex_);
  while (!stop_pump_ && (output_fd_ >= 0 || error_fd_ >= 0 || input_fd_ >= 0)) {
    const bool all_written = input_written_ == input_.size();
    if (input_fd_ >= 0 && all_written && close_input_) CloseFd(input_fd_);
    // poll ignores negative descriptors. An input without anything to write is
    // watched for nothing but its end.
    pollfd fds[] = {
        {wake_fd_, POLLIN, 0},
        {output_fd_, POLLIN, 0},
        {error_fd_, POLLIN, 0},
        {input_fd_, static_cast<short>(all_written ? 0 : POLLOUT), 0}};
    mutex_.Unlock();
    poll(fds, 4, -1);
    uint64_t count;
    if (fds[0].revents != 0 && read(wake_fd_, &count, sizeof(count)) < 0) {
      // Another wake-up has been read already.
    }
    mutex_.Lock();
    struct {
      const pollfd& polled;
      int& fd;
      std::string& text;
    } streams[] = {{fds[1], output_fd_, output_},
                   {fds[2], error_fd_, error_output_}};
    for (auto& stream : streams) {
      if (stream.polled.revents == 0) continue;
      const ssize_t n = read(stream.fd, buffer.data(), buffer.size());
      if (n > 0) {
        stream.text.append(buffer.data(), static_cast<size_t>(n));
      } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        CloseFd(stream.fd);
      }
    }
    if (fds[3].revents != 0) {
      const ssize_t n = write(input_fd_, input_.data() + input_written_,
                              input_.size() - input_written_);
      if ((fds[3].revents & POLLERR) != 0 ||
          (n < 0 && errno != EAGAIN && errno != EINTR)) {
        CloseFd(input_fd_);  // nobody reads it any more
      } else if (n > 0) {
        input_written_ += static_cast<size_t>(n);
      }
    }
  }
}

void Subprocess::WakePump() {
  const uint64_t one = 1;
  if (write(wake_fd_, &one, sizeof(one)) < 0) {
    // The counter is full: the pump is awake.
  }
}

void Subprocess::Write(absl::string_view data) {
  {
    absl::MutexLock lock(&mutex_);
    input_.append(data.data(), data.size());
  }
  WakePump();
}

void Subprocess::CloseInput() {
  {
    absl::MutexLock lock(&mutex_);
    close_input_ = true;
  }
  WakePump();
}

absl::StatusOr<ExitStatus> Subprocess::Wait(absl::Duration bound) {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]()
                         ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return Ended(); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ended), bound)) {
    return absl::DeadlineExceededError(absl::StrCat(
        options_.argv[0], exited_ ? " left its output open" : " still runs",
        " after ", absl::FormatDuration(bound), Printed()));
  }
  return status_;
}

absl::Status Subprocess::WaitForOutput(absl::string_view text,
                                       absl::Duration bound) {
  return WaitForText(&Subprocess::output_, text, bound);
}

absl::Status Subprocess::WaitForErrorOutput(absl::string_view text,
                                            absl::Duration bound) {
  return WaitForText(&Subprocess::error_output_, text, bound);
}

absl::Status Subprocess::WaitForText(Stream stream, absl::string_view text,
                                     absl::Duration bound) {
  absl::MutexLock lock(&mutex_);
  const auto found_or_ended = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return absl::StrContains(this->*stream, text) || Ended();
  };
  mutex_.AwaitWithTimeout(absl::Condition(&found_or_ended), bound);
  if (absl::StrContains(this->*stream, text)) return absl::OkStatus();
  const std::string what =
      absl::StrCat(options_.argv[0], " did not print '", text, "'", Printed());
  return Ended() ? absl::UnavailableError(what)
                 : absl::DeadlineExceededError(what);
}

std::string Subprocess::Printed() const {
  return absl::StrCat("; command: ", absl::StrJoin(options_.argv, " "),
                      "; output: '", output_, "'; error output: '",
                      error_output_, "'",
                      exited_ ? absl::StrCat("; ", status_.ToString()) : "");
}

void Subprocess::Signal(int signal) {
  absl::MutexLock lock(&mutex_);
  if (fork_done_ && !exited_) kill(pid_, signal);
}

void Subprocess::Kill() {
  absl::MutexLock lock(&mutex_);
  if (fork_done_ && !exited_) kill(-pid_, SIGKILL);
}

bool Subprocess::running() const {
  absl::MutexLock lock(&mutex_);
  return !exited_;
}

std::string Subprocess::output() const {
  absl::MutexLock lock(&mutex_);
  return output_;
}

std::string Subprocess::error_output() const {
  absl::MutexLock lock(&mutex_);
  return error_output_;
}

absl::StatusOr<ProgramResult> RunProgram(SubprocessOptions options,
                                         absl::Duration bound) {
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start(std::move(options));
  if (!process.ok()) return process.status();
  const absl::StatusOr<ExitStatus> status = (*process)->Wait(bound);
  if (!status.ok()) return status.status();
  return ProgramResult{*status, (*process)->output(),
                       (*process)->error_output()};
}

}  // namespace support
}  // namespace gearman
