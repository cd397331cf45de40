#include "gearman/sdk/job_retry_config.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {

absl::StatusOr<JobRetryPolicy> JobRetryPolicyFromConfig(
    const Config& config, const PluginRegistry& registry) {
  // Checks the whole config, too.
  absl::StatusOr<std::shared_ptr<BackoffPolicy>> backoff =
      config.ToJobRetryBackoff(registry);
  if (!backoff.ok()) return backoff.status();
  const config::JobRetry& message = config.message().job_retry();
  JobRetryPolicy policy;
  policy.backoff = *std::move(backoff);
  if (message.has_max_attempts()) {
    policy.max_attempts = static_cast<int>(message.max_attempts());
  }
  if (message.final_errors_size() > 0) {
    // The numbers of the config's codes are those of Abseil's.
    policy.repeats = [final_errors =
                          std::vector<int>(message.final_errors().begin(),
                                           message.final_errors().end())](
                         const absl::Status& error) {
      return !absl::c_linear_search(final_errors, error.raw_code());
    };
  }
  policy.dead_letter_task = message.dead_letter_task();
  if (message.has_place()) {
    policy.place = message.place() == config::JobRetryPlace::WORKER
                       ? RetryPlace::kWorker
                       : RetryPlace::kServer;
  }
  return policy;
}

}  // namespace gearman
