#include "gearman/plugins/retry/retry_plugins.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/plugins/retry/retry.pb.h"
#include "gearman/plugins/retry/retry_budget.h"
#include "gearman/text/safe_text.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace {

// No client has this many servers. The limit keeps a slip of the hand from
// flooding them.
constexpr uint32_t kMostAttempts = 1000;
constexpr uint32_t kMostTokens = 1'000'000;
constexpr absl::Duration kLongestDelay = absl::Hours(1);

// Each function writes a field that is set to `value`, or returns its fault.
absl::Status ReadNumber(absl::string_view field, bool set, uint32_t number,
                        uint32_t min, uint32_t max, int* value) {
  if (!set) return absl::OkStatus();
  if (number < min || number > max) {
    return FieldError(field, absl::StrCat(number),
                      absl::StrCat("it must be from ", min, " to ", max));
  }
  *value = static_cast<int>(number);
  return absl::OkStatus();
}

absl::Status ReadReal(absl::string_view field, bool set, double number,
                      double min, double max, double* value) {
  if (!set) return absl::OkStatus();
  if (!(number >= min && number <= max)) {
    return FieldError(field, absl::StrCat(number),
                      absl::StrCat("it must be from ", min, " to ", max));
  }
  *value = number;
  return absl::OkStatus();
}

absl::Status ReadDelay(absl::string_view field, bool set,
                       const std::string& text, absl::Duration* value) {
  if (!set) return absl::OkStatus();
  absl::Duration delay;
  if (!absl::ParseDuration(text, &delay) || delay < absl::ZeroDuration() ||
      delay > kLongestDelay) {
    return FieldError(field, absl::StrCat("\"", SafeText(text), "\""),
                      absl::StrCat("it must be a duration such as \"100ms\" or "
                                   "\"2s\", from 0 to ",
                                   absl::FormatDuration(kLongestDelay)));
  }
  *value = delay;
  return absl::OkStatus();
}

absl::StatusOr<ExponentialBackoffOptions> ReadBackoff(
    const config::ExponentialBackoff& config) {
  ExponentialBackoffOptions options;
  absl::Status status =
      ReadDelay("initial_delay", config.has_initial_delay(),
                config.initial_delay(), &options.initial_delay);
  status.Update(ReadDelay("max_delay", config.has_max_delay(),
                          config.max_delay(), &options.max_delay));
  status.Update(ReadReal("multiplier", config.has_multiplier(),
                         config.multiplier(), 1, 100, &options.multiplier));
  status.Update(ReadReal("jitter", config.has_jitter(), config.jitter(), 0, 1,
                         &options.jitter));
  if (!status.ok()) return status;
  return options;
}

absl::StatusOr<std::unique_ptr<RetryPolicy>> MakeImmediate(
    const config::ImmediateRetry& config) {
  ImmediateRetryOptions options;
  absl::Status status = ReadNumber("max_attempts", config.has_max_attempts(),
                                   config.max_attempts(), 1, kMostAttempts,
                                   &options.max_attempts);
  if (!status.ok()) return status;
  return std::make_unique<ImmediateRetryPolicy>(options);
}

absl::StatusOr<std::unique_ptr<RetryPolicy>> MakeExponential(
    const config::ExponentialBackoffRetry& config) {
  ExponentialBackoffRetryOptions options;
  absl::Status status = ReadNumber("max_attempts", config.has_max_attempts(),
                                   config.max_attempts(), 1, kMostAttempts,
                                   &options.max_attempts);
  if (!status.ok()) return status;
  absl::StatusOr<ExponentialBackoffOptions> backoff =
      ReadBackoff(config.delay());
  if (!backoff.ok()) return WithinField("delay", backoff.status());
  options.backoff = *backoff;
  return std::make_unique<ExponentialBackoffRetryPolicy>(options);
}

