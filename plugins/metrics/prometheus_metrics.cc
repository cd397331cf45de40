#include "gearman/plugins/metrics/prometheus_metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/metrics/metrics_collector.h"
#include "gearman/plugins/metrics/prometheus_listener.h"
#include "gearman/process/per_process.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

prometheus::ClientMetric ToPrometheus(const MetricFamily& family,
                                      const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (size_t i = 0; i < sample.label_values.size(); ++i) {
    // A user's own source may have any bytes. For one value that is not UTF-8,
    // Prometheus would drop every metric of the target.
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
  // Attach and Detach work like MetricsSink's. A source that several sinks of
  // one listener have counts once.
  void Attach(std::shared_ptr<MetricsSource> source) {
    {
      ProcessMutexLock lock(&mutex_);
      if (++attached_[source.get()] > 1) return;
    }
    collector_.Attach(std::move(source));
  }
  void Detach(const MetricsSource* source) {
    {
      ProcessMutexLock lock(&mutex_);
      const auto found = attached_.find(source);
      if (found == attached_.end() || --found->second > 0) return;
      attached_.erase(found);
    }
    collector_.Detach(source);
  }

 private:
  // Thread-safe by itself.
  mutable MetricsCollector collector_;
  ProcessMutex mutex_;
  std::map<const MetricsSource*, int> attached_ ABSL_GUARDED_BY(mutex_);
};

struct PrometheusMetrics::Served {
  Collector& collector() const {
    return static_cast<Collector&>(*share.collectable);
  }
  PrometheusListener::Share share;
};

PrometheusMetrics::PrometheusMetrics(std::unique_ptr<Served> served)
    : served_(std::move(served)) {}

PrometheusMetrics::~PrometheusMetrics() {
  PrometheusListener::Release(std::move(served_->share));
}

absl::StatusOr<std::unique_ptr<PrometheusMetrics>> PrometheusMetrics::Create(
    PrometheusMetricsOptions options) {
  if (!absl::StartsWith(options.path, "/")) {
    return FieldError("path", absl::StrCat("\"", SafeText(options.path), "\""),
                      "expected a path that begins with a slash");
  }
  const auto make = [] { return std::make_shared<Collector>(); };
  auto served = std::make_unique<Served>();
  if (options.listen.empty()) {
    served->share.collectable = make();
  } else {
    absl::StatusOr<PrometheusListener::Share> share =
        PrometheusListener::Get(options.listen, options.path, make);
    if (!share.ok()) return share.status();
    served->share = *std::move(share);
  }
  return std::unique_ptr<PrometheusMetrics>(
      new PrometheusMetrics(std::move(served)));
}

std::weak_ptr<prometheus::Collectable> PrometheusMetrics::collectable() const {
  return served_->share.collectable;
}

int PrometheusMetrics::port() const {
  const auto& listener = served_->share.listener;
  return listener == nullptr ? 0 : listener->port();
}

std::string PrometheusMetrics::Text() const {
  return prometheus::TextSerializer().Serialize(served_->collector().Collect());
}

void PrometheusMetrics::Attach(std::shared_ptr<MetricsSource> source) {
  served_->collector().Attach(std::move(source));
}

void PrometheusMetrics::Detach(const MetricsSource* source) {
  served_->collector().Detach(source);
}

}  // namespace gearman
