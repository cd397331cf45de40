// What a client does without plugins: the members that null options mean.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_DEFAULT_PLUGINS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_DEFAULT_PLUGINS_H_

#include <memory>

#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {
namespace internal {

// `immediate`: what was surely not accepted is tried on the next server.
std::shared_ptr<RetryPolicy> DefaultRetryPolicy();
// `random`.
std::shared_ptr<ServerSelector> DefaultServerSelector();
// The delay after a failed attempt when the backoff policy has none to offer:
// that of `exponential` without options.
absl::Duration DefaultBackoff(const AttemptFailure& failure);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_DEFAULT_PLUGINS_H_
