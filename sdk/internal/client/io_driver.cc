#include "gearman/sdk/internal/client/io_driver.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gearman/sdk/internal/call_scope.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace internal {
namespace {

// After a thread has waited, the background thread leaves the lead free for so
// long. A thread that submits and then waits finds the lead free, and no work
// hops to another thread. If no thread waited in that time, the background
// thread leads at once, until a thread waits again.
constexpr absl::Duration kBackgroundGrace = absl::Milliseconds(1);

// The number of times in a row to ask the system for the background thread.
constexpr int kStartAttempts = 2;

// The innermost callback scope of this thread; null: it runs no callback.
thread_local const IoDriver::CallbackScope* current_scope = nullptr;

}  // namespace

IoDriver::CallbackScope::CallbackScope(const IoDriver* driver)
    : driver_(driver), outer_(current_scope) {
  current_scope = this;
}

IoDriver::CallbackScope::~CallbackScope() { current_scope = outer_; }

IoDriver::IoDriver(absl::Mutex* mutex, Poller* poller, Machine* machine,
                   DriveMode mode)
    : mutex_(mutex),
      poller_(poller),
      machine_(machine),
      hosted_(mode == DriveMode::kEventLoop),
      background_allowed_(mode == DriveMode::kAuto) {}

IoDriver::~IoDriver() { Stop(); }

bool IoDriver::in_callback() const {
  const CallbackScope* scope = current_scope;
  while (scope != nullptr && scope->driver_ != this) scope = scope->outer_;
  return scope != nullptr;
}

const IoDriver::CallbackScope* IoDriver::ScopeOf(const void* request) const {
  const CallbackScope* scope = current_scope;
  while (scope != nullptr &&
         (scope->driver_ != this || scope->request_ != request)) {
    scope = scope->outer_;
  }
  return scope;
}

bool IoDriver::in_callback_of(const void* request) const {
  return ScopeOf(request) != nullptr;
}

bool IoDriver::in_last_callback_of(const void* request) const {
  const CallbackScope* const scope = ScopeOf(request);
  return scope != nullptr && scope->last_;
}

bool IoDriver::Wait(Waiter* waiter, absl::Time deadline) {
  if (waiter->done()) return true;
  if (in_callback()) return false;
  threads_wait_ = true;
  bool looked = false;
  while (!waiter->done() && !stopping_) {
    if (!leading_) {
      Lead(waiter, deadline);
      looked = true;
    } else {
      const absl::Duration left = deadline - poller_->clock()->Now();
      if (left > absl::ZeroDuration()) {
        const auto place = followers_.insert(followers_.end(), waiter);
        // The background thread makes way for a thread that waits.
        if (background_leads_ && polling_) poller_->Wake();
        waiter->condition.WaitWithTimeout(mutex_, left);
        followers_.erase(place);
        continue;
      }
      looked = true;
    }
    if (looked && poller_->clock()->Now() >= deadline) break;
  }
  // Whatever made this thread leave, it may have been woken to take the lead.
  // It must hand a free lead on.
  if (!leading_) {
    HandOver();
    // This thread may have taken from the poller what the host was told of.
    WakeHost();
  }
  return waiter->done();
}

void IoDriver::Lead(Waiter* waiter, absl::Time deadline) {
  leading_ = true;
  leader_ = waiter;
  absl::Time next = machine_->Work({});
  while (!waiter->done() && !stopping_) {
    Poll(std::min(next, deadline));
    next = machine_->Work(ready_);
    if (poller_->clock()->Now() >= deadline) break;
  }
  leader_ = nullptr;
  leading_ = false;
}

void IoDriver::Poll(absl::Time deadline) {
  polling_ = true;
  polling_until_ = deadline;
  mutex_->Unlock();
  poller_->Wait(deadline, &ready_);
  mutex_->Lock();
  polling_ = false;
}

