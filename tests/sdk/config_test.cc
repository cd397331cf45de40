#include "gearman/sdk/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/tests/sdk/config_fixture.h"
#include "gearman/tests/sdk/test_plugin.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using testing::CustomRetryConfig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// --- three ways, one config

TEST_F(ConfigTest, MeansTheSameInTextFormatJsonAndCode) {
  absl::StatusOr<Config> text = Config::FromText(kText, "f", registry_);
  ASSERT_TRUE(text.ok()) << text.status();
  absl::StatusOr<Config> json = Config::FromJson(kJson, "f", registry_);
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_TRUE(MessageDifferencer::Equals(text->message(), InCode()));
  EXPECT_TRUE(MessageDifferencer::Equals(json->message(), InCode()));
}

TEST_F(ConfigTest, SurvivesAWayThroughText) {
  absl::StatusOr<Config> again =
      Config::FromText(Config(InCode()).ToText(), "f", registry_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(MessageDifferencer::Equals(again->message(), InCode()));
}

TEST_F(ConfigTest, SurvivesAWayThroughJson) {
  absl::StatusOr<std::string> json = Config(InCode()).ToJson();
  ASSERT_TRUE(json.ok()) << json.status();
  absl::StatusOr<Config> again = Config::FromJson(*json, "f", registry_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(MessageDifferencer::Equals(again->message(), InCode()));
}

TEST_F(ConfigTest, CoversEveryFieldInTheseTests) {
  const GearmanConfig config = InCode();
  for (int i = 0; i < GearmanConfig::descriptor()->field_count(); ++i) {
    const auto* const field = GearmanConfig::descriptor()->field(i);
    // Reading it loads them: tests/sdk/plugin_loader_test.cc.
    if (field->name() == "plugin_libraries") continue;
    EXPECT_TRUE(field->is_repeated()
                    ? config.GetReflection()->FieldSize(config, field) > 0
                    : config.GetReflection()->HasField(config, field))
        << field->name();
  }
}

// --- the environment and code over it

EnvironmentLookup Environment(std::optional<std::string> servers) {
  return [servers](absl::string_view name) -> std::optional<std::string> {
    return name == "GEARMAN_SERVERS" ? servers : std::nullopt;
  };
}

TEST_F(ConfigTest, TakesServersFromTheEnvironment) {
  absl::StatusOr<Config> config = Config::FromText(kText, "f", registry_);
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_TRUE(
      config->OverlayEnvironment(Environment("x:4731, y ,tcp://[::1]:4730,"))
          .ok());
  EXPECT_THAT(config->message().servers(),
              ElementsAre("x:4731", "y", "tcp://[::1]:4730"));
  EXPECT_EQ(config->message().task_prefix(), "staging/");
}

TEST_F(ConfigTest, TakesAnEmptyEnvironmentForNone) {
  for (const auto& servers :
       {std::optional<std::string>(), std::optional<std::string>(""),
        std::optional<std::string>(" , ")}) {
    absl::StatusOr<Config> config = Config::FromText(kText, "f", registry_);
    ASSERT_TRUE(config.ok()) << config.status();
    ASSERT_TRUE(config->OverlayEnvironment(Environment(servers)).ok());
    EXPECT_EQ(config->message().servers_size(), 2);
  }
}

TEST_F(ConfigTest, NamesTheVariableOfABadServer) {
  Config config;
  const absl::Status status =
      config.OverlayEnvironment(Environment("a,b:99999"));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              StartsWith("environment variable GEARMAN_SERVERS: servers[1]: "));
}

TEST_F(ConfigTest, ReadsThisProcesssEnvironment) {
  EXPECT_TRUE(ProcessEnvironment()("PATH").has_value());
  EXPECT_FALSE(ProcessEnvironment()("GEARMAN_NO_SUCH_VARIABLE").has_value());
}

TEST_F(ConfigTest, LaysCodeOverAFile) {
  absl::StatusOr<Config> config = Config::FromText(kText, "f", registry_);
  ASSERT_TRUE(config.ok()) << config.status();
  GearmanConfig over;
  over.mutable_timeouts()->set_connect("3s");
  over.mutable_retry()->mutable_none();
  over.add_servers("c");
  over.set_task_prefix("");
  config->Overlay(over);
  EXPECT_THAT(config->message().servers(), ElementsAre("c"));
  EXPECT_EQ(config->message().task_prefix(), "");
  EXPECT_EQ(config->message().timeouts().connect(), "3s");
  EXPECT_EQ(config->message().timeouts().request(), "1m30s");
  EXPECT_TRUE(config->message().retry().has_none());
  EXPECT_FALSE(config->message().retry().has_plugin());
}

TEST_F(ConfigTest, ReplacesAPluginsConfigWhole) {
  absl::StatusOr<Config> config = Config::FromText(kText, "f", registry_);
  ASSERT_TRUE(config.ok()) << config.status();
  GearmanConfig over;
  over.mutable_retry()->mutable_plugin()->PackFrom(CustomRetryConfig());
  config->Overlay(over);
  CustomRetryConfig retry;
  ASSERT_TRUE(config->message().retry().plugin().UnpackTo(&retry));
  EXPECT_FALSE(retry.has_tries());
}

TEST_F(ConfigTest, KnowsThatAValueCameFromCode) {
  absl::StatusOr<Config> config = Config::FromText(kText, "f", registry_);
  ASSERT_TRUE(config.ok()) << config.status();
  GearmanConfig over;
  over.mutable_timeouts()->set_connect("soon");
  config->Overlay(over, "--connect-timeout");
  EXPECT_THAT(std::string(config->Validate().message()),
              StartsWith("--connect-timeout: timeouts.connect: \"soon\""));
}

// --- files

std::string Write(const std::string& name, absl::string_view text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST_F(ConfigTest, ReadsAFileByItsEnding) {
  for (const char* name :
       {"config_test.textproto", "config_test.txtpb", "config_test.pbtxt"}) {
    absl::StatusOr<Config> config =
        Config::FromFile(Write(name, kText), registry_);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(MessageDifferencer::Equals(config->message(), InCode()));
  }
  absl::StatusOr<Config> config =
      Config::FromFile(Write("config_test.json", kJson), registry_);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(MessageDifferencer::Equals(config->message(), InCode()));
}

TEST_F(ConfigTest, PutsTheFilesNameIntoErrors) {
  const std::string path = Write("config_bad.textproto", "servres: 1");
  EXPECT_THAT(
      std::string(Config::FromFile(path).status().message()),
      StartsWith(absl::StrCat(path, ":1:1: unknown field \"servres\"")));
}

TEST_F(ConfigTest, SaysWhenAFileIsMissing) {
  const std::string path = ::testing::TempDir() + "/no_such.textproto";
  const absl::Status status = Config::FromFile(path).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
}

TEST_F(ConfigTest, SaysWhichEndingsAreRight) {
  const absl::Status status = Config::FromFile("jobs.yaml").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("jobs.yaml"), HasSubstr(".textproto"),
                    HasSubstr(".json")));
}

