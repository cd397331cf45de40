// The common decision of the SDK's retry policies: which failures another
// attempt may mend, and how many attempts there are. Thread-safe.
#ifndef GEARMAN_PLUGINS_RETRY_ATTEMPT_LIMIT_H_
#define GEARMAN_PLUGINS_RETRY_ATTEMPT_LIMIT_H_

#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// Decides to try again, with the delay unset, if no answer came or the server
// refused: connecting failed, the connection was lost or silent, the queue was
// full, the server's store failed. A job's own failure or exception is final,
// and so is an error that every server would repeat (INVALID_ARGUMENT,
// UNIMPLEMENTED). UNAUTHENTICATED is final after as many attempts as there are
// servers. `max_attempts` is the policy's own limit (0: none) beside the
// request's limit. The smaller limit counts; RetryDecision::why tells which one
// it was.
RetryDecision AgainWithinLimit(const AttemptFailure& failure, int max_attempts);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_ATTEMPT_LIMIT_H_
