// A program that links //sdk:encoders and //sdk:compression has every encoder
// in the default registry.
#include <memory>

#include "absl/status/status.h"
#include "gearman/plugins/encoding/raw_encoder.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tests/plugins/encoding/encoding_under_test.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::Contains;

GEARMAN_REGISTER_DATA_ENCODER("registered_by_macro", testing::Order,
                              [](const testing::Order&) {
                                return std::make_unique<RawEncoder>();
                              });

TEST(Encoders, AreInTheDefaultRegistryWhenLinked) {
  const PluginRegistry& registry = PluginRegistry::Default();
  EXPECT_TRUE(registry.registration_error().ok())
      << registry.registration_error();
  EXPECT_THAT(
      registry.data_encoders().names(),
      ::testing::ElementsAre("aes256gcm", "envelope", "json", "protobuf", "raw",
                             "registered_by_macro", "zlib", "zstd"));
  EXPECT_THAT(registry.config_types(), Contains("gearman.config.ZstdEncoder"));
}

}  // namespace
}  // namespace gearman
