#include "gearman/tools/gearctl/connect.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tools/gearctl/flags.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

// Gives the flags back what they had.
class ConnectTest : public ::testing::Test {
 protected:
  void GiveTimeout(absl::Duration timeout) {
    absl::SetFlag(&FLAGS_timeout, FlagTimeout(timeout));
  }
  void GiveConfig(const std::string& text) {
    absl::SetFlag(&FLAGS_config, directory_.Write("config.textproto", text));
  }

 private:
  const absl::FlagSaver saver_;
  const support::TestDirectory directory_;
};

TEST_F(ConnectTest, AQuestionHasTenSecondsUnlessATimeoutIsGiven) {
  EXPECT_EQ(QuestionTimeout(), absl::Seconds(10));
  GiveTimeout(absl::Minutes(2));
  EXPECT_EQ(QuestionTimeout(), absl::Minutes(2));
}

TEST_F(ConnectTest, AQuestionMayWaitForEver) {
  GiveTimeout(absl::InfiniteDuration());
  EXPECT_EQ(QuestionTimeout(), absl::InfiniteDuration());
}

TEST_F(ConnectTest, ATimeoutReplacesThatOfAConfig) {
  GiveConfig("servers: \"a\" timeouts { request: \"5s\" }");
  absl::StatusOr<ClientOptions> options = MakeClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->timeout, absl::Seconds(5));
  for (const absl::Duration given :
       {absl::Minutes(2), absl::InfiniteDuration()}) {
    GiveTimeout(given);
    options = MakeClientOptions();
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->timeout, given);
  }
}

// The sinks belong to a program. gearctl would add to the metrics of that
// program, and would fail where they can't be sent.
TEST_F(ConnectTest, TheMetricsOfAConfigAreLeftOut) {
  GiveConfig(
      "servers: \"a\" metrics { log {} }\n"
      "metrics { statsd { address: \"statsd.invalid:8125\" } }");
  const absl::StatusOr<ClientOptions> client = MakeClientOptions();
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE(client->metrics_sinks.empty());
  const absl::StatusOr<WorkerOptions> worker = MakeWorkerOptions();
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_TRUE(worker->metrics_sinks.empty());
  EXPECT_TRUE(MakeQueueMetricsOptions().ok());
  EXPECT_TRUE(MaxPayloadBytes().ok());
}

TEST_F(ConnectTest, AUniqueChoosesTheServerUnlessTheConfigDoes) {
  GiveConfig("servers: [\"a\", \"b\"]");
  absl::StatusOr<ClientOptions> options = MakeClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->server_selector, nullptr);
  absl::SetFlag(&FLAGS_unique, "key");
  options = MakeClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_NE(options->server_selector, nullptr);
  EXPECT_EQ(options->server_selector->name(), "unique_hash");
  GiveConfig("servers: [\"a\", \"b\"] server_selection { ordered {} }");
  options = MakeClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->server_selector->name(), "ordered");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
