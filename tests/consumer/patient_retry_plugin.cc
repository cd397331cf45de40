// Registers the patient retry policy: linked into a program, its config knows
// it by its message.
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/plugins/field_error.h"
#include "gearman/sdk/plugin_registry.h"
#include "patient_retry.h"
#include "patient_retry.pb.h"

namespace {

absl::StatusOr<std::unique_ptr<gearman::RetryPolicy>> MakePatientRetry(
    const consumer::PatientRetryConfig& config) {
  absl::Duration step = absl::Milliseconds(100);
  if (config.has_step() && (!absl::ParseDuration(config.step(), &step) ||
                            step < absl::ZeroDuration())) {
    return gearman::FieldError("step", absl::StrCat("\"", config.step(), "\""),
                               "expected a duration such as \"250ms\"");
  }
  return std::make_unique<consumer::PatientRetry>(step);
}

GEARMAN_REGISTER_RETRY_POLICY("patient", consumer::PatientRetryConfig,
                              MakePatientRetry);

}  // namespace
