// The options of a call, in the record of its request.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_CALL_OPTIONS_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_CALL_OPTIONS_H_

#include "absl/status/status.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {

// Gives a request that is not in flight its options, in place of those that it
// has. A background request stays one.
void SetOptions(CallOptions&& options, JobRequestState* state);
// INVALID_ARGUMENT: an option has a value that no submission can have.
absl::Status CheckOptions(const CallOptions& options);

// Undoes the changes of interceptors, so that another submission begins with
// the job as its caller gave it. The request must have extras.
void RestoreOriginal(JobRequestState* state);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_CALL_OPTIONS_H_
