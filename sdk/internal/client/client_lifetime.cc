// The part of ClientCore that ends it in the middle of its own work, and that
// serves its copy in a child made by fork.
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/request/job_request_state.h"

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
    JobRequestState& request = *Access::StateOf(handle);
    // Skips requests in flight, in the parent or in a client of this process.
    if (InFlight(request) || request.state != JobState::kUnknown) continue;
    request.core = shared_from_this();
    request.ForgetOutcome();
    request.status = InheritedError("client");
  }
  return InheritedError("client");
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

}  // namespace internal
}  // namespace gearman
