// Registers the retry, backoff and idempotency policies that come with the SDK
// as plugins, with their configs (retry.proto).
#ifndef GEARMAN_PLUGINS_RETRY_RETRY_PLUGINS_H_
#define GEARMAN_PLUGINS_RETRY_RETRY_PLUGINS_H_

#include "absl/status/status.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// Registers "none", "immediate", "exponential_backoff" and "budget". "budget"
// makes its inner policy with the same registry. Returns ALREADY_EXISTS if a
// name or config type is taken. Any thread may call it.
absl::Status RegisterRetryPlugins(Registry<RetryPolicy>* registry);
// Registers "constant" and "exponential". Errors and threads are those of
// RegisterRetryPlugins.
absl::Status RegisterBackoffPlugins(Registry<BackoffPolicy>* registry);
// Registers "standard" and "strict". Errors and threads are those of
// RegisterRetryPlugins.
absl::Status RegisterIdempotencyPlugins(Registry<IdempotencyPolicy>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_RETRY_PLUGINS_H_
