#include "gearman/sdk/client/told_call.h"

#include <optional>
#include <utility>

#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {
namespace {

absl::StatusOr<std::string> EndOf(const JobRequest& request) {
  absl::Status status = request.status();
  if (!status.ok()) return status;
  std::optional<std::string> result = request.TakeResult();
  return result.has_value() ? *std::move(result) : std::string();
}

}  // namespace

void CallListener::OnSubmissionEnd(const JobRequest& request) {
  // The user's on_complete has submitted the request again.
  if (!request.finished()) return;
  if (ended_.exchange(true, std::memory_order_acq_rel)) return;
  // An executor of the user's may throw.
  CallIgnoringThrow([&] { OnEnd(EndOf(request)); });
}

JobRequest MakeTold(JobSpec&& spec, Ref<CallListener> listener) {
  JobRequest request(std::move(spec));
  Access::StateOf(request)->listener = std::move(listener);
  return request;
}

void SubmitTold(Client& client, absl::Span<const JobRequest> requests) {
  // A new request belongs to no other client, so every error is in its own
  // status.
  client.SubmitMultipleRequests(requests).IgnoreError();
  for (const JobRequest& request : requests) {
    // A request that was tried has an end to come. The end of one that was
    // never tried may be silent: it was dropped (WhenFull::kDrop), its client
    // is being destroyed, or this is a child made by fork.
    if (!request.finished() || request.connection_attempts() > 0) continue;
    if (request.status().ok()) continue;
    Access::StateOf(request)->listener->OnSubmissionEnd(request);
  }
}

// --- the gate ----------------------------------------------------------------

const void* ThisThread() {
  static thread_local const char here = 0;
  return &here;
}

bool CallGate::Enter() {
  absl::MutexLock lock(&mutex_);
  if (!closed_) inside_ = ThisThread();
  return !closed_;
}

void CallGate::Leave() {
  absl::MutexLock lock(&mutex_);
  inside_ = nullptr;
}

void CallGate::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  if (inside_ == ThisThread()) return;
  mutex_.Await(absl::Condition(
      +[](const void** inside) { return *inside == nullptr; }, &inside_));
}

void GuardCallbacks(const std::shared_ptr<CallGate>& gate,
                    JobCallbacks* callbacks) {
  const auto guard = [&gate](auto* callback) {
    if (!*callback) return;
    *callback = [gate, theirs = std::move(*callback)](const auto&... rest) {
      gate->Call([&] { theirs(rest...); });
    };
  };
  guard(&callbacks->on_accepted);
  guard(&callbacks->on_data);
  guard(&callbacks->on_piece);
  guard(&callbacks->on_warning);
  guard(&callbacks->on_status);
  guard(&callbacks->on_complete);
}

}  // namespace internal
}  // namespace gearman
