// Configs that name plugins which this program does not have.
#include "gearman/sdk/internal/config/unlinked.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/internal/config/reader.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using config::GearmanConfig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RemoveUnlinkedTest : public ::testing::Test {
 protected:
  // Reads into config_; returns what was left out.
  template <typename Read>
  std::vector<std::string> LeftOut(Read read, absl::string_view text) {
    ReadOptions options;
    options.source = "f";
    options.skip_unlinked_types = true;
    const absl::Status status = read(text, options, &config_, &places_);
    EXPECT_TRUE(status.ok()) << status;
    return RemoveUnlinked(known_, &config_, &places_);
  }
  std::vector<std::string> InText(absl::string_view text) {
    return LeftOut(ReadText, text);
  }
  std::vector<std::string> InJson(absl::string_view text) {
    return LeftOut(ReadJson, text);
  }
  template <typename Read>
  std::string Error(Read read, absl::string_view text) {
    ReadOptions options;
    options.source = "f";
    options.skip_unlinked_types = true;
    return std::string(read(text, options, &config_, &places_).message());
  }

  std::vector<std::string> known_ = {"gearman.config.InMemoryMetrics",
                                     "gearman.config.ImmediateRetry",
                                     "gearman.config.RetryBudget"};
  GearmanConfig config_;
  Places places_;
};

TEST_F(RemoveUnlinkedTest, KeepsWhatIsLinked) {
  EXPECT_THAT(
      InText("servers: \"a\" metrics { in_memory {} } retry { immediate "
             "{ max_attempts: 2 } }"),
      IsEmpty());
  EXPECT_EQ(config_.metrics_size(), 1);
  EXPECT_EQ(config_.retry().immediate().max_attempts(), 2u);
}

TEST_F(RemoveUnlinkedTest, LeavesOutABuiltInThatIsNotLinked) {
  EXPECT_THAT(
      InText("servers: \"a\"\nmetrics {\n prometheus { listen: \"x:1\" } }\n"
             "task_prefix: \"p\""),
      ElementsAre("f:3:2: metrics[0].prometheus"));
  EXPECT_EQ(config_.metrics_size(), 0);
  EXPECT_EQ(config_.servers(0), "a");
  EXPECT_EQ(config_.task_prefix(), "p");
}

TEST_F(RemoveUnlinkedTest, LeavesOutAPluginWhoseMessageNobodyKnows) {
  EXPECT_THAT(InText("retry { plugin {\n\t[type.googleapis.com/acme.Retry] {\n"
                     "tries: 3 deeper { more: \"}\" list: [1, 2] } } } }\n"
                     "connections { tls { ca_file: \"ca.pem\" } }"),
              ElementsAre("f:1:9: retry.plugin"));
  EXPECT_FALSE(config_.has_retry());
  EXPECT_EQ(config_.connections().tls().ca_file(), "ca.pem");
}

TEST_F(RemoveUnlinkedTest, LeavesOutTheSameOfJson) {
  EXPECT_THAT(
      InJson("{\"retry\": {\"plugin\": {\"@type\": "
             "\"type.googleapis.com/acme.Retry\", \"tries\": [null]}},\n"
             "\"metrics\": [{\"prometheus\": {}}, {\"inMemory\": {}}],\n"
             "\"servers\": [\"a\"]}"),
      ElementsAre("f:1:12: retry.plugin", "f:2:14: metrics[0].prometheus"));
  EXPECT_FALSE(config_.has_retry());
  ASSERT_EQ(config_.metrics_size(), 1);
  EXPECT_TRUE(config_.metrics(0).has_in_memory());
  EXPECT_EQ(config_.servers(0), "a");
}

TEST_F(RemoveUnlinkedTest, LeavesOutAPolicyInsideAnother) {
  EXPECT_THAT(InText("retry { budget { max_tokens: 9\n policy { "
                     "exponential_backoff {} } } }"),
              ElementsAre("f:2:11: retry.budget.policy.exponential_backoff"));
  EXPECT_TRUE(config_.retry().has_budget());
  EXPECT_FALSE(config_.retry().budget().has_policy());
}

TEST_F(RemoveUnlinkedTest, ThePlacesOfWhatStaysAreRight) {
  InText(
      "metrics { prometheus {} }\nmetrics {\n in_memory {} }\nmetrics { "
      "statsd {} }");
  ASSERT_EQ(config_.metrics_size(), 1);
  EXPECT_EQ(places_.Describe("metrics[0]"), "f:2:1");
  EXPECT_EQ(places_.Describe("metrics[0].in_memory"), "f:3:2");
}

TEST_F(RemoveUnlinkedTest, AMisspeltFieldStaysAMistake) {
  EXPECT_THAT(Error(ReadText, "servres: \"a\" metrics { prometheus {} }"),
              StartsWith("f:1:1: unknown field \"servres\""));
  EXPECT_THAT(Error(ReadText, "metrics { prometheus { listn: \"x\" } }"),
              StartsWith("f:1:24: metrics[0].prometheus: unknown field"));
  EXPECT_THAT(Error(ReadJson, "{\"metrics\": [{\"promethus\": {}}]}"),
              StartsWith("f:1:15: metrics[0]: unknown field \"promethus\""));
}

TEST_F(RemoveUnlinkedTest, AMistakeBesideItHasItsOwnPlace) {
  EXPECT_EQ(Error(ReadText,
                  "retry { plugin { [x/acme.Retry] {\n\ta: 1 } } } timeouts "
                  "{ connect: 5 }"),
            "f:2:40: timeouts.connect: 5 is not valid: expected a text in "
            "quotes");
  EXPECT_EQ(Error(ReadJson,
                  "{\"retry\": {\"plugin\": {\"@type\": \"x/acme.Retry\"}},\n"
                  "\"worker\": {\"concurrency\": \"many\"}}"),
            "f:2:27: worker.concurrency: \"many\" is not valid: expected a "
            "whole number from 0 to 4294967295");
}

TEST(HowToLink, KnowsEachPluginThatAConfigOffers) {
  const google::protobuf::Descriptor* const root = GearmanConfig::descriptor();
  int offered = 0;
  for (int i = 0; i < root->field_count(); ++i) {
    const auto* const family = root->field(i)->message_type();
    if (family == nullptr || family->real_oneof_decl_count() == 0) continue;
    for (int j = 0; j < family->oneof_decl(0)->field_count(); ++j) {
      const auto* const plugin = family->oneof_decl(0)->field(j);
      if (plugin->name() == "plugin") continue;
      ++offered;
      absl::string_view library =
          "@gearman_sdk//sdk:builtins (CMake: gearman_sdk::config)";
      if (plugin->name() == "prometheus") {
        library =
            "@gearman_sdk//sdk:prometheus (CMake: gearman_sdk::prometheus)";
      } else if (plugin->name() == "zlib" || plugin->name() == "zstd") {
        library =
            "@gearman_sdk//sdk:compression (CMake: gearman_sdk::compression)";
      } else if (family->name() == "DataEncoder") {
        library = "@gearman_sdk//sdk:encoders (CMake: gearman_sdk::encoders)";
      }
      EXPECT_THAT(HowToLink(std::string(plugin->message_type()->full_name())),
                  HasSubstr(std::string(library)))
          << plugin->full_name();
    }
  }
  EXPECT_GT(offered, 10);
  EXPECT_EQ(HowToLink("acme.Retry"), "");
}

}  // namespace
}  // namespace internal
}  // namespace gearman
