// docs/guide/configuration.md is true: its examples are configs, its defaults
// are those of the options, and the mistakes that it shows are told so. The
// configs of other pages are configs, too.
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/plugins/encoding/json_encoder.h"
#include "gearman/plugins/encoding/protobuf_encoder.h"
#include "gearman/plugins/encoding/zlib_encoder.h"
#include "gearman/plugins/encoding/zstd_encoder.h"
#include "gearman/plugins/metrics/log_metrics.h"
#include "gearman/plugins/metrics/prometheus_metrics.h"
#include "gearman/plugins/metrics/statsd_metrics.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/retry_budget.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/job_retry_config.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/tls/tls_options.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

std::string Page() {
  std::ifstream file("docs/guide/configuration.md");
  EXPECT_TRUE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The blocks of one language.
std::vector<std::string> Blocks(const std::string& page,
                                absl::string_view language) {
  std::vector<std::string> blocks;
  const std::string begin = absl::StrCat("\n```", language, "\n");
  for (size_t at = page.find(begin); at != std::string::npos;
       at = page.find(begin, at)) {
    at += begin.size();
    const size_t end = page.find("\n```\n", at);
    blocks.push_back(page.substr(at, end - at));
    at = end;
  }
  return blocks;
}

// The defaults that are written as values, by the path of their field.
std::map<std::string, std::string> Defaults(const std::string& page) {
  std::map<std::string, std::string> defaults;
  std::string section;
  size_t column = 0;  // 0: this table has no defaults
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    if (absl::StartsWith(line, "### ")) {
      const std::vector<std::string> parts = absl::StrSplit(line, '`');
      section = parts.size() > 1 ? absl::StrCat(parts[1], ".") : "";
    } else if (absl::StartsWith(line, "| field | ")) {
      column = cells.size() > 2 && cells[2] == "default" ? 2 : 0;
    } else if (absl::StartsWith(line, "| `") && column > 0) {
      const std::vector<std::string> value = absl::StrSplit(cells[column], '`');
      if (value.size() < 3 || !value[0].empty()) continue;
      const std::vector<std::string> field = absl::StrSplit(cells[0], '`');
      defaults[absl::StrCat(section, field[1])] = value[1];
    }
  }
  return defaults;
}

std::string Text(absl::Duration duration) {
  return absl::StrCat("\"", absl::FormatDuration(duration), "\"");
}
std::string Text(const std::string& text) {
  return absl::StrCat("\"", text, "\"");
}
std::string Text(uint64_t number) { return absl::StrCat(number); }
std::string Text(uint32_t number) { return absl::StrCat(number); }
std::string Text(int number) { return absl::StrCat(number); }
std::string Text(double number) { return absl::StrCat(number); }
std::string Text(bool truth) { return truth ? "true" : "false"; }
// The name of an enum's value if that is the default.
std::string Text(bool is_default, absl::string_view name) {
  return is_default ? std::string(name) : absl::StrCat("not ", name);
}

std::map<std::string, std::string> ClientDefaults() {
  const ClientOptions client;
  const ReconnectOptions reconnect;
  const TcpOptions tcp;
  const TlsOptions tls;
  const TlsServerOptions tls_server;
  EXPECT_EQ(WorkerOptions().connect_timeout, client.connect_timeout);
  EXPECT_EQ(WorkerOptions().reply_timeout, client.reply_timeout);
  EXPECT_EQ(WorkerOptions().limits.max_packet_bytes,
            client.limits.max_packet_bytes);
  return {
      {"task_prefix", Text(client.task_prefix)},
      {"drive_mode", Text(client.drive_mode == DriveMode::kAuto, "AUTO")},
      {"timeouts.connect", Text(client.connect_timeout)},
      {"timeouts.request", Text(client.timeout)},
      {"timeouts.reply", Text(client.reply_timeout)},
      {"timeouts.heartbeat", Text(client.heartbeat_interval)},
      {"limits.max_packet_bytes", Text(client.limits.max_packet_bytes)},
      {"limits.max_requests_in_flight",
       Text(client.limits.max_requests_in_flight)},
      {"limits.max_update_bytes", Text(client.limits.max_update_bytes)},
      {"limits.when_full",
       Text(client.limits.when_full == WhenFull::kBlock, "BLOCK")},
      {"requests.priority", Text(client.priority == Priority::kNone, "NONE")},
      {"requests.unique_mode",
       Text(client.unique_mode == UniqueMode::kRandom, "RANDOM")},
      {"requests.idempotent", Text(client.idempotent)},
      {"connections.exceptions", Text(client.exceptions)},
      {"connections.reconnect.first_delay", Text(reconnect.first_delay)},
      {"connections.reconnect.initial_delay", Text(reconnect.initial_delay)},
      {"connections.reconnect.max_delay", Text(reconnect.max_delay)},
      {"connections.reconnect.multiplier", Text(reconnect.multiplier)},
      {"connections.reconnect.jitter", Text(reconnect.jitter)},
      {"connections.reconnect.failures_to_open",
       Text(reconnect.failures_to_open)},
      {"connections.reconnect.connection_lifetime",
       Text(reconnect.connection_lifetime)},
      {"connections.tcp.no_delay", Text(tcp.no_delay)},
      {"connections.tcp.keepalive", Text(tcp.keepalive)},
      {"connections.tcp.keepalive_idle", Text(tcp.keepalive_idle)},
      {"connections.tcp.keepalive_interval", Text(tcp.keepalive_interval)},
      {"connections.tcp.keepalive_probes", Text(tcp.keepalive_probes)},
      {"connections.tcp.attempt_delay", Text(tcp.attempt_delay)},
      {"connections.tls.min_version",
       Text(tls.min_version == TlsVersion::kTls12, "TLS_1_2")},
      {"connections.tls.dangerously_skip_verification",
       Text(tls.dangerously_skip_verification)},
      {"embedded_server.tls.min_version",
       Text(tls_server.min_version == TlsVersion::kTls12, "TLS_1_2")},
  };
}

