#include "gearman/plugins/metrics/in_memory_metrics.h"

#include <algorithm>
#include <cstddef>

namespace gearman {
namespace {

bool HasLabels(const MetricFamily& family, const MetricSample& sample,
               InMemoryMetrics::Labels labels) {
  for (const auto& [name, value] : labels) {
    const auto found =
        std::find(family.label_names.begin(), family.label_names.end(), name);
    if (found == family.label_names.end()) return false;
    const size_t index = found - family.label_names.begin();
    // The collector has ensured that there are as many values as names.
    if (sample.label_values[index] != value) return false;
  }
  return true;
}

template <typename Visit>
void ForEachSample(const MetricsSnapshot& snapshot, absl::string_view metric,
                   InMemoryMetrics::Labels labels, Visit&& visit) {
  const MetricFamily* const family = snapshot.Find(metric);
  if (family == nullptr) return;
  for (const MetricSample& sample : family->samples) {
    if (HasLabels(*family, sample, labels)) visit(sample);
  }
}

}  // namespace

MetricsSnapshot InMemoryMetrics::Snapshot() { return collector_.Collect(); }

double InMemoryMetrics::Value(absl::string_view metric, Labels labels) {
  double sum = 0;
  ForEachSample(Snapshot(), metric, labels,
                [&sum](const MetricSample& sample) { sum += sample.value; });
  return sum;
}

InMemoryMetrics::Observations InMemoryMetrics::Observed(
    absl::string_view metric, Labels labels) {
  Observations all;
  ForEachSample(Snapshot(), metric, labels, [&all](const MetricSample& sample) {
    all.count += sample.count;
    all.sum += sample.sum;
  });
  return all;
}

void InMemoryMetrics::Attach(std::shared_ptr<MetricsSource> source) {
  collector_.Attach(std::move(source));
}

void InMemoryMetrics::Detach(const MetricsSource* source) {
  collector_.Detach(source);
}

}  // namespace gearman
