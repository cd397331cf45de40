// Tests of libraries that can't be loaded. examples/custom_retry_plugin has one
// that can.
#include "gearman/sdk/plugin_loader.h"

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/barrier.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tests/support/shared_object_bytes.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(PluginLoader, NamesALibraryThatCantBeFound) {
  PluginRegistry registry;
  const absl::Status status = LoadPluginLibrary("/no/such/lib.so", &registry);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("plugin library /no/such/lib.so: "));
  EXPECT_EQ(LoadPluginLibrary("", &registry).code(),
            absl::StatusCode::kNotFound);
}

TEST(PluginLoader, RefusesALibraryWithoutPlugins) {
  PluginRegistry registry;
  const absl::Status status = LoadPluginLibrary("libm.so.6", &registry);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no function gearman_register_plugins"));
}

// Real ones are made and refused in tests/packaging/build_packages.
TEST(PluginLoader, RefusesALibraryThatBringsAnotherCopyOfTheSdk) {
  const support::TestDirectory directory;
  const std::string path = directory.Write(
      "libshared.so",
      support::SharedObjectBytes({"libstdc++.so.6", "libgearman_sdk.so.0.99"}));
  PluginRegistry registry;
  const absl::Status status = LoadPluginLibrary(path, &registry);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(status.message()),
      StartsWith("plugin library " + path +
                 ": it needs libgearman_sdk.so.0.99, which would be a second "
                 "copy of the SDK: this program has the SDK in "));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("; link both with the static SDK, or both with the "
                        "same shared one"));
}

TEST(PluginLoader, AConfigSaysWhichOfItsLibrariesIsWrong) {
  for (const char* const text :
       {"servers: \"a\" plugin_libraries: [\"/no/such/lib.so\"] "
        "retry { plugin { [type.googleapis.com/acme.Unknown] { x: 1 } } }",
        "plugin_libraries: \"/no/such/lib.so\""}) {
    const absl::Status status = Config::FromText(text, "a.textproto").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << text;
    EXPECT_THAT(std::string(status.message()),
                StartsWith("a.textproto: plugin_libraries: plugin library "
                           "/no/such/lib.so: "));
  }
  for (const char* const text :
       {"{\"plugin_libraries\": [\"/no/such/lib.so\"], \"retry\": {\"plugin\": "
        "{\"@type\": \"type.googleapis.com/acme.Unknown\", \"x\": 1}}}",
        "{\"pluginLibraries\": [\"\\u002fno/such/lib.so\"]}"}) {
    const absl::Status status = Config::FromJson(text, "a.json").status();
    EXPECT_THAT(std::string(status.message()),
                StartsWith("a.json: plugin_libraries: plugin library "
                           "/no/such/lib.so: "));
  }
}

TEST(PluginLoader, AConfigThatMakesNoSenseLoadsNothing) {
  const absl::Status status =
      Config::FromText("plugin_libraries: \"libm.so.6\" }", "a.textproto")
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith("a.textproto:1:"));
  EXPECT_EQ(
      Config::FromJson("{\"plugin_libraries\": 3}", "a.json").status().code(),
      absl::StatusCode::kInvalidArgument);
}

// The mistake hides the libraries, and so their plugins are unknown.
TEST(PluginLoader, AMistakeElsewhereIsSaidBeforeThePluginsOfALibrary) {
  const absl::Status text =
      Config::FromText(
          "plugin_libraries: \"/no/such/lib.so\"\n"
          "retry { plugin { [type.googleapis.com/acme.Unknown] { x: 1 } } }\n"
          "log_level: LOUD",
          "a.textproto")
          .status();
  EXPECT_THAT(std::string(text.message()),
              StartsWith("a.textproto:3:12: log_level: LOUD is not valid"));
  const absl::Status json =
      Config::FromJson(
          "{\"retry\": {\"plugin\": {\"@type\": "
          "\"type.googleapis.com/acme.Unknown\", \"x\": 1}},\n"
          "\"plugin_libraries\": 3}",
          "a.json")
          .status();
  EXPECT_THAT(std::string(json.message()),
              StartsWith("a.json:2:21: plugin_libraries: 3 is not valid"));
  // The plugin alone is wrong: its block is.
  const absl::Status plugin =
      Config::FromText(
          "plugin_libraries: \"/no/such/lib.so\"\n"
          "retry { plugin { [type.googleapis.com/acme.Unknown] { "
          "x: } } }",
          "a.textproto")
          .status();
  EXPECT_EQ(plugin.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(plugin.message()), StartsWith("a.textproto:2:"));
}

TEST(PluginLoader, ThreadsThatLoadALibraryAtOnceHaveItRegisterOnce) {
  constexpr int kThreads = 4;
  // All registries are kept: the library tells them apart by where they are.
  std::vector<std::unique_ptr<PluginRegistry>> registries;
  for (int round = 0; round < 100; ++round) {
    registries.push_back(std::make_unique<PluginRegistry>());
    PluginRegistry& registry = *registries.back();
    absl::Barrier* const barrier = new absl::Barrier(kThreads);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&registry, barrier] {
        if (barrier->Block()) delete barrier;
        // The library refuses to register twice.
        const absl::Status status =
            LoadPluginLibrary("tests/sdk/once_only_plugin.so", &registry);
        EXPECT_TRUE(status.ok()) << status;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace gearman
