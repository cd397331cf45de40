// ConfigTest: a registry with the built-in plugins and one from outside, and
// what the tests of config.h ask it.
#ifndef GEARMAN_TESTS_SDK_CONFIG_FIXTURE_H_
#define GEARMAN_TESTS_SDK_CONFIG_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/metrics/metrics_plugins.h"
#include "gearman/plugins/retry/retry_plugins.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selection_plugins.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/test_plugin.pb.h"
#include "gtest/gtest.h"

namespace gearman {

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
    EXPECT_TRUE(RegisterBackoffPlugins(&registry_.backoff_policies()).ok());
    EXPECT_TRUE(
        RegisterIdempotencyPlugins(&registry_.idempotency_policies()).ok());
    EXPECT_TRUE(
        RegisterServerSelectionPlugins(&registry_.server_selectors()).ok());
    EXPECT_TRUE(RegisterMetricsPlugins(&registry_.metrics_sinks()).ok());
    EXPECT_TRUE(registry_.retry_policies()
                    .Register<testing::CustomRetryConfig>(
                        "custom",
                        [](const testing::CustomRetryConfig& config)
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

// Something of everything, three times the same.
inline constexpr char kText[] = R"(
servers: ["tcp://a:4730", "b"]
task_prefix: "staging/"
timeouts { connect: "2s" request: "1m30s" reply: "inf" heartbeat: "15s" }
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
backoff { constant { delay: "250ms" } }
idempotency { strict {} }
server_selection { round_robin {} }
metrics { in_memory {} }
drive_mode: CALLER_ONLY
log_level: WARNING
log_payload_bytes: 64
data_encoders { zlib { level: 9 } }
worker { concurrency: 8 prefetch { max_jobs: 16 } }
embedded_server { listen: "inproc://jobs" }
queue_metrics { max_tasks: 50 }
job_retry { max_attempts: 5 final_errors: [NOT_FOUND, ABORTED] }
)";
inline constexpr char kJson[] = R"({
  "servers": ["tcp://a:4730", "b"],
  "taskPrefix": "staging/",
  "timeouts": { "connect": "2s", "request": "1m30s", "reply": "inf",
                "heartbeat": "15s" },
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
  "backoff": { "constant": { "delay": "250ms" } },
  "idempotency": { "strict": {} },
  "serverSelection": { "roundRobin": {} },
  "metrics": [{ "inMemory": {} }],
  "driveMode": "CALLER_ONLY",
    "logLevel": "WARNING",
    "logPayloadBytes": 64,
  "dataEncoders": [{ "zlib": { "level": 9 } }],
    "worker": { "concurrency": 8, "prefetch": { "maxJobs": 16 } },
  "embedded_server": { "listen": ["inproc://jobs"] },
  "queueMetrics": { "maxTasks": 50 },
  "jobRetry": { "maxAttempts": 5, "finalErrors": ["NOT_FOUND", "ABORTED"] }

})";

inline config::GearmanConfig InCode() {
  config::GearmanConfig config;
  config.add_servers("tcp://a:4730");
  config.add_servers("b");
  config.set_task_prefix("staging/");
  config.mutable_timeouts()->set_connect("2s");
  config.mutable_timeouts()->set_request("1m30s");
  config.mutable_timeouts()->set_reply("inf");
  config.mutable_timeouts()->set_heartbeat("15s");
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
  testing::CustomRetryConfig retry;
  retry.set_tries(3);
  config.mutable_retry()->mutable_plugin()->PackFrom(retry);
  config.mutable_backoff()->mutable_constant()->set_delay("250ms");
  config.mutable_idempotency()->mutable_strict();
  config.mutable_server_selection()->mutable_round_robin();
  config.add_metrics()->mutable_in_memory();
  config.set_drive_mode(config::DriveMode::CALLER_ONLY);
  config.mutable_worker()->set_concurrency(8);
  config.mutable_worker()->mutable_prefetch()->set_max_jobs(16);
  config.mutable_embedded_server()->add_listen("inproc://jobs");
  config.mutable_queue_metrics()->set_max_tasks(50);
  config.mutable_job_retry()->set_max_attempts(5);
  config.mutable_job_retry()->add_final_errors(config::ErrorCode::NOT_FOUND);
  config.mutable_job_retry()->add_final_errors(config::ErrorCode::ABORTED);

  config.set_log_level(config::LogLevel::WARNING);
  config.set_log_payload_bytes(64);
  config.add_data_encoders()->mutable_zlib()->set_level(9);
  return config;
}

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_CONFIG_FIXTURE_H_
