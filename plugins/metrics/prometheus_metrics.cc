#include "gearman/plugins/metrics/prometheus_metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/metrics/metrics_collector.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

prometheus::ClientMetric ToPrometheus(const MetricFamily& family,
                                      const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (size_t i = 0; i < sample.label_values.size(); ++i) {
    // A source of a user's own may hold anything, and for one value that is no
    // UTF-8 Prometheus would drop every metric of the target.
    metric.label.push_back(
        {family.label_names[i], SafeLine(sample.label_values[i])});
  }
  switch (family.type) {
    case MetricType::kCounter:
      metric.counter.value = sample.value;
      break;
    case MetricType::kGauge:
      metric.gauge.value = sample.value;
      break;
    case MetricType::kHistogram: {
      metric.histogram.sample_count = sample.count;
      metric.histogram.sample_sum = sample.sum;
      uint64_t sum = 0;
      for (size_t i = 0; i < sample.bucket_counts.size(); ++i) {
        sum += sample.bucket_counts[i];
        metric.histogram.bucket.push_back(
            {sum, i < family.bucket_bounds.size()
                      ? family.bucket_bounds[i]
                      : std::numeric_limits<double>::infinity()});
      }
      break;
    }
  }
  return metric;
}

prometheus::MetricType ToPrometheus(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

class PrometheusMetrics::Collector final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    const MetricsSnapshot snapshot = collector_.Collect();
    std::vector<prometheus::MetricFamily> families;
    families.reserve(snapshot.families.size());
    for (const MetricFamily& family : snapshot.families) {
      prometheus::MetricFamily made;
      made.name = family.name;
      made.help = family.help;
      made.type = ToPrometheus(family.type);
      for (const MetricSample& sample : family.samples) {
        made.metric.push_back(ToPrometheus(family, sample));
      }
      families.push_back(std::move(made));
    }
    return families;
  }
  MetricsCollector& collector() { return collector_; }

 private:
  // Thread-safe by itself.
  mutable MetricsCollector collector_;
};

PrometheusMetrics::PrometheusMetrics()
    : collector_(std::make_shared<Collector>()) {}

PrometheusMetrics::~PrometheusMetrics() = default;

absl::StatusOr<std::unique_ptr<PrometheusMetrics>> PrometheusMetrics::Create(
    PrometheusMetricsOptions options) {
  if (!absl::StartsWith(options.path, "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("path \"", options.path,
                     "\" is not valid: it must begin with a slash"));
  }
  std::unique_ptr<PrometheusMetrics> metrics(new PrometheusMetrics());
  if (options.listen.empty()) return metrics;
  // prometheus-cpp throws, and goes no further than here.
  try {
    metrics->exposer_.reset(new prometheus::Exposer(options.listen));
    metrics->exposer_->RegisterCollectable(metrics->collector_, options.path);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("metrics can't be served at ", options.listen, ": ",
                     error.what(), "; is the port in use?"));
  }
  return metrics;
}

std::weak_ptr<prometheus::Collectable> PrometheusMetrics::collectable() const {
  return collector_;
}

int PrometheusMetrics::port() const {
  if (exposer_ == nullptr || inherited()) return 0;
  const std::vector<int> ports = exposer_->GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

std::string PrometheusMetrics::Text() const {
  return prometheus::TextSerializer().Serialize(collector_->Collect());
}

void PrometheusMetrics::Attach(std::shared_ptr<MetricsSource> source) {
  collector_->collector().Attach(std::move(source));
}

void PrometheusMetrics::Detach(const MetricsSource* source) {
  collector_->collector().Detach(source);
}

}  // namespace gearman
