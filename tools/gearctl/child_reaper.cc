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
    const auto child = children_.find(pid);
    if (child != children_.end()) {
      child->second.status = status;
      eventfd_write(child->second.event, 1);
    } else if (starting_ > 0) {
      early_[pid] = status;
    }
  }
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
  Child& child = children_[*pid];
  child.event = event;
  const auto early = early_.find(*pid);
  if (early != early_.end()) {
    child.status = early->second;
    early_.erase(early);
    eventfd_write(event, 1);
  }
  return pid;
}

std::optional<int> ChildReaper::StatusOf(pid_t child) const {
  absl::MutexLock lock(&mutex_);
  const auto found = children_.find(child);
  return found == children_.end() ? std::nullopt : found->second.status;
}

void ChildReaper::Signal(pid_t child, int signal) {
  absl::MutexLock lock(&mutex_);
  const auto found = children_.find(child);
  if (found == children_.end() || found->second.status.has_value()) return;
  kill(-child, signal);
}

void ChildReaper::Forget(pid_t child) {
  absl::MutexLock lock(&mutex_);
  const auto found = children_.find(child);
  if (found == children_.end()) return;
  // A child that has ended was removed at that time.
  if (guard_ != nullptr && !found->second.status.has_value()) {
    guard_->Remove(child);
  }
  children_.erase(found);
}

}  // namespace gearctl
}  // namespace gearman
