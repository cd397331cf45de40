// TransientErrorRetry: runs a job again if its exception suggests that another
// attempt may succeed. It gives up on failed connections, which are for another
// policy. Thread-safe: nothing changes after the constructor.
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

// Returns INVALID_ARGUMENT for a value of `config` that makes no sense.
absl::StatusOr<std::unique_ptr<gearman::RetryPolicy>> MakeTransientErrorRetry(
    const TransientErrorRetryConfig& config);

}  // namespace acme

#endif  // CUSTOM_RETRY_PLUGIN_TRANSIENT_ERROR_RETRY_H_
