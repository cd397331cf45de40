#include "gearman/sdk/internal/job/stop_state.h"

#include <algorithm>
#include <utility>

#include "gearman/plugins/guarded_call.h"

namespace gearman {
namespace internal {

void StopState::Fire(StopReason reason) {
  Callbacks callbacks;
  FireOnly(reason, &callbacks);
  CallAll(std::move(callbacks));
}

void StopState::FireOnly(StopReason reason, Callbacks* callbacks) {
  absl::MutexLock lock(&mutex_);
  if (fired()) return;
  reason_.store(reason, std::memory_order_release);
  for (Callback& callback : callbacks_) {
    callbacks->push_back(std::move(callback));
  }
  callbacks_.clear();
}

void StopState::CallAll(Callbacks callbacks) {
  // An exception of one callback must not disturb the worker and other
  // callbacks.
  for (Callback& callback : callbacks) {
    CallIgnoringThrow(callback);
  }
}

void StopState::End() {
  // OnStop stores and loads the two in the other order, so one of both sees
  // what the other has stored: no callback stays behind.
  ended_.store(true, std::memory_order_seq_cst);
  if (!has_callbacks_.load(std::memory_order_seq_cst)) return;
  Callbacks callbacks;
  absl::MutexLock lock(&mutex_);
  callbacks.swap(callbacks_);
}

void StopState::Reset() {
  if (has_callbacks_.load(std::memory_order_acquire)) {
    // A callback was added just when the job ended.
    Callbacks callbacks;
    absl::MutexLock lock(&mutex_);
    callbacks.swap(callbacks_);
  }
  reason_.store(StopReason::kNone, std::memory_order_relaxed);
  ended_.store(false, std::memory_order_relaxed);
  has_callbacks_.store(false, std::memory_order_relaxed);
}

StopReason StopState::LookAndTell() {
  if (!fired()) {
    HandlerHost* const worker = host();
    if (worker != nullptr) worker->Look(absl::InfinitePast());
  }
  return reason();
}

bool StopState::WaitFor(absl::Duration limit) {
  HandlerHost* const worker = host();
  if (worker == nullptr) {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(this, &StopState::fired),
                                   std::max(limit, absl::ZeroDuration()));
  }
  const absl::Time until = worker->Now() + limit;
  while (!fired() && !worker->gone() && worker->Now() < until) {
    worker->Look(until);
  }
  return fired();
}

void StopState::OnStop(Callback callback) {
  {
    absl::MutexLock lock(&mutex_);
    if (!fired()) {
      has_callbacks_.store(true, std::memory_order_seq_cst);
      if (ended_.load(std::memory_order_seq_cst)) return;
      callbacks_.push_back(std::move(callback));
      return;
    }
  }
  CallIgnoringThrow(callback);
}

}  // namespace internal
}  // namespace gearman
