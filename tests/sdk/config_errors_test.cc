// Mistakes in a config, each reported with its place and what would be right.
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tests/sdk/config_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(ConfigTest, PlacesAnUnknownField) {
  EXPECT_THAT(Error("servers: \"a\"\nretries {}"),
              AllOf(StartsWith("f:2:1: unknown field \"retries\": did you mean "
                               "\"retry\"? Known: backoff, connections, "),
                    HasSubstr("timeouts")));
}

TEST_F(ConfigTest, PlacesAnUnknownBuiltIn) {
  EXPECT_THAT(Error("retry {\n  imediate {}\n}"),
              AllOf(StartsWith("f:2:3: retry: unknown field \"imediate\": did "
                               "you mean \"immediate\"? Known: budget, "
                               "exponential_backoff, immediate, none, plugin"),
                    HasSubstr("config message in the field \"plugin\"")));
  EXPECT_THAT(JsonError("{\"retry\":\n{\"imediate\": {}}}"),
              StartsWith("f:2:2: retry: unknown field \"imediate\""));
}

TEST_F(ConfigTest, PlacesAnUnknownPlugin) {
  EXPECT_THAT(
      Error("retry { plugin {\n [type.googleapis.com/acme.Retry] {} } }"),
      AllOf(StartsWith("f:2:2: retry.plugin: unknown plugin config "
                       "\"acme.Retry\""),
            HasSubstr("gearman.testing.CustomRetryConfig"),
            HasSubstr("gearman.config.ImmediateRetry")));
}

TEST_F(ConfigTest, PlacesAPluginOfAnotherFamily) {
  const std::string error = Error(
      "metrics {\n plugin { [type.googleapis.com/"
      "gearman.testing.CustomRetryConfig] {} } }");
  EXPECT_THAT(error,
              AllOf(StartsWith("f:2:2: metrics[0].plugin: no metrics sink has "
                               "the config message "
                               "\"gearman.testing.CustomRetryConfig\""),
                    HasSubstr("Known: gearman.config.InMemoryMetrics")));
}

TEST_F(ConfigTest, NamesTheTargetOfABuiltInThatIsNotLinked) {
  const std::string expected =
      "metrics[0].prometheus: this program does not have the metrics sink "
      "gearman.config.PrometheusMetrics: link @gearman_sdk//sdk:prometheus "
      "(CMake: gearman_sdk::prometheus)";
  constexpr char kPrometheus[] =
      "metrics {\n prometheus { listen: \"127.0.0.1:0\" } }";
  EXPECT_EQ(Error(kPrometheus), "f:2:2: " + expected);
  EXPECT_EQ(WorkerError(kPrometheus), "f:2:2: " + expected);
  EXPECT_EQ(JsonError("{\"metrics\": [{\"prometheus\": {}}]}"),
            "f:1:15: " + expected);
  PluginRegistry empty;
  const auto config = Config::FromText("retry { none {} }", "f", empty);
  ASSERT_TRUE(config.ok()) << config.status();
  const absl::Status status = config->ToClientOptions(empty).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(StartsWith("f:1:9: retry.none: this program does not have "
                       "the retry policy gearman.config.NoRetry: "),
            HasSubstr(
                "@gearman_sdk//sdk:builtins (CMake: gearman_sdk::config)")));
}

TEST_F(ConfigTest, SuggestsTheBuiltInWhoseNameWasShortened) {
  EXPECT_THAT(Error("retry { exponential {} }"),
              StartsWith("f:1:9: retry: unknown field \"exponential\": did you "
                         "mean \"exponential_backoff\"?"));
}

TEST_F(ConfigTest, PlacesANegativeNumber) {
  EXPECT_EQ(Error("worker { concurrency: -1 }"),
            "f:1:23: worker.concurrency: -1 is not valid: expected a whole "
            "number from 1 to 10000");
}

TEST_F(ConfigTest, PlacesANull) {
  EXPECT_THAT(JsonError("{\"servers\":[null]}"),
              StartsWith("f:1:13: servers[0]: null is not valid: expected a "
                         "text in quotes"));
}

TEST_F(ConfigTest, PlacesABlockThatIsNotClosed) {
  EXPECT_THAT(Error("servers: \"a\"\ntimeouts {\n  connect: \"2s\"\n"),
              StartsWith("f:2:10: timeouts: this block is not closed"));
  EXPECT_THAT(Error("timeouts {\n  connect: \"2s\"\nlimits { "
                    "max_packet_bytes: 4096 }\n"),
              AllOf(StartsWith("f:3:1: timeouts: unknown field \"limits\""),
                    HasSubstr("begins at 1:10")));
}

