// A program that links //sdk:encoders and //sdk:compression has every encoder
// in the default registry. One that links a client alone carries none.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/raw_encoder.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tests/plugins/encoding/encoding_under_test.pb.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

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

// Runs a program of the binary tools and returns its output.
std::string OutputOf(const std::string& tool, const std::string& option) {
  support::SubprocessOptions options;
  options.argv = {tool, option, "tests/sdk/client_alone"};
  const auto result = support::RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return "";
  EXPECT_TRUE(result->status.ok()) << result->error_output;
  return result->output;
}

TEST(Encoders, AreNotInAClientAlone) {
  const std::string libraries = OutputOf("readelf", "-dW");
  EXPECT_THAT(libraries,
              AllOf(HasSubstr("(NEEDED)"), Not(HasSubstr("libz.")),
                    Not(HasSubstr("libzstd")), Not(HasSubstr("libcrypto")),
                    Not(HasSubstr("libprotobuf"))));
  const std::string names = OutputOf("nm", "-C");
  EXPECT_THAT(names, AllOf(HasSubstr("gearman::Client::Create"),
                           Not(HasSubstr("gearman::DataEncoder")),
                           Not(HasSubstr("gearman::EncoderStack"))));
}

}  // namespace
}  // namespace gearman
