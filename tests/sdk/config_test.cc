#include "gearman/sdk/config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/metrics/metrics_plugins.h"
#include "gearman/plugins/retry/retry_plugins.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selection_plugins.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/test_plugin.pb.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport.h"
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
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A policy from outside, that remembers its config.
class CustomRetry : public RetryPolicy {
 public:
  explicit CustomRetry(int tries) : tries_(tries) {}
  RetryDecision OnFailure(const AttemptFailure& failure) override {
    RetryDecision decision;
    decision.again = failure.attempt < tries_;
    return decision;
  }
  absl::string_view name() const override { return "custom"; }

 private:
  const int tries_;
};

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    EXPECT_TRUE(RegisterRetryPlugins(&registry_.retry_policies()).ok());
    EXPECT_TRUE(
        RegisterServerSelectionPlugins(&registry_.server_selectors()).ok());
    EXPECT_TRUE(RegisterMetricsPlugins(&registry_.metrics_sinks()).ok());
    EXPECT_TRUE(registry_.retry_policies()
                    .Register<CustomRetryConfig>(
                        "custom",
                        [](const CustomRetryConfig& config)
                            -> absl::StatusOr<std::unique_ptr<RetryPolicy>> {
                          if (config.tries() < 0) {
                            return FieldError("tries",
                                              absl::StrCat(config.tries()),
                                              "it must be at least 0");
                          }
                          return std::make_unique<CustomRetry>(config.tries());
                        })
                    .ok());
  }

  // The options that a text makes.
  ClientOptions Options(absl::string_view text) {
    absl::StatusOr<Config> config = Config::FromText(text, "f", registry_);
    EXPECT_TRUE(config.ok()) << config.status();
    if (!config.ok()) return ClientOptions();
    absl::StatusOr<ClientOptions> options = config->ToClientOptions(registry_);
    EXPECT_TRUE(options.ok()) << options.status();
    return options.ok() ? *std::move(options) : ClientOptions();
  }

  // The error of a text, when it is read or made into options.
  std::string Error(absl::string_view text) {
    absl::StatusOr<Config> config = Config::FromText(text, "f", registry_);
    if (!config.ok()) return std::string(config.status().message());
    return std::string(config->ToClientOptions(registry_).status().message());
  }
  std::string JsonError(absl::string_view text) {
    absl::StatusOr<Config> config = Config::FromJson(text, "f", registry_);
    if (!config.ok()) return std::string(config.status().message());
    return std::string(config->ToClientOptions(registry_).status().message());
  }

  WorkerOptions ForWorker(absl::string_view text) {
    absl::StatusOr<Config> config = Config::FromText(text, "f", registry_);
    EXPECT_TRUE(config.ok()) << config.status();
    if (!config.ok()) return WorkerOptions();
    absl::StatusOr<WorkerOptions> options = config->ToWorkerOptions(registry_);
    EXPECT_TRUE(options.ok()) << options.status();
    return options.ok() ? *std::move(options) : WorkerOptions();
  }
  std::string WorkerError(absl::string_view text) {
    absl::StatusOr<Config> config = Config::FromText(text, "f", registry_);
    if (!config.ok()) return std::string(config.status().message());
    return std::string(config->ToWorkerOptions(registry_).status().message());
  }

  PluginRegistry registry_;
};

EnvironmentLookup Environment(std::optional<std::string> servers) {
  return [servers](absl::string_view name) -> std::optional<std::string> {
    return name == "GEARMAN_SERVERS" ? servers : std::nullopt;
  };
}

