// A call's options, in and out of the record of its request.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CALL_OPTIONS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CALL_OPTIONS_H_

#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/job_request_state.h"

namespace gearman {
namespace internal {

// Puts them into a request that has none yet. What can't be right is told when
// it is submitted (JobRequestState::invalid).
void PutOptions(CallOptions&& options, JobRequestState* state);
// Takes them out again: the request has none. (In the background it stays.)
CallOptions TakeOptions(JobRequestState* state);
// A copy, of a request not in flight whose options are valid.
CallOptions OptionsOf(const JobRequestState& state);

// Takes back what interceptors have changed: another submission begins with the
// job as its caller gave it. The request has extras.
void RestoreOriginal(JobRequestState* state);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CALL_OPTIONS_H_
