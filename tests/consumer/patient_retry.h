// PatientRetry: a retry policy that is not the SDK's own. It waits a little
// longer after each failed attempt, and gives up at once on what the server
// refused. Thread-safe: it has no state but its settings.
#ifndef CONSUMER_PATIENT_RETRY_H_
#define CONSUMER_PATIENT_RETRY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace consumer {

class PatientRetry : public gearman::RetryPolicy {
 public:
  // After the n-th failed attempt it waits n * step.
  explicit PatientRetry(absl::Duration step) : step_(step) {}

  gearman::RetryDecision OnFailure(
      const gearman::AttemptFailure& failure) override;
  absl::string_view name() const override { return "patient"; }

 private:
  const absl::Duration step_;
};

}  // namespace consumer

#endif  // CONSUMER_PATIENT_RETRY_H_
