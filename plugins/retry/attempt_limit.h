// What the shipped policies have in common: which failures another attempt may
// help against, and how many attempts there are. Thread-safe.
#ifndef GEARMAN_PLUGINS_RETRY_ATTEMPT_LIMIT_H_
#define GEARMAN_PLUGINS_RETRY_ATTEMPT_LIMIT_H_

#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// Goes on, with the delay unset, where no answer came or the server refused:
// connecting failed, the connection was lost or silent, the queue was full. A
// job's own failure and exception are final, and so is what no server would
// take (INVALID_ARGUMENT) or knows (UNIMPLEMENTED). Peers that are not trusted
// (UNAUTHENTICATED) are not asked twice. `max_attempts` is the policy's own
// limit (0: none) beside the request's; the smaller one counts, and the reason
// tells which one it was.
RetryDecision AgainWithinLimit(const AttemptFailure& failure, int max_attempts);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_ATTEMPT_LIMIT_H_