TEST_F(ConfigTest, RefusesAFileThatIsNoConfigByItsSize) {
  const std::string path =
      Write("config_huge.textproto", std::string((16 << 20) + 1, '\n'));
  EXPECT_TRUE(absl::IsInvalidArgument(Config::FromFile(path).status()));
  std::remove(path.c_str());
}

// A program that writes configs may write long ones. Each value's place, each
// name and each address was looked for among all the others.
TEST_F(ConfigTest, ReadsMegabytesInTime) {
  std::string list;
  std::string members;
  for (int i = 0; i < 100000; ++i) {
    absl::StrAppend(&list, i == 0 ? "" : ",\n", "\"tcp://jobs-", i, ":1\"");
    absl::StrAppend(&members, "\"name-", i, "\": ", i, ",\n");
  }
  for (const auto& config :
       {Config::FromText(absl::StrCat("servers: [", list, "]"), "f"),
        Config::FromJson(absl::StrCat("{\"servers\": [", list, "]}"), "f")}) {
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->message().servers_size(), 100000);
  }
  EXPECT_THAT(
      Config::FromJson(absl::StrCat("{", members, "\"name-7\": 1}"), "f")
          .status()
          .message(),
      HasSubstr("f:100001:1: \"name-7\" is given twice"));
}

TEST_F(ConfigTest, RefusesAFolder) {
  const std::string path = ::testing::TempDir() + "/config_folder.json";
  rmdir(path.c_str());
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);

  const absl::Status status = Config::FromFile(path).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

}  // namespace
}  // namespace gearman