std::map<std::string, std::string> WorkerDefaults() {
  const WorkerOptions worker;
  const QueueMetricsOptions queues;
  const JobRetryPolicy job_retry;
  return {
      {"worker.client_id", Text(worker.client_id)},
      {"worker.control_task", Text(worker.control_task)},
      {"worker.concurrency", Text(worker.concurrency)},
      {"worker.heartbeat_interval", Text(worker.heartbeat_interval)},
      {"worker.regrab_interval", Text(worker.regrab_interval)},
      {"worker.drain_limit", Text(worker.drain_limit)},
      {"worker.exceptions", Text(worker.exceptions)},
      {"worker.native_exceptions", Text(worker.native_exceptions)},
      {"worker.max_pending_jobs", Text(worker.limits.max_pending_jobs)},
      {"worker.prefetch.max_jobs", Text(worker.prefetch.max_jobs)},
      {"worker.prefetch.min_jobs", Text(worker.prefetch.min_jobs)},
      {"worker.prefetch.max_wait", Text(worker.prefetch.max_wait)},
      {"worker.prefetch.max_bytes", Text(worker.prefetch.max_bytes)},
      {"queue_metrics.interval", Text(queues.interval)},
      {"queue_metrics.timeout", Text(queues.timeout)},
      {"queue_metrics.max_tasks", Text(queues.max_tasks)},
      {"job_retry.max_attempts", Text(job_retry.max_attempts)},
      {"job_retry.place",
       Text(job_retry.place == RetryPlace::kServer, "SERVER")},
  };
}

std::map<std::string, std::string> ServerDefaults() {
  const JobServerOptions server;
  return {
      {"embedded_server.job_retries", Text(server.job_retries)},
      {"embedded_server.worker_wakeup", Text(server.worker_wakeup)},
      {"embedded_server.round_robin", Text(server.round_robin)},
      {"embedded_server.exceptions", Text(server.exceptions)},
      {"embedded_server.max_jobs", Text(server.max_jobs)},
      {"embedded_server.max_job_bytes", Text(server.max_job_bytes)},
      {"embedded_server.max_connections", Text(server.max_connections)},
      {"embedded_server.max_packet_bytes", Text(server.max_packet_bytes)},
      {"embedded_server.output_mark", Text(server.output_mark)},
      {"embedded_server.max_output_bytes", Text(server.max_output_bytes)},
      {"embedded_server.pipe_bytes", Text(server.pipe_bytes)},
      {"embedded_server.max_functions", Text(server.max_functions)},
      {"embedded_server.max_functions_of_worker",
       Text(server.max_functions_of_worker)},
      {"embedded_server.packet_timeout", Text(server.packet_timeout)},
      {"embedded_server.output_timeout", Text(server.output_timeout)},
      {"embedded_server.max_handshakes", Text(server.max_handshakes)},
  };
}

std::map<std::string, std::string> PluginDefaults() {
  const RetryBudgetOptions budget;
  const ExponentialBackoffOptions backoff;
  const StatsdMetricsOptions statsd;
  const std::string delay = "retry.exponential_backoff.delay.";
  return {
      {"retry.budget.max_tokens", Text(budget.max_tokens)},
      {"retry.budget.retry_cost", Text(budget.retry_cost)},
      {"retry.budget.timeout_cost", Text(budget.timeout_cost)},
      {"retry.budget.success_refund", Text(budget.success_refund)},
      {delay + "initial_delay", Text(backoff.initial_delay)},
      {delay + "max_delay", Text(backoff.max_delay)},
      {delay + "multiplier", Text(backoff.multiplier)},
      {delay + "jitter", Text(backoff.jitter)},
      {"metrics.log.interval", Text(LogMetricsOptions().interval)},
      {"metrics.log.with_zeros", Text(LogMetricsOptions().with_zeros)},
      {"metrics.prometheus.path", Text(PrometheusMetricsOptions().path)},
      {"metrics.statsd.address", Text(statsd.address)},
      {"metrics.statsd.interval", Text(statsd.interval)},
      {"metrics.statsd.prefix", Text(statsd.prefix)},
      {"metrics.statsd.max_datagram_bytes", Text(statsd.max_datagram_bytes)},
      {"metrics.statsd.buckets", Text(statsd.buckets)},
      {"data_encoders.envelope.accept_raw", Text(EnvelopeOptions().accept_raw)},
      {"data_encoders.envelope.max_header_bytes",
       Text(EnvelopeOptions().max_header_bytes)},
      {"data_encoders.protobuf.max_message_bytes",
       Text(ProtobufOptions().max_message_bytes)},
      {"data_encoders.json.max_message_bytes",
       Text(JsonOptions().max_message_bytes)},
      {"data_encoders.json.ignore_unknown_fields",
       Text(JsonOptions().ignore_unknown_fields)},
      {"data_encoders.zlib.level", Text(ZlibOptions().level)},
      {"data_encoders.zlib.max_decoded_bytes",
       Text(ZlibOptions().max_decoded_bytes)},
      {"data_encoders.zstd.level", Text(ZstdOptions().level)},
      {"data_encoders.zstd.max_decoded_bytes",
       Text(ZstdOptions().max_decoded_bytes)},
  };
}

