#include "gearman/sdk/builtins.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gearman/plugins/metrics/metrics.pb.h"
#include "gearman/plugins/metrics/prometheus_plugin.h"
#include "gearman/plugins/retry/retry.pb.h"
#include "gearman/plugins/server_selection/server_selection.pb.h"
#include "gearman/sdk/plugin_registry.h"
#include "gmock/gmock.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

// The names that a family's config message offers, but for outsiders.
std::vector<std::string> Offered(const google::protobuf::Descriptor* choice) {
  std::vector<std::string> names;
  const google::protobuf::OneofDescriptor* const oneof = choice->oneof_decl(0);
  for (int i = 0; i < oneof->field_count(); ++i) {
    if (oneof->field(i)->message_type() !=
        google::protobuf::Any::descriptor()) {
      names.emplace_back(oneof->field(i)->name());
    }
  }
  return names;
}

TEST(Builtins, FillTheDefaultRegistryWhenLinked) {
  const PluginRegistry& registry = PluginRegistry::Default();
  EXPECT_TRUE(registry.registration_error().ok())
      << registry.registration_error();
  EXPECT_THAT(
      registry.retry_policies().names(),
      ElementsAre("budget", "exponential_backoff", "immediate", "none"));
  EXPECT_THAT(registry.transports()->schemes(),
              ElementsAre("inproc", "tcp", "tls"));
}

TEST(Builtins, FillARegistryOfOnesOwn) {
  PluginRegistry registry;
  const absl::Status status = RegisterBuiltins(&registry);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(registry.config_types(), PluginRegistry::Default().config_types());
  EXPECT_EQ(registry.transports()->schemes(),
            PluginRegistry::Default().transports()->schemes());
}

TEST(Builtins, AreWhatTheConfigOffers) {
  PluginRegistry registry;
  ASSERT_TRUE(RegisterBuiltins(&registry).ok());
  // Brings an HTTP server, so that a program asks for it by linking it.
  ASSERT_TRUE(RegisterPrometheusPlugin(&registry.metrics_sinks()).ok());
  EXPECT_THAT(registry.retry_policies().names(),
              UnorderedElementsAreArray(Offered(config::Retry::descriptor())));
  EXPECT_THAT(
      registry.backoff_policies().names(),
      UnorderedElementsAreArray(Offered(config::Backoff::descriptor())));
  EXPECT_THAT(
      registry.idempotency_policies().names(),
      UnorderedElementsAreArray(Offered(config::Idempotency::descriptor())));
  EXPECT_THAT(registry.server_selectors().names(),
              UnorderedElementsAreArray(
                  Offered(config::ServerSelection::descriptor())));
  EXPECT_THAT(
      registry.metrics_sinks().names(),
      UnorderedElementsAreArray(Offered(config::Metrics::descriptor())));
}

TEST(Builtins, CanBeMadeByNameWithTheirDefaults) {
  PluginRegistry registry;
  ASSERT_TRUE(RegisterBuiltins(&registry).ok());
  for (const std::string& name : registry.retry_policies().names()) {
    EXPECT_TRUE(registry.retry_policies().CreateByName(name).ok()) << name;
  }
  for (const std::string& name : registry.backoff_policies().names()) {
    EXPECT_TRUE(registry.backoff_policies().CreateByName(name).ok()) << name;
  }
  for (const std::string& name : registry.idempotency_policies().names()) {
    EXPECT_TRUE(registry.idempotency_policies().CreateByName(name).ok())
        << name;
  }
  for (const std::string& name : registry.server_selectors().names()) {
    EXPECT_TRUE(registry.server_selectors().CreateByName(name).ok()) << name;
  }
  for (const std::string& name : registry.metrics_sinks().names()) {
    EXPECT_TRUE(registry.metrics_sinks().CreateByName(name).ok()) << name;
  }
}

TEST(Builtins, AreNotRegisteredTwice) {
  EXPECT_TRUE(
      absl::IsAlreadyExists(RegisterBuiltins(&PluginRegistry::Default())));
}

}  // namespace
}  // namespace gearman
