// The data encoders of a config.
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/plugin_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::shared_ptr<const DataEncoder>> EncoderOf(
    const std::string& text,
    const PluginRegistry& registry = PluginRegistry::Default()) {
  const absl::StatusOr<Config> config = Config::FromText(text);
  if (!config.ok()) return config.status();
  return config->ToDataEncoder(registry);
}

TEST(ConfigEncoders, AreStackedInTheirOrder) {
  const auto encoder = EncoderOf(
      "data_encoders { json {} } data_encoders { envelope {} } "
      "data_encoders { zlib { level: 9 } }");
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  ASSERT_NE(*encoder, nullptr);
  EXPECT_EQ((*encoder)->name(), "json+envelope+zlib");
}

TEST(ConfigEncoders, AreNoneByDefault) {
  const auto encoder = EncoderOf("");
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ(*encoder, nullptr);
}

TEST(ConfigEncoders, AreReadFromJson) {
  const auto config = Config::FromJson(
      "{\"data_encoders\": [{\"raw\": {}}, {\"zstd\": {\"level\": 1}}]}");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto encoder = config->ToDataEncoder();
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ((*encoder)->name(), "raw+zstd");
}

TEST(ConfigEncoders, HaveTheirPlaceInErrors) {
  const absl::Status level =
      EncoderOf(
          "data_encoders { raw {} }\ndata_encoders { zlib { level: 10 } }")
          .status();
  EXPECT_TRUE(absl::IsInvalidArgument(level)) << level;
  EXPECT_THAT(std::string(level.message()), HasSubstr("config:2:"));
  EXPECT_THAT(std::string(level.message()),
              HasSubstr("level: 10 is not valid"));
  const absl::Status order =
      EncoderOf("data_encoders { zlib {} } data_encoders { json {} }").status();
  EXPECT_TRUE(absl::IsInvalidArgument(order)) << order;
  EXPECT_THAT(std::string(order.message()), HasSubstr("must be the first"));
  const absl::Status keys =
      EncoderOf("data_encoders { aes256gcm { key_file: \"/none\" } }").status();
  EXPECT_TRUE(absl::IsNotFound(keys)) << keys;
  const absl::Status none = EncoderOf("data_encoders {}").status();
  EXPECT_THAT(std::string(none.message()), HasSubstr("names no data encoder"));
}

TEST(ConfigEncoders, SayHowToLinkThem) {
  const PluginRegistry empty;
  EXPECT_THAT(
      std::string(
          EncoderOf("data_encoders { zstd {} }", empty).status().message()),
      HasSubstr("link @gearman_sdk//sdk:compression (CMake: "
                "gearman_sdk::compression)"));
  EXPECT_THAT(
      std::string(
          EncoderOf("data_encoders { json {} }", empty).status().message()),
      HasSubstr(
          "link @gearman_sdk//sdk:encoders (CMake: gearman_sdk::encoders)"));
}

}  // namespace
}  // namespace gearman
