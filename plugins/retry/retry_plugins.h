// The retry policies that come with the SDK, as plugins.
#ifndef GEARMAN_PLUGINS_RETRY_RETRY_PLUGINS_H_
#define GEARMAN_PLUGINS_RETRY_RETRY_PLUGINS_H_

#include "absl/status/status.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// Registers `none` and `immediate`. ALREADY_EXISTS when one is.
absl::Status RegisterRetryPlugins(Registry<RetryPolicy>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_RETRY_PLUGINS_H_
