#include "gearman/plugins/retry/retry_plugins.h"

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/plugins/retry/retry.pb.h"

namespace gearman {
namespace {

// More servers than anybody has; keeps a slip of the hand from hammering them.
constexpr uint32_t kMostAttempts = 1000;

absl::StatusOr<std::unique_ptr<RetryPolicy>> MakeImmediate(
    const config::ImmediateRetry& config) {
  ImmediateRetryOptions options;
  if (config.has_max_attempts()) {
    if (config.max_attempts() < 1 || config.max_attempts() > kMostAttempts) {
      return FieldError("max_attempts", absl::StrCat(config.max_attempts()),
                        absl::StrCat("it must be from 1 to ", kMostAttempts));
    }
    options.max_attempts = static_cast<int>(config.max_attempts());
  }
  return std::make_unique<ImmediateRetryPolicy>(options);
}

}  // namespace

absl::Status RegisterRetryPlugins(Registry<RetryPolicy>* registry) {
  absl::Status status;
  status.Update(
      registry->Register<config::NoRetry>("none", [](const config::NoRetry&) {
        return std::make_unique<NoRetryPolicy>();
      }));
  status.Update(
      registry->Register<config::ImmediateRetry>("immediate", MakeImmediate));
  return status;
}

}  // namespace gearman