TEST(ConfigPage, ItsDefaultsAreThoseOfTheOptions) {
  // No option has these defaults: they are what the config's own code or an
  // unset plugin does.
  const std::set<std::string> others = {"servers",
                                        "embedded_server.listen",
                                        "log_payload_bytes",
                                        "retry",
                                        "server_selection",
                                        "idempotency",
                                        "retry.budget.policy",
                                        "job_retry.backoff",
                                        "backoff.constant.delay"};
  std::map<std::string, std::string> expected = ClientDefaults();
  expected.merge(WorkerDefaults());
  expected.merge(ServerDefaults());
  expected.merge(PluginDefaults());
  for (const auto& [field, value] : Defaults(Page())) {
    if (others.count(field) > 0) continue;
    const auto found = expected.find(field);
    if (found == expected.end()) {
      ADD_FAILURE() << field << ": this test does not know its default";
      continue;
    }
    EXPECT_EQ(value, found->second) << field;
    expected.erase(found);
  }
  for (const auto& [field, value] : expected) {
    ADD_FAILURE() << field << ": the page has no default for it";
  }
}

TEST(ConfigPage, ItsExamplesAreConfigs) {
  const std::vector<std::string> examples = Blocks(Page(), "textproto");
  EXPECT_GE(examples.size(), 20u);
  for (const std::string& example : examples) {
    const absl::StatusOr<Config> config =
        Config::FromText(example, "the example");
    ASSERT_TRUE(config.ok()) << example << config.status();
    EXPECT_TRUE(config->Validate().ok()) << example << config->Validate();
    // The others need files or a port.
    if (absl::StrContains(example, "tls {") ||
        absl::StrContains(example, "key_file") ||
        absl::StrContains(example, "prometheus")) {
      continue;
    }
    EXPECT_TRUE(config->ToClientOptions().ok())
        << example << config->ToClientOptions().status();
    EXPECT_TRUE(config->ToWorkerOptions().ok())
        << example << config->ToWorkerOptions().status();
    EXPECT_TRUE(config->ToJobServerOptions().ok())
        << example << config->ToJobServerOptions().status();
    EXPECT_TRUE(config->ToQueueMetricsOptions().ok())
        << example << config->ToQueueMetricsOptions().status();
    EXPECT_TRUE(config->ToDataEncoder().ok())
        << example << config->ToDataEncoder().status();
    EXPECT_TRUE(JobRetryPolicyFromConfig(*config).ok())
        << example << JobRetryPolicyFromConfig(*config).status();
  }
}

TEST(ConfigPage, ItsMistakesAreToldSo) {
  const std::string page = Page();
  for (const absl::string_view text :
       {"timeouts { connect: \"5\" }", "log_level: OFF\nretries {}"}) {
    absl::StatusOr<Config> config = Config::FromText(text, "jobs.textproto");
    const absl::Status status =
        config.ok() ? config->Validate() : config.status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(
        page, absl::StrCat("\n", std::string(status.message()), "\n")))
        << status;
  }
}

absl::StatusOr<Config> ForStaging(Config config) {
  config::GearmanConfig staging;
  staging.set_task_prefix("staging/");
  staging.mutable_timeouts()->set_request("10s");
  config.Overlay(staging, "staging");
  const absl::Status status = config.Validate();
  if (!status.ok()) return status;
  return config;
}

TEST(ConfigPage, ItsOverlayReplacesWhatItSets) {
  const absl::StatusOr<Config> config =
      Config::FromText("timeouts { connect: \"3s\" request: \"1h\" }");
  ASSERT_TRUE(config.ok()) << config.status();
  const absl::StatusOr<Config> staging = ForStaging(*config);
  ASSERT_TRUE(staging.ok()) << staging.status();
  EXPECT_EQ(staging->message().timeouts().connect(), "3s");
  EXPECT_EQ(staging->message().timeouts().request(), "10s");
  EXPECT_EQ(staging->message().task_prefix(), "staging/");
}

}  // namespace
}  // namespace gearman