absl::Time IoDriver::RunOnce(absl::Time deadline) {
  if (in_callback()) return absl::InfiniteFuture();
  absl::Time next = absl::InfiniteFuture();
  if (leading_) {
    // Another thread drives. Wait for a turn, at most until the deadline.
    Waiter turn(0);
    const absl::Duration left = deadline - poller_->clock()->Now();
    if (left > absl::ZeroDuration()) {
      const auto place = followers_.insert(followers_.end(), &turn);
      turn.condition.WaitWithTimeout(mutex_, left);
      followers_.erase(place);
    }
  }
  if (!leading_ && !stopping_) {
    leading_ = true;
    next = machine_->Work({});
    Poll(std::min(next, deadline));
    next = std::min(machine_->Work(ready_), poller_->NextWait());
    polling_until_ = next;
    leading_ = false;
  }
  if (!leading_) HandOver();
  return next;
}

void IoDriver::WakeHost() {
  if (!hosted_) return;
  // One wake-up is enough until the host has called RunOnce.
  polling_until_ = absl::InfinitePast();
  poller_->Wake();
}

void IoDriver::HandOver() {
  if (!followers_.empty()) {
    followers_.front()->Wake();
    return;
  }
  WakeBackground();
}

void IoDriver::WakeBackground() {
  const bool started = background_.joinable();
  const bool could_lead =
      started ? background_idle_ : background_allowed_ && !stopping_;
  if (!could_lead || !machine_->NeedsBackground()) return;
  if (started) {
    background_idle_ = false;
    background_condition_.Signal();
  } else {
    absl::Status status;
    // No other thread may ever try it again. A short shortage must not leave
    // callbacks uncalled.
    for (int attempt = 0; attempt < kStartAttempts; ++attempt) {
      status = StartThread(
          "a client's background thread",
          [this] {
            // A callback may destroy the client.
            const CallScope call(this);
            BackgroundMain();
          },
          &background_);
      if (status.ok()) break;
    }
    const bool told = std::exchange(refused_, !status.ok());
    if (refused_ && !told) machine_->OnNoThread(status);
  }
}

void IoDriver::OnChange(absl::Time deadline) {
  if (leading_) {
    if (polling_ && deadline < polling_until_) poller_->Wake();
    return;
  }
  HandOver();
  if (deadline < polling_until_) WakeHost();
}

bool IoDriver::BackgroundMayLead() const {
  return !leading_ && followers_.empty() && machine_->NeedsBackground();
}

void IoDriver::BackgroundMain() {
  absl::MutexLock lock(mutex_);
  while (!stopping_) {
    if (!BackgroundMayLead()) {
      background_idle_ = true;
      background_condition_.Wait(mutex_);
      background_idle_ = false;
      continue;
    }
    if (threads_wait_) {
      threads_wait_ = false;
      background_condition_.WaitWithTimeout(mutex_, kBackgroundGrace);
      if (stopping_ || threads_wait_ || !BackgroundMayLead()) continue;
    }
    leading_ = true;
    background_leads_ = true;
    absl::Time next = machine_->Work({});
    while (!stopping_ && followers_.empty() && machine_->NeedsBackground()) {
      Poll(next);
      next = machine_->Work(ready_);
    }
    background_leads_ = false;
    leading_ = false;
    if (!followers_.empty()) followers_.front()->Wake();
  }
}

void IoDriver::RequestStop() {
  stopping_ = true;
  poller_->Wake();
}

void IoDriver::ForgetOtherThreads() {
  stopping_ = true;
  followers_.clear();
  background_allowed_ = false;
  if (background_.joinable()) background_.detach();
}

void IoDriver::Stop() {
  std::thread background;
  {
    absl::MutexLock lock(mutex_);
    stopping_ = true;
    poller_->Wake();
    background_condition_.SignalAll();
    for (Waiter* waiter : followers_) waiter->Wake();
    background = std::move(background_);
  }
  if (!background.joinable()) return;
  if (background.get_id() == std::this_thread::get_id()) {
    // The last callback on the background thread has destroyed the client.
    background.detach();
  } else {
    background.join();
  }
}

}  // namespace internal
}  // namespace gearman
