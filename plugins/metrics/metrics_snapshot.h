// MetricsSnapshot: every metric's value at one moment, as plain data.
//
// Modelled on Prometheus: families with a name, a type and label names; one
// sample per combination of label values. Thread-compatible values.
#ifndef GEARMAN_PLUGINS_METRICS_METRICS_SNAPSHOT_H_
#define GEARMAN_PLUGINS_METRICS_METRICS_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace gearman {

enum class MetricType : unsigned char { kCounter, kGauge, kHistogram };

// "counter", "gauge" or "histogram".
absl::string_view MetricTypeName(MetricType type);

struct MetricSample {
  // As many as the family's label_names, in their order. The SDK's own are safe
  // text (text/safe_text.h), so that a sink can show any task.
  std::vector<std::string> label_values;
  // Of a counter or gauge.
  double value = 0;
  // Of a histogram: how many observations were in each bucket (not
  // cumulative), one more than the family's bucket_bounds (the last has no
  // upper bound); their number, and their sum in the family's unit.
  std::vector<uint64_t> bucket_counts;
  uint64_t count = 0;
  double sum = 0;
};

struct MetricFamily {
  std::string name;  // "gearman_client_jobs_finished_total"
  std::string help;
  MetricType type = MetricType::kCounter;
  // "seconds", "bytes", or "" for a plain number.
  std::string unit;
  std::vector<std::string> label_names;
  // Inclusive upper bounds of a histogram's buckets, ascending, in its unit.
  std::vector<double> bucket_bounds;
  std::vector<MetricSample> samples;

  // The sample with these label values (in the order of label_names), or null.
  const MetricSample* Find(
      absl::Span<const absl::string_view> label_values) const;
};

struct MetricsSnapshot {
  // When it was taken.
  absl::Time time;
  // Whose it is: a number for each client or worker, unique in the process, so
  // that a sink fed by several can tell them apart. 0: several, merged.
  uint64_t source = 0;
  std::vector<MetricFamily> families;

  // The family of this name, or null.
  const MetricFamily* Find(absl::string_view name) const;
};

// One line per sample, for people and logs. Label values are safe text
// (text/safe_text.h), and a quote is written as \x22:
//   gearman_client_jobs_finished_total{task="reverse",outcome="complete"} 3
//   gearman_client_job_duration_seconds{task="reverse"} count=3 sum=0.25
std::string ToString(const MetricsSnapshot& snapshot);

// The gauge that says what RemoveMalformed took out.
inline constexpr char kMalformedSamples[] = "gearman_malformed_samples";

// A source of a user's own may make samples that do not fit their family: more
// or fewer label values than names, or bucket counts that are not one more than
// the bounds (a histogram without bounds may have none). No sink can show these
// as they are meant: they are taken out, and counted in a gauge
// kMalformedSamples with the labels `metric` and `problem`. Sinks call it
// before they look at a snapshot.
void RemoveMalformed(MetricsSnapshot* snapshot);
// Whether it would do nothing.
bool IsWellFormed(const MetricsSnapshot& snapshot);

// Which families of the merged-in snapshot count.
enum class MergeKind : unsigned char {
  kAll,
  kTotals,  // counters and histograms, which only ever grow; no gauges
};

// Adds `from` to `into`, sample by sample; what `into` lacks is appended.
// Values add up, histograms too when their bounds are equal (else `into`
// keeps its own), but a family named *_info keeps 1. The later time stays.
void MergeSnapshot(const MetricsSnapshot& from, MergeKind kind,
                   MetricsSnapshot* into);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_SNAPSHOT_H_
