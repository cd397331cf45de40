// Options made of a config: each value arrives, and what is unset keeps its
// default.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/config_fixture.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

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
  ASSERT_NE(options.backoff_policy, nullptr);
  EXPECT_EQ(options.backoff_policy->name(), "constant");
  ASSERT_NE(options.idempotency_policy, nullptr);
  EXPECT_EQ(options.idempotency_policy->name(), "strict");
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
  EXPECT_EQ(options.backoff_policy, nullptr);
  EXPECT_EQ(options.idempotency_policy, nullptr);
  EXPECT_EQ(options.server_selector, nullptr);
  EXPECT_THAT(options.metrics_sinks, IsEmpty());
  EXPECT_TRUE(options.logger.enabled(LogLevel::kWarning));
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
      control_task: "control/w1"
      concurrency: 8
      prefetch { max_jobs: 16 min_jobs: 2 max_wait: "10ms" max_bytes: 4096 }
      heartbeat_interval: "inf"
      regrab_interval: "20s"
      drain_limit: "0s"
      reconnect {
        first_delay: "50ms"
        initial_delay: "2s"
        max_delay: "1m"
        multiplier: 2.5
        jitter: 0.5
        failures_to_open: 3
        connection_lifetime: "inf"
      }
      exceptions: false
      max_pending_jobs: 77
      server_options: "exceptions"
      native_exceptions: true
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
  EXPECT_EQ(options.control_task, "control/w1");
  EXPECT_EQ(options.concurrency, 8);
  EXPECT_EQ(options.prefetch.max_jobs, 16);
  EXPECT_EQ(options.prefetch.min_jobs, 2);
  EXPECT_EQ(options.prefetch.max_wait, absl::Milliseconds(10));
  EXPECT_EQ(options.prefetch.max_bytes, 4096u);
  EXPECT_EQ(options.heartbeat_interval, absl::InfiniteDuration());
  EXPECT_EQ(options.regrab_interval, absl::Seconds(20));
  EXPECT_EQ(options.drain_limit, absl::ZeroDuration());
  EXPECT_EQ(options.reconnect.first_delay, absl::Milliseconds(50));
  EXPECT_EQ(options.reconnect.initial_delay, absl::Seconds(2));
  EXPECT_EQ(options.reconnect.max_delay, absl::Minutes(1));
  EXPECT_EQ(options.reconnect.multiplier, 2.5);
  EXPECT_EQ(options.reconnect.jitter, 0.5);
  EXPECT_EQ(options.reconnect.failures_to_open, 3);
  EXPECT_EQ(options.reconnect.connection_lifetime, absl::InfiniteDuration());
  EXPECT_FALSE(options.exceptions);
  EXPECT_TRUE(options.native_exceptions);
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
  EXPECT_EQ(options.drain_limit, defaults.drain_limit);
  EXPECT_EQ(options.heartbeat_interval, defaults.heartbeat_interval);
  EXPECT_EQ(options.reconnect.max_delay, defaults.reconnect.max_delay);
  EXPECT_EQ(options.exceptions, defaults.exceptions);
  EXPECT_EQ(options.native_exceptions, defaults.native_exceptions);
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

TEST_F(ConfigTest, PlacesClientSettingsThatContradictEachOther) {
  EXPECT_EQ(Error("connections { reconnect {\n initial_delay: \"10m\" } }"),
            "f:2:17: connections.reconnect.initial_delay: 10m is not valid: "
            "expected at most max_delay, 2m");
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

TEST_F(ConfigTest, SetsWhatTlsTrusts) {
  ASSERT_TRUE(registry_.transports()
                  ->Register("tls", std::make_shared<TlsTransportFactory>())
                  .ok());
  const auto error = [this](const std::string& tls) {
    return Error(absl::StrCat("connections { tls { ", tls, " } }"));
  };
  EXPECT_THAT(error("ca_file: \"/no/such/ca\""), HasSubstr("/no/such/ca"));
  EXPECT_THAT(error("ca_folder: \"/no/such/folder\""),
              HasSubstr("/no/such/folder"));
  EXPECT_THAT(error("ca_pem: \"nonsense\""), HasSubstr("ca_pem"));
  EXPECT_THAT(error("identity { certificate_file: \"/no/such/pem\" }"),
              HasSubstr("/no/such/pem"));
  EXPECT_EQ(error("dangerously_skip_verification: true"), "");
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
  EXPECT_THAT(options.transports->schemes(),
              ElementsAre("inproc", "tcp", "tls"));

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

TEST_F(ConfigTest, WarningsAreHeardUnlessTheConfigSaysOtherwise) {
  const auto server_logger = [this](const char* text) {
    const auto config = Config::FromText(text, "f", registry_);
    EXPECT_TRUE(config.ok()) << config.status();
    const auto options = config->ToJobServerOptions(registry_);
    EXPECT_TRUE(options.ok()) << options.status();
    return options->logger;
  };
  for (const Logger& logger : {Options("").logger, server_logger("")}) {
    EXPECT_TRUE(logger.enabled(LogLevel::kWarning));
    EXPECT_FALSE(logger.enabled(LogLevel::kInfo));
  }
  EXPECT_FALSE(server_logger("log_level: OFF").enabled(LogLevel::kError));
}

TEST_F(ConfigTest, ShowsPayloadsOnlyWhenAskedTo) {
  EXPECT_EQ(Options("log_level: DEBUG").logger.payload_bytes(), 0u);
  EXPECT_EQ(
      Options("log_level: DEBUG log_payload_bytes: 64").logger.payload_bytes(),
      64u);
}

}  // namespace
}  // namespace gearman