constexpr char kText[] = R"(
servers: ["tcp://a:4730", "b"]
task_prefix: "staging/"
timeouts { connect: "2s" request: "1m30s" reply: "inf" }
limits {
  max_packet_bytes: 1048576
  max_output_bytes: 2097152
  max_requests_in_flight: 1000
  max_update_bytes: 4096
  when_full: FAIL
}
requests {
  priority: HIGH
  unique_mode: PAYLOAD
  idempotent: true
  max_connection_attempts: 4
}
connections { exceptions: false }
retry {
  plugin {
    [type.googleapis.com/gearman.testing.CustomRetryConfig] { tries: 3 }
  }
}
server_selection { round_robin {} }
metrics { in_memory {} }
drive_mode: CALLER_ONLY
log_level: WARNING
worker { concurrency: 8 prefetch { max_jobs: 16 } }
embedded_server { listen: "inproc://jobs" }
)";
constexpr char kJson[] = R"({
  "servers": ["tcp://a:4730", "b"],
  "taskPrefix": "staging/",
  "timeouts": { "connect": "2s", "request": "1m30s", "reply": "inf" },
  "limits": {
    "maxPacketBytes": 1048576,
    "max_output_bytes": "2097152",
    "maxRequestsInFlight": 1000,
    "maxUpdateBytes": 4096,
    "whenFull": "FAIL"
  },
  "requests": {
    "priority": "HIGH",
    "uniqueMode": "PAYLOAD",
    "idempotent": true,
    "maxConnectionAttempts": 4
  },
  "connections": { "exceptions": false },
  "retry": {
    "plugin": {
      "@type": "type.googleapis.com/gearman.testing.CustomRetryConfig",
      "tries": 3
    }
  },
  "serverSelection": { "roundRobin": {} },
  "metrics": [{ "inMemory": {} }],
  "driveMode": "CALLER_ONLY",
    "logLevel": "WARNING",
    "worker": { "concurrency": 8, "prefetch": { "maxJobs": 16 } },
  "embedded_server": { "listen": ["inproc://jobs"] }

})";

GearmanConfig InCode() {
  GearmanConfig config;
  config.add_servers("tcp://a:4730");
  config.add_servers("b");
  config.set_task_prefix("staging/");
  config.mutable_timeouts()->set_connect("2s");
  config.mutable_timeouts()->set_request("1m30s");
  config.mutable_timeouts()->set_reply("inf");
  config::Limits* const limits = config.mutable_limits();
  limits->set_max_packet_bytes(1048576);
  limits->set_max_output_bytes(2097152);
  limits->set_max_requests_in_flight(1000);
  limits->set_max_update_bytes(4096);
  limits->set_when_full(config::WhenFull::FAIL);
  config::Requests* const requests = config.mutable_requests();
  requests->set_priority(config::Priority::HIGH);
  requests->set_unique_mode(config::UniqueMode::PAYLOAD);
  requests->set_idempotent(true);
  requests->set_max_connection_attempts(4);
  config.mutable_connections()->set_exceptions(false);
  CustomRetryConfig retry;
  retry.set_tries(3);
  config.mutable_retry()->mutable_plugin()->PackFrom(retry);
  config.mutable_server_selection()->mutable_round_robin();
  config.add_metrics()->mutable_in_memory();
  config.set_drive_mode(config::DriveMode::CALLER_ONLY);
  config.mutable_worker()->set_concurrency(8);
  config.mutable_worker()->mutable_prefetch()->set_max_jobs(16);
  config.mutable_embedded_server()->add_listen("inproc://jobs");

  config.set_log_level(config::LogLevel::WARNING);
  return config;
}

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
    EXPECT_TRUE(field->is_repeated()
                    ? config.GetReflection()->FieldSize(config, field) > 0
                    : config.GetReflection()->HasField(config, field))
        << field->name();
  }
}

// --- options

TEST_F(ConfigTest, SetsEveryOption) {
  const ClientOptions options = Options(kText);
  EXPECT_THAT(options.servers, ElementsAre("tcp://a:4730", "b"));
  EXPECT_EQ(options.task_prefix, "staging/");
  EXPECT_EQ(options.connect_timeout, absl::Seconds(2));
  EXPECT_EQ(options.timeout, absl::Seconds(90));
  EXPECT_EQ(options.reply_timeout, absl::InfiniteDuration());
  EXPECT_EQ(options.limits.max_packet_bytes, 1048576u);
  EXPECT_EQ(options.limits.max_output_bytes, 2097152u);
  EXPECT_EQ(options.limits.max_requests_in_flight, 1000u);
  EXPECT_EQ(options.limits.max_update_bytes, 4096u);
  EXPECT_EQ(options.limits.when_full, WhenFull::kFail);
  EXPECT_EQ(options.priority, Priority::kHigh);
  EXPECT_EQ(options.unique_mode, UniqueMode::kPayload);
  EXPECT_TRUE(options.idempotent);
  EXPECT_EQ(options.max_connection_attempts, 4);
  EXPECT_FALSE(options.exceptions);
  EXPECT_EQ(options.drive_mode, DriveMode::kCallerOnly);
  EXPECT_TRUE(options.logger.enabled(LogLevel::kWarning));
  EXPECT_FALSE(options.logger.enabled(LogLevel::kInfo));
  ASSERT_NE(options.retry_policy, nullptr);
  EXPECT_EQ(options.retry_policy->name(), "custom");
  ASSERT_NE(options.server_selector, nullptr);
  EXPECT_EQ(options.server_selector->name(), "round_robin");
  ASSERT_EQ(options.metrics_sinks.size(), 1u);
  EXPECT_EQ(options.metrics_sinks[0]->name(), "in_memory");
  EXPECT_EQ(options.transports, registry_.transports());
}

