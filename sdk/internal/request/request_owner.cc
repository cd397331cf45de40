#include "gearman/sdk/internal/request/request_owner.h"

#include <atomic>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gearman/process/per_process.h"
#include "gearman/sdk/internal/request/inline_bytes.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {

absl::Mutex* RequestOwner::request_mutex() {
  if (!inherited()) return &mutex_;
  static const auto* const of_process = new PerProcess<absl::Mutex>();
  return &of_process->Get();
}

void RequestOwner::LeaveBehind(JobRequestState* request) {
  // Another thread of the parent may have been changing the fields that change
  // in flight. So they are replaced, and neither read nor freed.
  if (request->extras != nullptr) {
    JobRequestExtras* const before = request->extras.release();
    KeepForever(before);
    JobRequestExtras& extras = request->MutableExtras();
    extras.large_data = before->large_data;
    extras.body = before->body;
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
  new (&request->server) ClientServerPtr();
  request->attempts = 0;
  request->wait_timed_out = false;
  request->late = false;
  request->has_result = false;
  request->state = JobState::kUnknown;
  request->finished.store(true, std::memory_order_release);
}

}  // namespace internal
}  // namespace gearman
