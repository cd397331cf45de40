// A program with a plugin of its own: chosen in a config, used by a client that
// talks to the embedded job server.
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/worker.h"
#include "gtest/gtest.h"

namespace {

constexpr char kRetry[] =
    "retry { plugin { [type.googleapis.com/consumer.PatientRetryConfig] { "
    "step: \"20ms\" } } }\n";

std::unique_ptr<gearman::Client> MakeClient(const std::string& text) {
  auto config = gearman::Config::FromText(text, "program.textproto");
  EXPECT_TRUE(config.ok()) << config.status();
  auto client = gearman::CreateClient(*config);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(PatientClient, WaitsAsItsPolicySays) {
  // Nobody listens there.
  auto client = MakeClient(std::string(kRetry) +
                           "servers: \"inproc://nobody\"\n"
                           "requests { max_connection_attempts: 3 }");
  const absl::Time begin = absl::Now();
  const auto result = client->Run("greet", "");
  EXPECT_FALSE(result.ok());
  // 20 ms and 40 ms.
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(60));
}

TEST(PatientClient, DoesItsWork) {
  auto worker = gearman::Worker::Create({});
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE(
      (*worker)
          ->Register(
              "greet",
              [](gearman::JobContext& context) -> absl::StatusOr<std::string> {
                return "hello " + std::string(context.job().data());
              })
          .ok());
  ASSERT_TRUE((*worker)->Start().ok());
  auto client = MakeClient(kRetry);
  const auto result = client->Run("greet", "you");
  EXPECT_TRUE(result.ok()) << result.status();
  if (result.ok()) EXPECT_EQ(*result, "hello you");
  (*worker)->Stop();
  EXPECT_TRUE((*worker)->Join().ok());
}

TEST(PatientClient, SaysWhereItsConfigIsWrong) {
  auto config = gearman::Config::FromText(
      "retry { plugin {\n"
      "  [type.googleapis.com/consumer.PatientRetryConfig] {\n"
      "    step: \"soon\" } } }",
      "program.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto client = gearman::CreateClient(*config);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(std::string(client.status().message()),
            "program.textproto:3:11: retry policy \"patient\": step: \"soon\" "
            "is not valid: expected a duration such as \"250ms\"");
}

}  // namespace