// Returns the config that was chosen, and the name of its field.
std::pair<const google::protobuf::Message*, absl::string_view> ChosenPolicy(
    const config::Retry& config) {
  switch (config.policy_case()) {
    case config::Retry::kNone:
      return {&config.none(), "none"};
    case config::Retry::kImmediate:
      return {&config.immediate(), "immediate"};
    case config::Retry::kBudget:
      return {&config.budget(), "budget"};
    case config::Retry::kPlugin:
      return {&config.plugin(), "plugin"};
    case config::Retry::kExponentialBackoff:
    case config::Retry::POLICY_NOT_SET:
      break;
  }
  return {&config.exponential_backoff(), "exponential_backoff"};
}

absl::StatusOr<std::unique_ptr<RetryPolicy>> MakeBudget(
    const config::RetryBudget& config, const Registry<RetryPolicy>& registry) {
  RetryBudgetOptions options;
  absl::Status status =
      ReadNumber("max_tokens", config.has_max_tokens(), config.max_tokens(), 1,
                 kMostTokens, &options.max_tokens);
  status.Update(ReadNumber("retry_cost", config.has_retry_cost(),
                           config.retry_cost(), 0, kMostTokens,
                           &options.retry_cost));
  status.Update(ReadNumber("timeout_cost", config.has_timeout_cost(),
                           config.timeout_cost(), 0, kMostTokens,
                           &options.timeout_cost));
  status.Update(ReadNumber("success_refund", config.has_success_refund(),
                           config.success_refund(), 0, kMostTokens,
                           &options.success_refund));
  if (status.ok()) status = RetryBudgetPolicy::Check(options);
  if (!status.ok()) return status;
  const auto [inner, name] = ChosenPolicy(config.policy());
  absl::StatusOr<std::unique_ptr<RetryPolicy>> policy = registry.Create(*inner);
  if (!policy.ok()) {
    return WithinField(absl::StrCat("policy.", name), policy.status());
  }
  return std::make_unique<RetryBudgetPolicy>(*std::move(policy), options);
}

absl::StatusOr<std::unique_ptr<BackoffPolicy>> MakeConstant(
    const config::ConstantBackoff& config) {
  absl::Duration delay = absl::Seconds(1);
  absl::Status status =
      ReadDelay("delay", config.has_delay(), config.delay(), &delay);
  if (!status.ok()) return status;
  return std::make_unique<ConstantBackoffPolicy>(delay);
}

}  // namespace

absl::Status RegisterRetryPlugins(Registry<RetryPolicy>* registry) {
  absl::Status status = registry->Register<config::NoRetry>(
      "none",
      [](const config::NoRetry&) { return std::make_unique<NoRetryPolicy>(); });
  status.Update(
      registry->Register<config::ImmediateRetry>("immediate", MakeImmediate));
  status.Update(registry->Register<config::ExponentialBackoffRetry>(
      "exponential_backoff", MakeExponential));
  status.Update(registry->Register<config::RetryBudget>(
      "budget", [registry](const config::RetryBudget& config) {
        return MakeBudget(config, *registry);
      }));
  return status;
}

absl::Status RegisterBackoffPlugins(Registry<BackoffPolicy>* registry) {
  absl::Status status =
      registry->Register<config::ConstantBackoff>("constant", MakeConstant);
  status.Update(registry->Register<config::ExponentialBackoff>(
      "exponential",
      [](const config::ExponentialBackoff& config)
          -> absl::StatusOr<std::unique_ptr<BackoffPolicy>> {
        absl::StatusOr<ExponentialBackoffOptions> options = ReadBackoff(config);
        if (!options.ok()) return options.status();
        return std::make_unique<ExponentialBackoffPolicy>(*options);
      }));
  return status;
}

absl::Status RegisterIdempotencyPlugins(Registry<IdempotencyPolicy>* registry) {
  absl::Status status = registry->Register<config::StandardIdempotency>(
      "standard", [](const config::StandardIdempotency&) {
        return std::make_unique<StandardIdempotencyPolicy>();
      });
  status.Update(registry->Register<config::StrictIdempotency>(
      "strict", [](const config::StrictIdempotency&) {
        return std::make_unique<StrictIdempotencyPolicy>();
      }));
  return status;
}

}  // namespace gearman
