#include "gearman/plugins/metrics/metrics_plugins.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/log_metrics.h"
#include "gearman/plugins/metrics/metrics.pb.h"
#include "gearman/plugins/metrics/statsd_metrics.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// Sets `interval` if one is configured.
absl::Status ParseInterval(bool configured, const std::string& text,
                           absl::Duration* interval) {
  if (!configured) return absl::OkStatus();
  if (absl::ParseDuration(text, interval) &&
      *interval >= absl::Milliseconds(1) && *interval <= absl::Hours(1)) {
    return absl::OkStatus();
  }
  return FieldError("interval", absl::StrCat("\"", SafeText(text), "\""),
                    "expected a duration such as \"30s\", from 1ms to 1h");
}

absl::StatusOr<std::unique_ptr<MetricsSink>> MakeLog(
    const config::LogMetrics& config) {
  LogMetricsOptions options;
  options.with_zeros = config.with_zeros();
  const absl::Status status = ParseInterval(
      config.has_interval(), config.interval(), &options.interval);
  if (!status.ok()) return status;
  return std::make_unique<LogMetrics>(std::move(options));
}

absl::StatusOr<std::unique_ptr<MetricsSink>> MakeStatsd(
    const config::StatsdMetrics& config) {
  StatsdMetricsOptions options;
  const absl::Status status = ParseInterval(
      config.has_interval(), config.interval(), &options.interval);
  if (!status.ok()) return status;
  if (config.has_address()) options.address = config.address();
  options.prefix = config.prefix();
  options.tags.assign(config.tags().begin(), config.tags().end());
  if (config.has_max_datagram_bytes()) {
    options.max_datagram_bytes = config.max_datagram_bytes();
  }
  options.on_failure = [](absl::string_view message) {
    const std::string line = absl::StrCat("gearman warning: ", message, "\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
  };
  if (config.has_buckets()) options.buckets = config.buckets();
  absl::StatusOr<std::unique_ptr<StatsdMetrics>> sink =
      StatsdMetrics::Create(std::move(options));
  if (!sink.ok()) return sink.status();
  return *std::move(sink);
}

}  // namespace

absl::Status RegisterMetricsPlugins(Registry<MetricsSink>* registry) {
  absl::Status status = registry->Register<config::InMemoryMetrics>(
      "in_memory", [](const config::InMemoryMetrics&) {
        return std::make_unique<InMemoryMetrics>();
      });
  status.Update(registry->Register<config::LogMetrics>("log", MakeLog));
  status.Update(
      registry->Register<config::StatsdMetrics>("statsd", MakeStatsd));
  return status;
}

}  // namespace gearman
