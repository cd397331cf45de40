// The plugins that null options of a client stand for.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_DEFAULT_PLUGINS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_DEFAULT_PLUGINS_H_

#include <memory>

#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {
namespace internal {

// `exponential_backoff` makes three attempts.
std::shared_ptr<RetryPolicy> DefaultRetryPolicy();
// `random`.
std::shared_ptr<ServerSelector> DefaultServerSelector();
// The delay after a failed attempt when the backoff policy has thrown. It is
// the delay of `exponential` without options.
absl::Duration DefaultBackoff(const AttemptFailure& failure);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_DEFAULT_PLUGINS_H_
