// PrometheusMetrics ("prometheus"): metrics for a Prometheus server, by
// prometheus-cpp.
//
//   auto metrics = gearman::PrometheusMetrics::Create({"127.0.0.1:9464"});
//   options.metrics_sinks.push_back(*std::move(metrics));
//
// and http://127.0.0.1:9464/metrics shows them.
//
// A program that has an exposer of its own adds ours to it, and opens no port:
//
//   auto metrics = gearman::PrometheusMetrics::Create({});
//   exposer.RegisterCollectable((*metrics)->collectable());
//
// Sinks of one process with the same `listen` share its port, and with the same
// path what is served there, so that a client, a worker and QueueMetrics can
// each have a sink of one config.
//
// A scrape asks the clients and workers at that moment; the way of a job pays
// nothing for it. Those that have ended are counted on. Thread-safe.
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

struct PrometheusMetricsOptions {
  // Where it is served: "127.0.0.1:9464", "[::1]:9464"; port 0: a free one.
  // "9464" alone: on all interfaces. There is no protection: whoever reaches
  // the port reads it. Empty: nowhere.
  std::string listen;
  // The path of the URL.
  std::string path = "/metrics";
};

class PrometheusMetrics : public MetricsSink {
 public:
  // INVALID_ARGUMENT (a FieldError): `listen` is no address, or none of this
  // machine; a path that does not begin with a slash. UNAVAILABLE: another
  // process listens there. PERMISSION_DENIED: the port needs a privilege.
  static absl::StatusOr<std::unique_ptr<PrometheusMetrics>> Create(
      PrometheusMetricsOptions options = {});
  // The last sink at an address closes the port, which takes up to two seconds:
  // so long the web server waits.
  ~PrometheusMetrics() override;

  // For an exposer of the program's. It holds no reference to this sink's
  // clients once the sink is gone.
  std::weak_ptr<prometheus::Collectable> collectable() const;
  // The port of `listen`; 0: none, or this is a child made by fork.
  int port() const;
  // The text that a scrape reads, in Prometheus's format. It is empty in a
  // child made by fork.
  std::string Text() const;

  void Export(const MetricsSnapshot& /*snapshot*/) override {}
  void Attach(std::shared_ptr<MetricsSource> source) override;
  void Detach(const MetricsSource* source) override;
  absl::string_view name() const override { return "prometheus"; }

 private:
  class Collector;
  struct Served;

  explicit PrometheusMetrics(std::unique_ptr<Served> served);

  // This sink's share of a listener; without one it is a collector alone.
  const std::unique_ptr<Served> served_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_PROMETHEUS_METRICS_H_
