#include "gearman/sdk/internal/client/default_plugins.h"

#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/server_selection/random_selector.h"

namespace gearman {
namespace internal {

std::shared_ptr<RetryPolicy> DefaultRetryPolicy() {
  return std::make_shared<ExponentialBackoffRetryPolicy>();
}

std::shared_ptr<ServerSelector> DefaultServerSelector() {
  return std::make_shared<RandomServerSelector>();
}

absl::Duration DefaultBackoff(const AttemptFailure& failure) {
  return ExponentialBackoffPolicy().OnCompletion(failure);
}

}  // namespace internal
}  // namespace gearman
