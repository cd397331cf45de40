#include "gearman/sdk/plugin_library.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tests/sdk/test_plugin.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using testing::CustomRetryConfig;

absl::Status RegisterMine(PluginRegistry& registry) {
  return registry.retry_policies().Register<CustomRetryConfig>(
      "mine", [](const CustomRetryConfig&) {
        return std::make_unique<NoRetryPolicy>();
      });
}

}  // namespace
}  // namespace gearman

// A plugin's shared object exports this.
GEARMAN_PLUGIN_LIBRARY(gearman::RegisterMine)

namespace gearman {
namespace {

TEST(PluginLibrary, RegistersWithTheRegistryThatItIsGiven) {
  PluginRegistry registry;
  const GearmanRegisterPlugins entry_point = &gearman_register_plugins;
  ASSERT_TRUE(RegisterPluginLibrary("libmine.so", entry_point, &registry).ok());
  EXPECT_THAT(registry.retry_policies().names(),
              ::testing::ElementsAre("mine"));
}

TEST(PluginLibrary, PassesItsErrorOn) {
  PluginRegistry registry;
  ASSERT_TRUE(RegisterMine(registry).ok());
  const absl::Status status =
      RegisterPluginLibrary("libmine.so", &gearman_register_plugins, &registry);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              ::testing::StartsWith("plugin library libmine.so: a retry policy "
                                    "\"mine\" is registered already"));
}

absl::Status Throw(PluginRegistry&) { throw std::runtime_error("no licence"); }

const char* RegisterThrowing(const char* host_abi, PluginRegistry* registry) {
  return internal::RegisterPluginsOnce(host_abi, registry, Throw);
}

TEST(PluginLibrary, WhatItThrowsIsItsError) {
  PluginRegistry registry;
  const absl::Status status =
      RegisterPluginLibrary("libmine.so", &RegisterThrowing, &registry);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              ::testing::StartsWith("plugin library libmine.so: no licence"));
}

const char* ThrowingEntryPoint(const char* /*host_abi*/, PluginRegistry*) {
  throw std::runtime_error("no licence");
}

TEST(PluginLibrary, AnEntryPointOfItsOwnMayThrow) {
  PluginRegistry registry;
  const absl::Status status =
      RegisterPluginLibrary("libown.so", &ThrowingEntryPoint, &registry);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              ::testing::StartsWith("plugin library libown.so: no licence"));
}

TEST(PluginLibrary, RefusesAHostOfAnotherAbi) {
  PluginRegistry registry;
  const char* const error = gearman_register_plugins("gearman 0", &registry);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(std::string(error), "built for " GEARMAN_PLUGIN_ABI);
  EXPECT_TRUE(registry.config_types().empty());
}

const char* BuiltForAnother(const char* host_abi, PluginRegistry*) {
  return std::string(host_abi) == "gearman 0" ? nullptr : "built for gearman 0";
}

TEST(PluginLibrary, NamesBothAbisOfARefusal) {
  PluginRegistry registry;
  const absl::Status status =
      RegisterPluginLibrary("libold.so", &BuiltForAnother, &registry);
  EXPECT_EQ(status.message(),
            "plugin library libold.so: built for gearman 0; this program is "
            "built for " GEARMAN_PLUGIN_ABI);
}

TEST(PluginLibrary, NamesWhatBothSidesMustAgreeOn) {
  const std::string abi = GEARMAN_PLUGIN_ABI;
  EXPECT_THAT(abi, ::testing::HasSubstr("gearman 8, abseil "));
  EXPECT_THAT(abi, ::testing::HasSubstr("protobuf 3"));
  EXPECT_THAT(abi, ::testing::Not(::testing::HasSubstr("VERSION")));
}

}  // namespace
}  // namespace gearman
