#include "gearman/tools/gearctl/child_reaper.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <memory>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace gearctl {
namespace {

sigset_t ChildSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildReaper>> ChildReaper::Create() {
  // A parent process may have set SIGCHLD to be ignored. The kernel would then
  // drop exit codes.
  signal(SIGCHLD, SIG_DFL);
  const sigset_t held = ChildSignal();
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
  auto reaper = absl::WrapUnique(new ChildReaper);
  absl::StatusOr<std::unique_ptr<CommandGuard>> guard = CommandGuard::Create();
  reaper->guarded_ = guard.status();
  if (guard.ok()) reaper->guard_ = *std::move(guard);
  absl::Status started = StartThread(
      "the thread that waits for commands",
      [reaper = reaper.get()] { reaper->Work(); }, &reaper->thread_);
  if (!started.ok()) return started;
  return reaper;
}

ChildReaper::~ChildReaper() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  pthread_kill(thread_.native_handle(), SIGCHLD);
  thread_.join();
}

void ChildReaper::Work() {
  const sigset_t awaited = ChildSignal();
  while (!stopping_) {
    // One signal may stand for several children.
    sigwaitinfo(&awaited, nullptr);
    Reap();
  }
}

void ChildReaper::Reap() {
  absl::MutexLock lock(&mutex_);
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (guard_ != nullptr) guard_->Remove(pid);
    const auto running = running_.find(pid);
    if (running != running_.end()) {
      const int event = running->second;
      running_.erase(running);
      End(event, status);
    } else if (starting_ > 0) {
      early_[pid] = status;
    }
  }
}

void ChildReaper::End(int event, int status) {
  children_[event].status = status;
  eventfd_write(event, 1);
}

absl::StatusOr<pid_t> ChildReaper::Start(
    int event, absl::FunctionRef<absl::StatusOr<pid_t>()> spawn) {
  {
    absl::MutexLock lock(&mutex_);
    ++starting_;
  }
  const auto started = absl::MakeCleanup([this] {
    absl::MutexLock lock(&mutex_);
    // No call of Start is running, so no caller asks for these children.
    if (--starting_ == 0) early_.clear();
  });
  const absl::StatusOr<pid_t> pid = spawn();
  if (!pid.ok()) return pid;
  absl::MutexLock lock(&mutex_);
  children_[event].number = *pid;
  const auto early = early_.find(*pid);
  if (early == early_.end()) {
    running_[*pid] = event;
  } else {
    End(event, early->second);
    early_.erase(early);
  }
  return pid;
}

std::optional<int> ChildReaper::StatusOf(int event) const {
  absl::MutexLock lock(&mutex_);
  const auto found = children_.find(event);
  return found == children_.end() ? std::nullopt : found->second.status;
}

void ChildReaper::Signal(int event, int signal) {
  absl::MutexLock lock(&mutex_);
  const auto found = children_.find(event);
  if (found == children_.end() || found->second.status.has_value()) return;
  kill(-found->second.number, signal);
}

void ChildReaper::Forget(int event) {
  absl::MutexLock lock(&mutex_);
  const auto found = children_.find(event);
  if (found == children_.end()) return;
  const pid_t number = found->second.number;
  children_.erase(found);
  const auto running = running_.find(number);
  if (running == running_.end() || running->second != event) return;
  running_.erase(running);
  // A child that has ended was removed at that time.
  if (guard_ != nullptr) guard_->Remove(number);
}

}  // namespace gearctl
}  // namespace gearman