TEST_F(ConfigTest, KeepsTheDefaultsOfWhatIsNotSet) {
  const ClientOptions defaults;
  const ClientOptions options = Options("");
  EXPECT_THAT(options.servers, IsEmpty());
  EXPECT_EQ(options.connect_timeout, defaults.connect_timeout);
  EXPECT_EQ(options.timeout, defaults.timeout);
  EXPECT_EQ(options.reply_timeout, defaults.reply_timeout);
  EXPECT_EQ(options.limits.max_packet_bytes, defaults.limits.max_packet_bytes);
  EXPECT_EQ(options.limits.when_full, defaults.limits.when_full);
  EXPECT_EQ(options.max_connection_attempts, defaults.max_connection_attempts);
  EXPECT_EQ(options.exceptions, defaults.exceptions);
  EXPECT_EQ(options.drive_mode, defaults.drive_mode);
  EXPECT_EQ(options.retry_policy, nullptr);
  EXPECT_EQ(options.server_selector, nullptr);
  EXPECT_THAT(options.metrics_sinks, IsEmpty());
  EXPECT_FALSE(options.logger.enabled(LogLevel::kError));
}

TEST_F(ConfigTest, PassesAPluginsConfigOn) {
  const ClientOptions options = Options(kText);
  AttemptFailure failure;
  failure.attempt = 2;
  EXPECT_TRUE(options.retry_policy->OnFailure(failure).again);
  failure.attempt = 3;
  EXPECT_FALSE(options.retry_policy->OnFailure(failure).again);
}

TEST_F(ConfigTest, MakesOptionsOfAMessage) {
  absl::StatusOr<ClientOptions> options =
      ClientOptionsFromConfig(InCode(), registry_);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->connect_timeout, absl::Seconds(2));
}

TEST_F(ConfigTest, SetsEveryOptionOfAWorker) {
  const WorkerOptions options = ForWorker(R"(
    servers: ["tcp://a:4730", "b"]
    task_prefix: "staging/"
    timeouts { connect: "2s" reply: "inf" }
    limits { max_packet_bytes: 1048576 max_output_bytes: 2097152 }
    metrics { in_memory {} }
    log_level: INFO
    worker {
      client_id: "w1"
      concurrency: 8
      prefetch { max_jobs: 16 min_jobs: 2 max_wait: "10ms" max_bytes: 4096 }
      heartbeat_interval: "inf"
      regrab_interval: "20s"
      reconnect {
        first_delay: "50ms"
        initial_delay: "2s"
        max_delay: "1m"
        multiplier: 2.5
        jitter: 0.5
      }
      exceptions: false
      max_pending_jobs: 77
      server_options: "exceptions"
    }
  )");
  EXPECT_THAT(options.servers, ElementsAre("tcp://a:4730", "b"));
  EXPECT_EQ(options.task_prefix, "staging/");
  EXPECT_EQ(options.connect_timeout, absl::Seconds(2));
  EXPECT_EQ(options.reply_timeout, absl::InfiniteDuration());
  EXPECT_EQ(options.limits.max_packet_bytes, 1048576u);
  EXPECT_EQ(options.limits.max_output_bytes, 2097152u);
  EXPECT_EQ(options.limits.max_pending_jobs, 77);
  ASSERT_EQ(options.metrics_sinks.size(), 1u);
  EXPECT_TRUE(options.logger.enabled(LogLevel::kInfo));
  EXPECT_EQ(options.client_id, "w1");
  EXPECT_EQ(options.concurrency, 8);
  EXPECT_EQ(options.prefetch.max_jobs, 16);
  EXPECT_EQ(options.prefetch.min_jobs, 2);
  EXPECT_EQ(options.prefetch.max_wait, absl::Milliseconds(10));
  EXPECT_EQ(options.prefetch.max_bytes, 4096u);
  EXPECT_EQ(options.heartbeat_interval, absl::InfiniteDuration());
  EXPECT_EQ(options.regrab_interval, absl::Seconds(20));
  EXPECT_EQ(options.reconnect.first_delay, absl::Milliseconds(50));
  EXPECT_EQ(options.reconnect.initial_delay, absl::Seconds(2));
  EXPECT_EQ(options.reconnect.max_delay, absl::Minutes(1));
  EXPECT_EQ(options.reconnect.multiplier, 2.5);
  EXPECT_EQ(options.reconnect.jitter, 0.5);
  EXPECT_FALSE(options.exceptions);
  EXPECT_THAT(options.server_options, ElementsAre("exceptions"));
  EXPECT_EQ(options.transports, registry_.transports());
}

