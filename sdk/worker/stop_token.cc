#include "gearman/sdk/stop_token.h"

#include <utility>

#include "gearman/sdk/internal/job/stop_state.h"

namespace gearman {

bool StopToken::stop_requested() const { return reason() != StopReason::kNone; }

StopReason StopToken::reason() const {
  return state_ == nullptr ? StopReason::kNone : state_->LookAndTell();
}

bool StopToken::WaitFor(Duration limit) const {
  // A token that never fires has no state to wait with.
  if (state_ != nullptr) return state_->WaitFor(limit);
  internal::StopState never;
  return never.WaitFor(limit);
}

void StopToken::OnStop(absl::AnyInvocable<void()> callback) const {
  if (state_ != nullptr && callback) state_->OnStop(std::move(callback));
}

}  // namespace gearman
