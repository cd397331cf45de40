#include "gearman/sdk/plugin_registry.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/tests/sdk/test_plugin.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using testing::CustomMetricsConfig;
using testing::CustomRetryConfig;
using testing::CustomSelectionConfig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NamedRetry : public NoRetryPolicy {
 public:
  absl::string_view name() const override { return "registered_by_macro"; }
};

GEARMAN_REGISTER_RETRY_POLICY("registered_by_macro", CustomRetryConfig,
                              [](const CustomRetryConfig&) {
                                return std::make_unique<NamedRetry>();
                              });
GEARMAN_REGISTER_SERVER_SELECTOR(
    "registered_by_macro", CustomSelectionConfig,
    [](const CustomSelectionConfig&) {
      return std::make_unique<RandomServerSelector>();
    });
GEARMAN_REGISTER_METRICS_SINK("registered_by_macro", CustomMetricsConfig,
                              [](const CustomMetricsConfig&) {
                                return std::make_unique<InMemoryMetrics>();
                              });
// The name is free, the config message is not.
GEARMAN_REGISTER_RETRY_POLICY("registered_too_late", CustomRetryConfig,
                              [](const CustomRetryConfig&) {
                                return std::make_unique<NamedRetry>();
                              });

TEST(RegistrationMacros, FillTheDefaultRegistryBeforeMain) {
  PluginRegistry& registry = PluginRegistry::Default();
  auto policy = registry.retry_policies().Create(CustomRetryConfig());
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ((*policy)->name(), "registered_by_macro");
  EXPECT_TRUE(
      registry.server_selectors().CreateByName("registered_by_macro").ok());
  EXPECT_TRUE(
      registry.metrics_sinks().CreateByName("registered_by_macro").ok());
}

TEST(RegistrationMacros, LeaveTheirErrorToBeFoundLater) {
  const absl::Status status = PluginRegistry::Default().registration_error();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"registered_too_late\" can't be registered"));
}

TEST(PluginRegistry, IsEmptyAndWithoutErrorsWhenNew) {
  PluginRegistry registry;
  EXPECT_TRUE(registry.config_types().empty());
  EXPECT_TRUE(registry.registration_error().ok());
  EXPECT_NE(registry.transports(), nullptr);
}

TEST(PluginRegistry, KeepsTheFirstError) {
  PluginRegistry registry;
  registry.NoteRegistration(absl::OkStatus());
  registry.NoteRegistration(absl::NotFoundError("first"));
  registry.NoteRegistration(absl::InternalError("second"));
  EXPECT_EQ(registry.registration_error().message(), "first");
}

TEST(PluginRegistry, ListsTheConfigsOfAllFamilies) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.retry_policies()
                  .Register<CustomRetryConfig>(
                      "r",
                      [](const CustomRetryConfig&) {
                        return std::make_unique<NoRetryPolicy>();
                      })
                  .ok());
  ASSERT_TRUE(registry.metrics_sinks()
                  .Register<CustomMetricsConfig>(
                      "m",
                      [](const CustomMetricsConfig&) {
                        return std::make_unique<InMemoryMetrics>();
                      })
                  .ok());
  EXPECT_THAT(registry.config_types(),
              ElementsAre("gearman.testing.CustomMetricsConfig",
                          "gearman.testing.CustomRetryConfig"));
}

}  // namespace
}  // namespace gearman
