// The part of ClientCore that ends it in the middle of its own work, and that
// serves its copy in a child made by fork.
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gearman/process/per_process.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/client/job_request_state.h"

namespace gearman {
namespace internal {

// --- destroyed by its own user code ------------------------------------------

void ClientCore::EndLater(std::shared_ptr<ClientCore> core) {
  options_.logger.Log(
      LogLevel::kError,
      "a client was destroyed by code that it had called (a callback, an "
      "interceptor, an observer, a plugin or a logger): it ends when that has "
      "returned; destroy it elsewhere");
  ending_ = true;
  driver_.RequestStop();
  CallScope::AtEnd(&driver_, [core = std::move(core)] { core->Shutdown(); });
}

absl::Status ClientCore::Over() const {
  if (inherited()) return InheritedError("client");
  if (shut_down_ || ending_) {
    return absl::CancelledError("the client was destroyed");
  }
  return absl::OkStatus();
}

// --- in a child made by fork -------------------------------------------------

absl::Status ClientCore::Refuse(absl::Span<const JobRequest> batch) {
  absl::MutexLock lock(request_mutex());
  for (const JobRequest& handle : batch) {
    JobRequestState& request = *handle.internal_state();
    // Skips requests in flight, in the parent or in a client of this process.
    if (InFlight(request) || request.state != JobState::kUnknown) continue;
    request.core = shared_from_this();
    request.ForgetOutcome();
    request.status = InheritedError("client");
  }
  return InheritedError("client");
}

absl::Mutex* ClientCore::request_mutex() {
  if (!inherited()) return &mutex_;
  static const auto* const of_process = new PerProcess<absl::Mutex>();
  return &of_process->Get();
}

void ClientCore::Relock() {
  if (inherited()) {
    // Another thread of the parent may have held the lock. The child has only
    // this thread.
    new (&mutex_) absl::Mutex();
    mutex_.Lock();
    driver_.ForgetOtherThreads();
    return;
  }
  mutex_.Lock();
}

void ClientCore::LeaveBehind(JobRequestState* request) {
  // Another thread of the parent may have been changing the fields that change
  // in flight. So they are replaced, and neither read nor freed.
  if (request->extras != nullptr) {
    JobRequestExtras* const before = request->extras.release();
    KeepForever(before);
    JobRequestExtras& extras = request->MutableExtras();
    extras.callbacks = before->callbacks;
    extras.retry_policy = before->retry_policy;
    extras.run_at = before->run_at;
    extras.original = std::move(before->original);
  }
  new (&request->handle) InlineBytes();
  new (&request->result) std::string();
  new (&request->status) absl::Status(InheritedError("client"));
  request->waiters = nullptr;
  request->session = nullptr;
  request->next_shared = nullptr;
  request->reply_due = false;
  request->to_dispatch = false;
  request->behind = false;
  request->callbacks_pending = 0;
  request->server = -1;
  request->attempts = 0;
  request->timed_out = false;
  request->has_result = false;
  request->state = JobState::kUnknown;
  request->finished.store(true, std::memory_order_release);
}

}  // namespace internal
}  // namespace gearman
