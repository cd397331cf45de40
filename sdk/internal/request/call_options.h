// Moves a call's options into and out of the record of its request.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_CALL_OPTIONS_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_CALL_OPTIONS_H_

#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {

// Puts `options` into a request that has none yet. Invalid options are noted in
// JobRequestState::invalid, which submission reports.
void PutOptions(CallOptions&& options, JobRequestState* state);
// Takes the options out of the request, which then has none. A background
// request stays one.
CallOptions TakeOptions(JobRequestState* state);
// Returns a copy of the options of a request that is not in flight. The options
// must be valid.
CallOptions OptionsOf(const JobRequestState& state);

// Undoes the changes of interceptors, so that another submission begins with
// the job as its caller gave it. The request must have extras.
void RestoreOriginal(JobRequestState* state);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_CALL_OPTIONS_H_
