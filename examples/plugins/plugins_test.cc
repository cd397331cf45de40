// Each plugin alone, as a plain object, and all of them named by a config.
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/examples/plugins/base64_encoder.h"
#include "gearman/examples/plugins/file_metrics.h"
#include "gearman/examples/plugins/least_busy_selector.h"
#include "gearman/examples/plugins/plugins.pb.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoding_plugins.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/plugin_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace acme {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Contents(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(LeastBusySelector, TakesTheServerWithTheFewestRequests) {
  std::vector<gearman::ServerCandidate> servers(3);
  servers[0].in_flight = 7;
  servers[1].in_flight = 2;
  servers[2].in_flight = 1;
  servers[2].failing = true;  // the best that can be reached is taken
  LeastBusySelector selector(/*margin=*/1);
  absl::BitGen random;
  EXPECT_EQ(selector.Select({}, servers, random), 1u);
}

TEST(LeastBusySelector, RefusesAMarginOfZero) {
  LeastBusyConfig config;
  config.set_margin(0);
  EXPECT_TRUE(absl::IsInvalidArgument(MakeLeastBusy(config).status()));
}

gearman::MetricsSnapshot OneGauge(uint64_t source, double value) {
  gearman::MetricFamily family;
  family.name = "jobs";
  family.type = gearman::MetricType::kGauge;
  family.samples.resize(1);
  family.samples[0].value = value;
  gearman::MetricsSnapshot snapshot;
  snapshot.source = source;
  snapshot.families = {family};
  return snapshot;
}

TEST(FileMetrics, WritesTheNewestNumbersOfAllSources) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/jobs.metrics");
  FileMetrics metrics(path, absl::Seconds(1));
  metrics.Export(OneGauge(/*source=*/1, 5));
  metrics.Export(OneGauge(/*source=*/2, 3));
  metrics.Export(OneGauge(/*source=*/1, 4));
  EXPECT_THAT(Contents(path), HasSubstr("jobs 7"));
  EXPECT_EQ(std::remove(path.c_str()), 0);
}

TEST(Base64Encoder, ReadsWhatItWrites) {
  const Base64Encoder encoder;
  std::string data("\0\xff text", 7);
  const std::string before = data;
  ASSERT_TRUE(gearman::EncodeData(encoder, {}, &data).ok());
  EXPECT_EQ(data, "AP8gdGV4dA==");
  std::string buffer;
  const auto decoded = gearman::DecodeData(encoder, {}, data, &buffer);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, before);
}

TEST(Base64Encoder, SaysWhatItFound) {
  std::string buffer;
  const absl::Status status =
      gearman::DecodeData(Base64Encoder(), {}, "<xml>", &buffer).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("encoder \"base64\": expected Base64"),
                    HasSubstr("<xml>")));
}

TEST(Plugins, AreNamedByAConfig) {
  const auto config =
      gearman::Config::FromFile("examples/plugins/plugins.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto options = config->ToClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->server_selector->name(), "least_busy");
  ASSERT_EQ(options->metrics_sinks.size(), 1u);
  EXPECT_EQ(options->metrics_sinks[0]->name(), "file");
  EXPECT_EQ(options->metrics_sinks[0]->interval(), absl::Seconds(1));
  const auto encoder = config->ToDataEncoder();
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ((*encoder)->name(), "protobuf+base64");
}

TEST(Plugins, AreNamedByNameInAStackOfEncoders) {
  const auto encoder = gearman::CreateDataEncoder(
      "json+base64", gearman::PluginRegistry::Default().data_encoders());
  ASSERT_TRUE(encoder.ok()) << encoder.status();
}

TEST(Plugins, ABadValueIsPlacedInTheConfig) {
  const auto config = gearman::Config::FromText(
      "server_selection {\n plugin { [type.googleapis.com/"
      "acme.LeastBusyConfig] {\n margin: 0 } } }",
      "f");
  ASSERT_TRUE(config.ok()) << config.status();
  const absl::Status status = config->ToClientOptions().status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("f:3:"), HasSubstr("margin: 0 is not valid: "
                                                 "expected at least 1")));
}

}  // namespace
}  // namespace acme
