// Calls the handler of a job, with the observers and interceptors around it, on
// the thread of the caller.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_HANDLER_CALL_H_
#define GEARMAN_SDK_INTERNAL_WORKER_HANDLER_CALL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/internal/job/held_job.h"

namespace gearman {
namespace internal {

// Calls the synchronous handler of a job. An exception becomes a JobException.
absl::StatusOr<std::string> CallHandler(const HeldJobPtr& job);
// Calls the asynchronous handler of a job. OK: some code has the PendingJob or
// has finished it. An error: the handler threw, or dropped it (then
// `*forgotten`).
absl::Status CallAsyncHandler(const HeldJobPtr& job, bool* forgotten);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_HANDLER_CALL_H_
