#include "gearman/sdk/client/told_call.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "gearman/plugins/guarded_call.h"

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

JobRequest ToldCall::Submit(Client& client, JobSpec spec,
                            std::shared_ptr<CallListener> listener) {
  Attach(listener, &spec.options.callbacks);
  JobRequest request = client.SubmitJob(std::move(spec));
  TellIfRefused(request, listener.get());
  return request;
}

std::vector<JobRequest> ToldCall::SubmitAll(
    Client& client, std::vector<JobSpec> specs,
    const std::vector<std::shared_ptr<CallListener>>& listeners) {
  for (size_t i = 0; i < specs.size(); ++i) {
    Attach(listeners[i], &specs[i].options.callbacks);
  }
  std::vector<JobRequest> requests =
      client.SubmitMultipleJobs(std::move(specs));
  for (size_t i = 0; i < requests.size(); ++i) {
    TellIfRefused(requests[i], listeners[i].get());
  }
  return requests;
}

void ToldCall::Attach(const std::shared_ptr<CallListener>& listener,
                      JobCallbacks* callbacks) {
  callbacks->on_complete =
      [listener,
       theirs = std::move(callbacks->on_complete)](const JobRequest& request) {
        // Tells the end even if the user's callback throws.
        struct Teller {
          ~Teller() { Tell(request, listener); }
          const JobRequest& request;
          CallListener* const listener;
        };
        const Teller teller{request, listener.get()};
        if (theirs) theirs(request);
      };
}

void ToldCall::TellIfRefused(const JobRequest& request,
                             CallListener* listener) {
  // A request that was tried has a callback to come. One that was never tried
  // may have none: it was dropped (WhenFull::kDrop), its client is being
  // destroyed, or this is a child made by fork.
  if (!request.finished() || request.connection_attempts() > 0) return;
  if (!request.status().ok()) Tell(request, listener);
}

void ToldCall::Tell(const JobRequest& request, CallListener* listener) {
  // The user's on_complete has submitted the request again.
  if (!request.finished()) return;
  if (listener->ended_.exchange(true, std::memory_order_acq_rel)) return;
  // An executor of the user's may throw.
  CallIgnoringThrow([&] { listener->OnEnd(EndOf(request)); });
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
