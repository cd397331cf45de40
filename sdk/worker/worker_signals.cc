#include "gearman/sdk/worker_signals.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"

namespace gearman {
namespace internal {

// The handlers of both signals, for some workers. Handle and Restore are
// async-signal-safe.
class SignalRegistration {
 public:
  SignalRegistration(std::vector<Worker*> workers, absl::Duration limit)
      : workers_(std::move(workers)), limit_(limit) {}
  ~SignalRegistration();
  SignalRegistration(const SignalRegistration&) = delete;
  SignalRegistration& operator=(const SignalRegistration&) = delete;

  absl::Status Install();
  void Handle();
  void Restore();
  int count() const { return count_.load(); }

 private:
  struct Taken {
    int signal;
    bool is_ours;
    struct sigaction earlier;
  };

  const std::vector<Worker*> workers_;
  const absl::Duration limit_;
  std::atomic<int> count_{0};
  Taken taken_[2] = {{SIGINT, false, {}}, {SIGTERM, false, {}}};
};

namespace {

static_assert(std::atomic<SignalRegistration*>::is_always_lock_free &&
                  std::atomic<int>::is_always_lock_free,
              "a signal handler uses them");

// The one in force.
std::atomic<SignalRegistration*> active{nullptr};
// The number of threads in OnSignal. A thread counts itself before it reads
// `active`, so after `active` has changed, zero means that no thread uses what
// it was.
std::atomic<int> handling{0};

void OnSignal(int /*signal*/) {
  const int saved_errno = errno;
  handling.fetch_add(1);
  SignalRegistration* const registration = active.load();
  if (registration != nullptr) registration->Handle();
  handling.fetch_sub(1);
  errno = saved_errno;
}

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == OnSignal;
}

// Other threads, which may have been in OnSignal, are not in the child.
void OnForkInChild() {
  handling.store(0);
  SignalRegistration* const registration = active.exchange(nullptr);
  if (registration != nullptr) registration->Restore();
}

}  // namespace

absl::Status SignalRegistration::Install() {
  static const int refused = pthread_atfork(nullptr, nullptr, OnForkInChild);
  if (refused != 0) {
    return absl::ErrnoToStatus(refused, "WorkerSignals: pthread_atfork");
  }
  SignalRegistration* none = nullptr;
  if (!active.compare_exchange_strong(none, this)) {
    return absl::FailedPreconditionError(
        "WorkerSignals: another one lives in this process; give all workers to "
        "one, or destroy the other one before");
  }
  for (Taken& taken : taken_) {
    // A child made by fork at any moment must find what to restore, so that
    // comes first.
    sigaction(taken.signal, nullptr, &taken.earlier);
    const bool siginfo = (taken.earlier.sa_flags & SA_SIGINFO) != 0;
    if (!siginfo && taken.earlier.sa_handler == SIG_IGN) continue;
    taken.is_ours = true;
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (const Taken& other : taken_) sigaddset(&action.sa_mask, other.signal);
    if (sigaction(taken.signal, &action, nullptr) != 0) {
      return absl::ErrnoToStatus(errno, "WorkerSignals: sigaction");
    }
  }
  return absl::OkStatus();
}

void SignalRegistration::Handle() {
  const bool first = count_.fetch_add(1) == 0;
  for (Worker* const worker : workers_) {
    if (first) {
      worker->Drain(limit_);
    } else {
      worker->Stop();
    }
  }
  if (!first) Restore();
}

void SignalRegistration::Restore() {
  for (const Taken& taken : taken_) {
    struct sigaction now;
    // A handler that the program has installed since then stays.
    if (taken.is_ours && sigaction(taken.signal, nullptr, &now) == 0 &&
        IsOurs(now)) {
      sigaction(taken.signal, &taken.earlier, nullptr);
    }
  }
}

SignalRegistration::~SignalRegistration() {
  SignalRegistration* self = this;
  if (active.load() == self) {
    Restore();
    active.store(nullptr);
  }
  // A signal handler can't tell other threads that it has returned. It takes
  // microseconds.
  while (handling.load() != 0) std::this_thread::yield();
}

}  // namespace internal

WorkerSignals::WorkerSignals(
    OwnedByProcess<internal::SignalRegistration> registration)
    : registration_(std::move(registration)) {}

WorkerSignals::~WorkerSignals() = default;

absl::StatusOr<std::unique_ptr<WorkerSignals>> WorkerSignals::Create(
    std::vector<Worker*> workers, Duration limit) {
  if (workers.empty()) {
    return absl::InvalidArgumentError("WorkerSignals: no worker was given");
  }
  for (const Worker* const worker : workers) {
    if (worker == nullptr) {
      return absl::InvalidArgumentError("WorkerSignals: a worker is null");
    }
  }
  OwnedByProcess<internal::SignalRegistration> registration(
      new internal::SignalRegistration(std::move(workers), limit));
  absl::Status status = registration->Install();
  if (!status.ok()) return status;
  return std::unique_ptr<WorkerSignals>(
      new WorkerSignals(std::move(registration)));
}

int WorkerSignals::count() const { return registration_->count(); }

}  // namespace gearman
