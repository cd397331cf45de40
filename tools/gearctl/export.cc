// gearctl export serves the queues of servers as metrics to Prometheus.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/prometheus_metrics.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {

// cmake/Gearctl.cmake defines this where prometheus-cpp is not installed.
#ifdef GEARMAN_GEARCTL_WITHOUT_PROMETHEUS

ExitCode RunExport(const Arguments& /*arguments*/) {
  return Report(absl::UnimplementedError(
      "this gearctl was built without prometheus-cpp, which serves metrics"));
}

#else

namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:9464";

// Returns the URL of a sink that listens at `address`, where the port may be 0
// or the host be left out.
std::string UrlOf(absl::string_view address, int port) {
  const size_t colon = address.rfind(':');
  const absl::string_view host =
      colon == absl::string_view::npos ? "0.0.0.0" : address.substr(0, colon);
  return absl::StrCat("http://", host, ":", port,
                      PrometheusMetricsOptions().path);
}

// Makes a sink for each address to listen on. `urls` gets their URLs.
absl::StatusOr<std::vector<std::shared_ptr<MetricsSink>>> Listen(
    std::vector<std::string>* urls) {
  std::vector<std::string> addresses = absl::GetFlag(FLAGS_listen);
  if (addresses.empty()) addresses = {kDefaultAddress};
  std::vector<std::shared_ptr<MetricsSink>> sinks;
  for (const std::string& address : addresses) {
    PrometheusMetricsOptions options;
    options.listen = address;
    absl::StatusOr<std::unique_ptr<PrometheusMetrics>> sink =
        PrometheusMetrics::Create(std::move(options));
    if (!sink.ok()) return sink.status();
    urls->push_back(UrlOf(address, (*sink)->port()));
    sinks.push_back(*std::move(sink));
  }
  return sinks;
}

ExitCode PrintUrl(const std::string& url) {
  if (!absl::GetFlag(FLAGS_json)) return Print(url + "\n");
  JsonObject object;
  object.Set("url", url);
  return Print(object.ToLine());
}

}  // namespace

ExitCode RunExport(const Arguments& arguments) {
  Signals signals;
  absl::StatusOr<QueueMetricsOptions> options = MakeQueueMetricsOptions();
  if (!options.ok()) return Report(options.status());
  if (arguments.flags.count("interval") > 0) {
    options->interval = absl::GetFlag(FLAGS_interval).duration();
  }
  std::vector<std::string> urls;
  absl::StatusOr<std::vector<std::shared_ptr<MetricsSink>>> sinks =
      Listen(&urls);
  if (!sinks.ok()) return Report(sinks.status());
  options->metrics_sinks = *std::move(sinks);
  const absl::StatusOr<std::unique_ptr<QueueMetrics>> queues =
      QueueMetrics::Create(*std::move(options));
  if (!queues.ok()) return Report(AddressError(queues.status()));
  PrintError(
      "gearctl: serves the servers' queues as metrics; Ctrl-C ends it\n");
  for (const std::string& url : urls) {
    const ExitCode printed = PrintUrl(url);
    if (printed != kSuccess) return printed;
  }
  while (!AsksToEnd(signals.WaitFor(absl::InfiniteDuration()))) {
  }
  return kSuccess;
}

#endif  // GEARMAN_GEARCTL_WITHOUT_PROMETHEUS

}  // namespace gearctl
}  // namespace gearman