TEST_F(ConfigTest, KeepsTheDefaultsOfAWorker) {
  const WorkerOptions defaults;
  const WorkerOptions options = ForWorker("");
  EXPECT_EQ(options.concurrency, defaults.concurrency);
  EXPECT_EQ(options.prefetch.max_jobs, defaults.prefetch.max_jobs);
  EXPECT_EQ(options.prefetch.max_wait, defaults.prefetch.max_wait);
  EXPECT_EQ(options.regrab_interval, defaults.regrab_interval);
  EXPECT_EQ(options.heartbeat_interval, defaults.heartbeat_interval);
  EXPECT_EQ(options.reconnect.max_delay, defaults.reconnect.max_delay);
  EXPECT_EQ(options.exceptions, defaults.exceptions);
  EXPECT_EQ(options.limits.max_pending_jobs, defaults.limits.max_pending_jobs);
}

TEST_F(ConfigTest, PlacesWorkerSettingsThatContradictEachOther) {
  EXPECT_EQ(WorkerError("worker {\n prefetch { min_jobs: 200 } }"),
            "f:2:23: worker.prefetch.min_jobs: 200 is not valid: expected at "
            "most max_jobs, 128");
  EXPECT_EQ(WorkerError("worker { reconnect {\n initial_delay: \"2s\" "
                        "max_delay: \"1s\" } }"),
            "f:2:17: worker.reconnect.initial_delay: 2s is not valid: "
            "expected at most max_delay, 1s");
}

TEST_F(ConfigTest, PlacesATooLongClientId) {
  EXPECT_EQ(WorkerError(absl::StrCat("worker { client_id: \"",
                                     std::string(128, 'x'), "\" }")),
            "f:1:21: worker.client_id: a text of 128 bytes is not valid: "
            "expected at most 127");
}

TEST_F(ConfigTest, PlacesABadListenAddress) {
  EXPECT_THAT(Error("embedded_server {\n listen: \"tcp://b:99999\" }"),
              StartsWith("f:2:10: embedded_server.listen[0]: "));
}