TEST_F(ConfigTest, AByteOrderMarkMovesNoPlace) {
  EXPECT_THAT(Error("\xef\xbb\xbfservres: \"a\""),
              StartsWith("f:1:1: unknown field \"servres\""));
  EXPECT_THAT(JsonError("\xef\xbb\xbf{\"servres\": []}"),
              StartsWith("f:1:2: unknown field \"servres\""));
  EXPECT_EQ(Error("\xef\xbb\xbfservers: \"a\""), "");
  EXPECT_THAT(Error(absl::string_view("\xff\xfes\0e\0", 6)),
              StartsWith("f:1:1: this is UTF-16; save it as UTF-8"));
  EXPECT_THAT(JsonError(absl::string_view("\xfe\xff\0{\0}", 6)),
              StartsWith("f:1:1: this is UTF-16; save it as UTF-8"));
}

TEST_F(ConfigTest, PlacesAChoiceThatIsMissing) {
  EXPECT_EQ(Error("task_prefix: \"x\"\nretry {}"),
            "f:2:1: retry: names no retry policy: expected budget { } or "
            "custom { } or exponential_backoff { } or immediate { } or none { "
            "}, or plugin with a config message");
}

TEST_F(ConfigTest, PlacesABadDuration) {
  const std::string expected =
      "f:2:12: timeouts.connect: \"5\" is not valid: expected a duration such "
      "as \"500ms\", \"10s\" or \"1h30m\", from 1ms to 24h";
  EXPECT_EQ(Error("timeouts {\n  connect: \"5\" }"), expected);
  EXPECT_THAT(JsonError("{\"timeouts\":\n {\"connect\": \"5\"}}"),
              StartsWith("f:2:14: timeouts.connect: \"5\" is not valid"));
}

TEST_F(ConfigTest, SaysWhatADurationIsForANumber) {
  EXPECT_THAT(Error("timeouts { connect: 5 }"),
              StartsWith("f:1:21: timeouts.connect: 5 is not valid: expected a "
                         "duration such as \"500ms\""));
}

TEST_F(ConfigTest, RefusesDurationsOutOfRange) {
  EXPECT_THAT(Error("timeouts { connect: \"inf\" }"),
              HasSubstr("from 1ms to 24h"));
  EXPECT_THAT(Error("timeouts { connect: \"0\" }"), HasSubstr("\"0\""));
  EXPECT_THAT(Error("timeouts { request: \"-1s\" }"), HasSubstr("\"-1s\""));
  EXPECT_THAT(Error("timeouts { reply: \"\" }"),
              HasSubstr("or \"inf\" for no limit"));
}

TEST_F(ConfigTest, PlacesANumberOutOfRange) {
  EXPECT_EQ(Error("limits {\n  max_packet_bytes: 12 }"),
            "f:2:21: limits.max_packet_bytes: 12 is not valid: expected a "
            "whole number from 1024 to 4294967307");
  EXPECT_THAT(Error("requests { max_connection_attempts: 0 }"),
              HasSubstr("from 1 to 1000"));
}

TEST_F(ConfigTest, PlacesABadNumber) {
  EXPECT_THAT(Error("limits { max_packet_bytes: \"big\" }"),
              StartsWith("f:1:28: limits.max_packet_bytes: \"big\" is not "
                         "valid: expected a whole number from 1024 to"));
}

TEST_F(ConfigTest, PlacesABadEnumValue) {
  EXPECT_EQ(Error("limits {\n when_full: WAIT\n}"),
            "f:2:13: limits.when_full: WAIT is not valid: expected one of "
            "BLOCK, FAIL, DROP");
}

TEST_F(ConfigTest, PlacesABadAddress) {
  EXPECT_THAT(Error("servers: [\"a\",\n \"tcp://b:99999\"]"),
              AllOf(StartsWith("f:2:2: servers[1]: "), HasSubstr("99999")));
  EXPECT_THAT(JsonError("{\"servers\": [\"a\",\n \"tcp://b:99999\"]}"),
              StartsWith("f:2:2: servers[1]: "));
}

TEST_F(ConfigTest, PlacesAServerGivenTwice) {
  EXPECT_EQ(Error("servers: \"a\"\nservers: \"tcp://a:4730\""),
            "f:2:10: servers[1]: tcp://a:4730 is given twice; keep one");
}

