// MetricsSnapshot: the values of all metrics at one moment, as plain data. The
// model is that of Prometheus: a family has a name, a type and label names, and
// one sample for each combination of label values. The types are
// thread-compatible.
#ifndef GEARMAN_PLUGINS_METRICS_METRICS_SNAPSHOT_H_
#define GEARMAN_PLUGINS_METRICS_METRICS_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// The types of metrics, as Prometheus knows them.
enum class MetricType : unsigned char { kCounter, kGauge, kHistogram };

// "counter", "gauge" or "histogram".
absl::string_view MetricTypeName(MetricType type);

// One value of a metric, or one histogram.
struct MetricSample {
  // One value for each of the family's label_names, in the same order. The
  // SDK's own values are safe text (text/safe_text.h), so a sink can show any
  // task.
  std::vector<std::string> label_values;
  // The value of a counter or gauge.
  double value = 0;
  // For a histogram: the number of observations in each bucket (not
  // cumulative), the number of all observations, and their sum in the family's
  // unit. There is one bucket more than the family's bucket_bounds: the last
  // has no upper bound.
  std::vector<uint64_t> bucket_counts;
  uint64_t count = 0;
  double sum = 0;
};

// One metric, with a sample for each combination of label values.
struct MetricFamily {
  std::string name;  // "gearman_client_jobs_finished_total"
  std::string help;  // one sentence for people
  MetricType type = MetricType::kCounter;  // what its values mean
  // "seconds", "bytes", or "" for a plain number.
  std::string unit;
  // The names of the labels, in the order of MetricSample::label_values.
  std::vector<std::string> label_names;
  // The inclusive upper bounds of a histogram's buckets, ascending, in its
  // unit.
  std::vector<double> bucket_bounds;
  std::vector<MetricSample> samples;

  // Returns the sample with these label values (in the order of label_names),
  // or null.
  const MetricSample* Find(
      absl::Span<const absl::string_view> label_values) const;
};

struct MetricsSnapshot {
  // The time when the snapshot was taken.
  absl::Time time;
  // The number of the client or worker, unique in the process, so that a sink
  // with several sources can tell them apart. 0 means that several were merged.
  uint64_t source = 0;
  // The metrics, each once.
  std::vector<MetricFamily> families;

  // Returns the family of this name, or null.
  const MetricFamily* Find(absl::string_view name) const;
};

// Returns one line per sample, for people and logs. Label values are safe text
// (text/safe_text.h), and a quote is written as \x22:
//   gearman_client_jobs_finished_total{task="reverse",outcome="complete"} 3
//   gearman_client_job_duration_seconds{task="reverse"} count=3 sum=0.25
std::string ToString(const MetricsSnapshot& snapshot);

// The gauge that counts the samples that RemoveMalformed removes.
inline constexpr char kMalformedSamples[] = "gearman_malformed_samples";

namespace internal {

// Adds a sample to that gauge, with the labels `metric` and `problem`.
void NoteMalformed(absl::string_view metric, absl::string_view problem,
                   double count, MetricsSnapshot* snapshot);

}  // namespace internal

// Removes malformed samples. A user's own source may make samples that do not
// fit their family: with more or fewer label values than names, or with bucket
// counts that are not one more than the bounds (a histogram without bounds may
// have none). No sink can show such a sample as it is meant. The gauge
// kMalformedSamples with the labels `metric` and `problem` counts the removed
// samples. Sinks call this function before they read a snapshot.
void RemoveMalformed(MetricsSnapshot* snapshot);
// Whether RemoveMalformed would remove nothing.
bool IsWellFormed(const MetricsSnapshot& snapshot);

// The families of the merged-in snapshot that count.
enum class MergeKind : unsigned char {
  kAll,
  kTotals,  // counters and histograms, which only grow; no gauges
};

// Adds `from` to `into`, sample by sample. Appends samples that `into` lacks.
// Values add up. Histograms add up if their bounds are equal; otherwise `into`
// keeps its own. A family named *_info keeps the value 1. The later time stays.
void MergeSnapshot(const MetricsSnapshot& from, MergeKind kind,
                   MetricsSnapshot* into);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_SNAPSHOT_H_