// A socket's option.
int SocketOption(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

TEST_F(ConfigTest, SetsTheSocketsOfTcp) {
  ASSERT_TRUE(registry_.transports()
                  ->Register("tcp", std::make_shared<TcpTransportFactory>())
                  .ok());
  ASSERT_TRUE(
      registry_.transports()
          ->Register("inproc", std::make_shared<InprocTransportFactory>())
          .ok());
  const ClientOptions options = Options(
      "connections { tcp { no_delay: false keepalive: true keepalive_idle: "
      "\"42s\" keepalive_interval: \"7s\" keepalive_probes: 3 "
      "attempt_delay: \"100ms\" } }");
  ASSERT_NE(options.transports, nullptr);
  EXPECT_THAT(options.transports->schemes(), ElementsAre("inproc", "tcp"));

  auto poller = EpollPoller::Create();
  ASSERT_TRUE(poller.ok()) << poller.status();
  auto listener =
      options.transports->Listen({"tcp", "127.0.0.1:0"}, poller->get(), 1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto transport =
      options.transports->Create((*listener)->address(), poller->get(), 2);
  ASSERT_TRUE(transport.ok()) << transport.status();
  IoResult connected = (*transport)->Connect();
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (connected.would_block() && absl::Now() < deadline) {
    ASSERT_TRUE((*poller)->Watch(2, (*transport)->interest(false)).ok());
    std::vector<Poller::Key> ready;
    (*poller)->Wait(deadline, &ready);
    connected = (*transport)->Connect();
  }
  ASSERT_TRUE(connected.done());
  const int fd = (*transport)->interest(false).fd;
  EXPECT_EQ(SocketOption(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(SocketOption(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(SocketOption(fd, IPPROTO_TCP, TCP_KEEPIDLE), 42);
  EXPECT_EQ(SocketOption(fd, IPPROTO_TCP, TCP_KEEPINTVL), 7);
  EXPECT_EQ(SocketOption(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  (*poller)->Forget(2);
}

TEST_F(ConfigTest, PlacesABadSocketSetting) {
  EXPECT_EQ(Error("connections { tcp { keepalive_probes: 0 } }"),
            "f:1:39: connections.tcp.keepalive_probes: 0 is not valid: "
            "expected a whole number from 1 to 127");
}

// Each name in the file means the C++ value of that name.
TEST_F(ConfigTest, TranslatesEachPriority) {
  EXPECT_EQ(Options("requests { priority: NONE }").priority, Priority::kNone);
  EXPECT_EQ(Options("requests { priority: LOW }").priority, Priority::kLow);
  EXPECT_EQ(Options("requests { priority: HIGH }").priority, Priority::kHigh);
}

TEST_F(ConfigTest, TranslatesEachUniqueMode) {
  const std::pair<const char*, UniqueMode> modes[] = {
      {"RANDOM", UniqueMode::kRandom},
      {"PAYLOAD", UniqueMode::kPayload},
      {"DASH", UniqueMode::kDash},
      {"NONE", UniqueMode::kNone}};
  for (const auto& [name, mode] : modes) {
    EXPECT_EQ(Options(absl::StrCat("requests { unique_mode: ", name, " }"))
                  .unique_mode,
              mode);
  }
}

TEST_F(ConfigTest, TranslatesEachBehaviourAtALimit) {
  const std::pair<const char*, WhenFull> modes[] = {{"BLOCK", WhenFull::kBlock},
                                                    {"FAIL", WhenFull::kFail},
                                                    {"DROP", WhenFull::kDrop}};
  for (const auto& [name, mode] : modes) {
    EXPECT_EQ(Options(absl::StrCat("limits { when_full: ", name, " }"))
                  .limits.when_full,
              mode);
  }
}

TEST_F(ConfigTest, TranslatesEachLogLevel) {
  const std::pair<const char*, LogLevel> levels[] = {
      {"ERROR", LogLevel::kError},
      {"WARNING", LogLevel::kWarning},
      {"INFO", LogLevel::kInfo},
      {"DEBUG", LogLevel::kDebug}};
  for (const auto& [name, level] : levels) {
    const Logger logger = Options(absl::StrCat("log_level: ", name)).logger;
    EXPECT_TRUE(logger.enabled(level));
    if (level != LogLevel::kDebug) {
      EXPECT_FALSE(logger.enabled(LogLevel::kDebug));
    }
  }
  EXPECT_FALSE(Options("log_level: OFF").logger.enabled(LogLevel::kError));
}

// --- mistakes, each with its place

TEST_F(ConfigTest, PlacesAnUnknownField) {
  EXPECT_THAT(Error("servers: \"a\"\nretries {}"),
              AllOf(StartsWith("f:2:1: unknown field \"retries\": did you mean "
                               "\"retry\"? Known: connections, "),
                    HasSubstr("timeouts")));
}

TEST_F(ConfigTest, PlacesAnUnknownBuiltIn) {
  EXPECT_THAT(Error("retry {\n  imediate {}\n}"),
              AllOf(StartsWith("f:2:3: retry: unknown field \"imediate\": did "
                               "you mean \"immediate\"? Known: immediate, "
                               "none, plugin"),
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
              AllOf(StartsWith("f:2:2: no metrics sink has the config message "
                               "\"gearman.testing.CustomRetryConfig\""),
                    HasSubstr("Known: gearman.config.InMemoryMetrics")));
}

TEST_F(ConfigTest, PlacesAChoiceThatIsMissing) {
  EXPECT_EQ(Error("task_prefix: \"x\"\nretry {}"),
            "f:2:1: retry: names no retry policy: expected custom { } or "
            "immediate { } or none { }, or plugin with a config message");
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

TEST_F(ConfigTest, PlacesANulInThePrefix) {
  EXPECT_THAT(Error("task_prefix: \"a\\000b\""),
              AllOf(StartsWith("f:1:14: task_prefix: "), HasSubstr("NUL")));
}

TEST_F(ConfigTest, PlacesABadValueOfABuiltInPlugin) {
  EXPECT_EQ(Error("retry {\n  immediate {\n    max_attempts: 0\n  }\n}"),
            "f:3:19: retry policy \"immediate\": max_attempts: 0 is not valid: "
            "it must be from 1 to 1000");
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

// --- the environment and code over it

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

TEST_F(ConfigTest, RefusesAFolder) {
  const std::string path = ::testing::TempDir() + "/config_folder.json";
  rmdir(path.c_str());
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);

  const absl::Status status = Config::FromFile(path).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

}  // namespace
}  // namespace gearman
