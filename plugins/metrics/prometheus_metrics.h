// PrometheusMetrics ("prometheus"): metrics for a Prometheus server, by
// prometheus-cpp.
//
//   auto metrics = gearman::PrometheusMetrics::Create({"127.0.0.1:9464"});
//   options.metrics_sinks.push_back(*std::move(metrics));
//
// http://127.0.0.1:9464/metrics then shows them. A program with its own exposer
// adds the sink to that and opens no other port:
//
//   auto metrics = gearman::PrometheusMetrics::Create({});
//   exposer.RegisterCollectable((*metrics)->collectable());
//
// Sinks of one process with an equal `listen` share the port, and with an equal
// path they share its contents. So a client, a worker and a QueueMetrics may
// each have a sink that is made of one config.
//
// A scrape asks the clients and workers at that moment; handling a job costs
// nothing more. The totals of a client or worker that has ended stay included.
// The sink is thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_PROMETHEUS_METRICS_H_
#define GEARMAN_PLUGINS_METRICS_PROMETHEUS_METRICS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace prometheus {
class Collectable;
}  // namespace prometheus

namespace gearman {

// The settings of a PrometheusMetrics.
struct PrometheusMetricsOptions {
  // The address to listen on: "127.0.0.1:9464", "[::1]:9464", or "9464" for all
  // interfaces. Port 0 takes a free port. There is no protection: every peer
  // that reaches the port can read the metrics. Empty means no port.
  std::string listen;
  // The path of the URL.
  std::string path = "/metrics";
};

class PrometheusMetrics : public MetricsSink {
 public:
  // Returns INVALID_ARGUMENT (a FieldError) if `listen` is no address or not
  // one of this machine, or if the path does not begin with a slash. Returns
  // UNAVAILABLE if another process listens there, and PERMISSION_DENIED if the
  // port needs a privilege.
  static absl::StatusOr<std::unique_ptr<PrometheusMetrics>> Create(
      PrometheusMetricsOptions options = {});
  // The last sink at an address closes the port. That takes up to two seconds,
  // because the web server waits that long.
  ~PrometheusMetrics() override;

  // For the program's own exposer. The collectable refers to this sink's
  // clients only as long as the sink lives.
  std::weak_ptr<prometheus::Collectable> collectable() const;
  // The port of `listen`. 0 without a port and in a child made by fork.
  int port() const;
  // The text of a scrape, in Prometheus's format. It is empty in a child made
  // by fork.
  std::string Text() const;

  void Export(const MetricsSnapshot& /*snapshot*/) override {}
  void Attach(std::shared_ptr<MetricsSource> source) override;
  void Detach(const MetricsSource* source) override;
  absl::string_view name() const override { return "prometheus"; }

 private:
  class Collector;
  struct Served;

  explicit PrometheusMetrics(std::unique_ptr<Served> served);

  // This sink's share of a listener, or only a collector if there is no
  // listener.
  const std::unique_ptr<Served> served_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_PROMETHEUS_METRICS_H_
