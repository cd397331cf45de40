// ImmediateRetryPolicy ("immediate", the default): at once on another server,
// up to a maximum of attempts, as python-gearman does.
//
// It goes on where no answer came or the server refused: connecting failed,
// the connection was lost, the queue was full. A job's own failure, exception
// and a time limit are final, and so is what no server would take
// (INVALID_ARGUMENT). What an accepted job may do twice is not its business:
// the SDK's guard repeats such work only when it is marked idempotent.
#ifndef GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_
#define GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_

#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

struct ImmediateRetryOptions {
  // Attempts in all, the first one included; 0: as many as the request may
  // make. The smaller of this and the request's maximum counts.
  int max_attempts = 0;
};

class ImmediateRetryPolicy : public RetryPolicy {
 public:
  explicit ImmediateRetryPolicy(ImmediateRetryOptions options = {});

  RetryDecision OnFailure(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "immediate"; }

 private:
  const ImmediateRetryOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_