TEST_F(ConfigTest, AHostInAnotherCaseIsTheSameServer) {
  EXPECT_EQ(Error("servers: [\"jobs-1\", \"tcp://JOBS-1:4730\"]"),
            "f:1:21: servers[1]: tcp://jobs-1:4730 is given twice; keep one");
}

TEST_F(ConfigTest, TwoFreePortsToListenOnAreTwo) {
  EXPECT_TRUE(Config::FromText("embedded_server { listen: [\"127.0.0.1:0\", "
                               "\"tcp://127.0.0.1:0\"] }",
                               "f", registry_)
                  .ok());
  EXPECT_THAT(Error("embedded_server { listen: [\"127.0.0.1:1\", "
                    "\"tcp://127.0.0.1:1\"] }"),
              HasSubstr("is given twice"));
}

TEST_F(ConfigTest, PlacesABudgetThatIsTooSmallForOneRetry) {
  EXPECT_THAT(Error("retry { budget {\n  max_tokens: 4 } }"),
              StartsWith("f:2:15: retry policy \"budget\": max_tokens: 4 is "
                         "not valid: it must be at least retry_cost, 5, "));
}

TEST_F(ConfigTest, PlacesWhatListsCantShow) {
  EXPECT_THAT(Error("task_prefix: \"a\\000b\""),
              AllOf(StartsWith("f:1:14: task_prefix: "),
                    HasSubstr("\"a\\x00b\" holds \"\\x00\" at byte 1")));
  EXPECT_THAT(WorkerError("worker { client_id: \"a\\nb\" }"),
              AllOf(StartsWith("f:1:21: worker.client_id: "),
                    HasSubstr("\"a\\x0ab\"")));
}

TEST_F(ConfigTest, PlacesABadValueOfABuiltInPlugin) {
  EXPECT_EQ(Error("retry {\n  immediate {\n    max_attempts: 0\n  }\n}"),
            "f:3:19: retry policy \"immediate\": max_attempts: 0 is not valid: "
            "it must be from 1 to 1000");
}

TEST_F(ConfigTest, PlacesABadValueOfAPolicyInsideAnother) {
  EXPECT_EQ(Error("retry { budget { policy { exponential_backoff {\n"
                  "  delay { jitter: 0.5\n    multiplier: 0.5 } } } } }"),
            "f:3:17: retry policy \"budget\": retry policy "
            "\"exponential_backoff\": multiplier: 0.5 is not valid: it must be "
            "from 1 to 100");
  EXPECT_EQ(Error("retry { budget { policy { budget {\n"
                  "  policy { immediate { max_attempts: 0 } } } } } }"),
            "f:2:38: retry policy \"budget\": retry policy \"budget\": retry "
            "policy \"immediate\": max_attempts: 0 is not valid: it must be "
            "from 1 to 1000");
}

TEST_F(ConfigTest, PlacesABadDelay) {
  EXPECT_EQ(
      Error("backoff {\n  constant { delay: \"soon\" } }"),
      "f:2:21: backoff policy \"constant\": delay: \"soon\" is not valid: "
      "it must be a duration such as \"100ms\" or \"2s\", from 0 to 1h");
}

TEST_F(ConfigTest, PlacesABadValueOfAnOutsidersPlugin) {
  EXPECT_EQ(Error("retry { plugin {\n  [type.googleapis.com/"
                  "gearman.testing.CustomRetryConfig] {\n    tries: -1 } } }"),
            "f:3:12: retry policy \"custom\": tries: -1 is not valid: it must "
            "be at least 0");
  EXPECT_THAT(
      JsonError("{\"retry\": {\"plugin\": {\"@type\": \"type.googleapis.com/"
                "gearman.testing.CustomRetryConfig\",\n  \"tries\": -1}}}"),
      StartsWith("f:2:12: retry policy \"custom\": tries: -1 is not valid"));
}

TEST_F(ConfigTest, NamesTheFieldWhenBuiltInCode) {
  GearmanConfig message;
  message.mutable_timeouts()->set_connect("soon");
  EXPECT_THAT(std::string(Config(message).Validate().message()),
              StartsWith("config built in code: timeouts.connect: \"soon\" is "
                         "not valid"));
}

TEST_F(ConfigTest, ReportsWhatWentWrongBeforeMain) {
  registry_.NoteRegistration(absl::AlreadyExistsError("twice"));
  EXPECT_TRUE(
      absl::IsAlreadyExists(Config().ToClientOptions(registry_).status()));
}

}  // namespace
}  // namespace gearman
