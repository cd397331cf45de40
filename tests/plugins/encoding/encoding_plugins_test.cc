#include "gearman/plugins/encoding/encoding_plugins.h"

#include <cstdlib>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/plugins/encoding/compression_plugins.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoding.pb.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/registry.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using testing::Decoded;
using ::testing::ElementsAre;
using testing::Encoded;
using ::testing::HasSubstr;

constexpr char kKeys[] =
    "k:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

class EncodingPlugins : public ::testing::Test {
 protected:
  EncodingPlugins() : registry_("data encoder") {
    EXPECT_TRUE(RegisterEncodingPlugins(&registry_).ok());
    EXPECT_TRUE(RegisterCompressionPlugins(&registry_).ok());
    setenv("GEARMAN_AES256GCM_KEYS", kKeys, 1);
  }
  ~EncodingPlugins() override { unsetenv("GEARMAN_AES256GCM_KEYS"); }

  absl::StatusOr<std::unique_ptr<DataEncoder>> FromText(
      const std::string& text) {
    config::DataEncoding config;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
    return CreateDataEncoder(config, registry_);
  }
  // The field that a config's error is about, and its message.
  void ExpectFieldError(const std::string& text, const std::string& field,
                        const std::string& message) {
    const absl::Status status = FromText(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(status.GetPayload(kFieldPayload), field) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }

  Registry<DataEncoder> registry_;
};

TEST_F(EncodingPlugins, BearTheNamesOfTheirEncoders) {
  ASSERT_THAT(registry_.names(),
              ElementsAre("aes256gcm", "envelope", "json", "protobuf", "raw",
                          "zlib", "zstd"));
  for (const std::string& name : registry_.names()) {
    const auto encoder = registry_.CreateByName(name);
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    EXPECT_EQ((*encoder)->name(), name);
  }
}

// Each field of the oneof, but that for outsiders, is a plugin.
TEST_F(EncodingPlugins, AreWhatTheConfigOffers) {
  const auto* const oneof = config::DataEncoder::descriptor()->oneof_decl(0);
  EXPECT_EQ(oneof->field_count(), registry_.names().size() + 1);
  for (int i = 0; i < oneof->field_count(); ++i) {
    const std::string name = oneof->field(i)->name();
    if (name == "plugin") continue;
    const auto encoder = FromText("encoders { " + name + " {} }");
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    EXPECT_EQ((*encoder)->name(), name);
  }
}

TEST_F(EncodingPlugins, AreStackedByTheirNames) {
  const auto encoder =
      CreateDataEncoder("json+envelope+zlib+zstd+aes256gcm", registry_);
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ((*encoder)->name(), "json+envelope+zlib+zstd+aes256gcm");
  EXPECT_NE((*encoder)->message_format(), nullptr);
  const auto bytes = Encoded(**encoder, "data");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(bytes->substr(0, 6), "\xf7GA\x01\x01k");
  EXPECT_EQ(*Decoded(**encoder, *bytes), "data");
}

TEST_F(EncodingPlugins, AreStackedByConfig) {
  const auto encoder = FromText(
      "encoders { protobuf {} } encoders { plugin { "
      "[type.googleapis.com/gearman.config.ZlibEncoder] { level: 9 } } }");
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ((*encoder)->name(), "protobuf+zlib");
  EXPECT_EQ(*Decoded(**encoder, *Encoded(**encoder, "data")), "data");
}

TEST_F(EncodingPlugins, PassTheirLimitsOn) {
  const auto encoder = FromText(
      "encoders { raw {} } encoders { zstd { max_decoded_bytes: 3 } }");
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_TRUE(Decoded(**encoder, *Encoded(**encoder, "123")).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      Decoded(**encoder, *Encoded(**encoder, "1234")).status()));
  const auto envelope = FromText("encoders { envelope { accept_raw: true } }");
  ASSERT_TRUE(envelope.ok()) << envelope.status();
  EXPECT_EQ(*Decoded(**envelope, "raw"), "raw");
}

TEST_F(EncodingPlugins, NameTheFieldOfABadValue) {
  ExpectFieldError("encoders { raw {} } encoders { zlib { level: 10 } }",
                   "encoders[1].zlib.level",
                   "data encoder \"zlib\": level: 10 is not valid");
  ExpectFieldError("encoders { zstd { level: 4294967295 } }",
                   "encoders[0].zstd.level", "it must be from 1 to 19");
  ExpectFieldError("encoders { json { max_message_bytes: 0 } }",
                   "encoders[0].json.max_message_bytes",
                   "it must be at least 1");
  ExpectFieldError("encoders { envelope { max_header_bytes: 65536 } }",
                   "encoders[0].envelope.max_header_bytes",
                   "it must be from 0 to 65535");
  ExpectFieldError("encoders {}", "encoders[0]", "it names no encoder");
}

TEST_F(EncodingPlugins, NameTheSourceOfKeysThatAreNot) {
  const absl::Status file =
      FromText("encoders { aes256gcm { key_file: \"/none\" } }").status();
  EXPECT_TRUE(absl::IsNotFound(file));
  EXPECT_EQ(file.GetPayload(kFieldPayload), "encoders[0].aes256gcm.key_file");
  EXPECT_THAT(
      std::string(file.message()),
      AllOf(HasSubstr("\"/none\""), HasSubstr("there is no such file")));
  unsetenv("GEARMAN_AES256GCM_KEYS");
  const absl::Status variable =
      CreateDataEncoder("aes256gcm", registry_).status();
  EXPECT_TRUE(absl::IsNotFound(variable));
  EXPECT_EQ(variable.message(),
            "data encoder \"aes256gcm\": keys in the environment variable "
            "GEARMAN_AES256GCM_KEYS: it is not set");
}

TEST_F(EncodingPlugins, ListTheKnownNamesForAnUnknownOne) {
  const absl::Status status = CreateDataEncoder("jsn", registry_).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("jsn"), HasSubstr("zstd")));
  for (const std::string names : {"", "+", "json+", "+json"}) {
    EXPECT_FALSE(CreateDataEncoder(names, registry_).ok()) << names;
  }
}

TEST_F(EncodingPlugins, RefuseStacksThatCanNotBe) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      CreateDataEncoder("zlib+json", registry_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FromText("").status()));
  std::string many = "raw";
  for (int i = 0; i < 16; ++i) many += "+raw";
  EXPECT_TRUE(
      absl::IsInvalidArgument(CreateDataEncoder(many, registry_).status()));
}

TEST_F(EncodingPlugins, CanNotBeRegisteredTwice) {
  EXPECT_TRUE(absl::IsAlreadyExists(RegisterEncodingPlugins(&registry_)));
  EXPECT_TRUE(absl::IsAlreadyExists(RegisterCompressionPlugins(&registry_)));
}

TEST(UnlinkedEncoders, AreNamedWithTheLibraryThatHasThem) {
  const Registry<DataEncoder> empty("data encoder");
  EXPECT_THAT(std::string(CreateDataEncoder("zstd", empty).status().message()),
              HasSubstr("link @gearman_sdk//sdk:compression (CMake: "
                        "gearman_sdk::compression) to have \"zstd\""));
  EXPECT_THAT(
      std::string(CreateDataEncoder("json+zlib", empty).status().message()),
      HasSubstr("link @gearman_sdk//sdk:encoders (CMake: "
                "gearman_sdk::encoders) to have \"json\""));
}

}  // namespace
}  // namespace gearman
