// TransientErrorRetry: runs a job again when its exception sounds as if another
// attempt might do better. Connections that fail are another policy's business:
// it gives up on them. Thread-safe: nothing changes after the constructor.
#ifndef CUSTOM_RETRY_PLUGIN_TRANSIENT_ERROR_RETRY_H_
#define CUSTOM_RETRY_PLUGIN_TRANSIENT_ERROR_RETRY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "transient_error_retry.pb.h"

namespace acme {

class TransientErrorRetry : public gearman::RetryPolicy {
 public:
  TransientErrorRetry(std::vector<std::string> words, int max_attempts);

  gearman::RetryDecision OnFailure(
      const gearman::AttemptFailure& failure) override;
  int DefaultMaxAttempts(int servers) const override;
  absl::string_view name() const override { return "transient_error"; }

 private:
  const std::vector<std::string> words_;
  const int max_attempts_;
};

// INVALID_ARGUMENT: a value of `config` that makes no sense.
absl::StatusOr<std::unique_ptr<gearman::RetryPolicy>> MakeTransientErrorRetry(
    const TransientErrorRetryConfig& config);

}  // namespace acme

#endif  // CUSTOM_RETRY_PLUGIN_TRANSIENT_ERROR_RETRY_H_
