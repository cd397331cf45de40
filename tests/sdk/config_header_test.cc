// sdk/config.h brings its users neither Protobuf nor internal headers.
#include "gearman/sdk/config.h"

// Before any other header.
#ifdef GOOGLE_PROTOBUF_VERSION
constexpr bool kBringsProtobuf = true;
#else
constexpr bool kBringsProtobuf = false;
#endif
#ifdef GEARMAN_SDK_INTERNAL_CONFIG_PLACES_H_
constexpr bool kBringsPlaces = true;
#else
constexpr bool kBringsPlaces = false;
#endif

#include <utility>

#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/plugin_registry.h"
#include "gtest/gtest.h"

#ifndef GOOGLE_PROTOBUF_VERSION
#error "Protobuf's headers are known by another macro now"
#endif

namespace gearman {
namespace {

TEST(ConfigHeader, BringsNoProtobufAndNothingInternal) {
  EXPECT_FALSE(kBringsProtobuf);
  EXPECT_FALSE(kBringsPlaces);
  EXPECT_EQ(&DefaultPluginRegistry(), &PluginRegistry::Default());
}

TEST(Config, IsAValue) {
  config::GearmanConfig message;
  message.set_task_prefix("one");
  Config config(message);
  Config copy = config;
  message.set_task_prefix("two");
  copy.Overlay(message);
  EXPECT_EQ(config.message().task_prefix(), "one");
  EXPECT_EQ(copy.message().task_prefix(), "two");
  config = copy;
  EXPECT_EQ(config.message().task_prefix(), "two");
  const Config& itself = config;
  config = itself;
  EXPECT_EQ(config.message().task_prefix(), "two");
  const Config moved = std::move(config);
  EXPECT_EQ(moved.message().task_prefix(), "two");
  config = Config();
  EXPECT_EQ(config.message().task_prefix(), "");
}

}  // namespace
}  // namespace gearman
