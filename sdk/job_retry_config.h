// JobRetryPolicyFromConfig: how failed jobs are tried again, from a config.
//
//   absl::StatusOr<gearman::JobRetryPolicy> policy =
//       gearman::JobRetryPolicyFromConfig(*config);
//   ...
//   status = (*retry)->Register(*worker, "resize", Resize, *std::move(policy));
//
// This header has a library of its own, because a program with a config need
// not have JobRetry (sdk/job_retry.h).
#ifndef GEARMAN_SDK_JOB_RETRY_CONFIG_H_
#define GEARMAN_SDK_JOB_RETRY_CONFIG_H_

#include "absl/status/statusor.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/job_retry.h"

namespace gearman {

// Returns the policy that the field `job_retry` of the config describes, with a
// default for every unset field. `registry` makes the backoff policy. Each call
// makes a new one: tasks that get a copy of the policy share it. The errors are
// those of Config::ToClientOptions. It is thread-safe.
absl::StatusOr<JobRetryPolicy> JobRetryPolicyFromConfig(
    const Config& config,
    const PluginRegistry& registry = DefaultPluginRegistry());

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_RETRY_CONFIG_H_
