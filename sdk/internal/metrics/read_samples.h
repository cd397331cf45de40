// ReadSamples is how a row of the catalogue reads its instruments. The row
// names the member and an axis for each dimension of its array: a list of
// labels, or a function that names a value.
//
//   ReadSamples<&ServerMetrics::up>
//   ReadSamples<&TaskMetrics::job_duration, kRequestOutcomes>
//   ReadSamples<&Metrics::retries, kRetriedOperations, FailureReasonName>
//
// A member of TaskMetrics, ServerMetrics or ErrorCodeMetrics is read in each
// record, and the record's name is the first label.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_READ_SAMPLES_H_
#define GEARMAN_SDK_INTERNAL_METRICS_READ_SAMPLES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/internal/metrics/instruments.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

// Returns the label of instrument `i` of an axis of kSize instruments.
template <size_t kSize, size_t kLabels>
absl::string_view LabelAt(const absl::string_view (&labels)[kLabels],
                          size_t i) {
  static_assert(kLabels == kSize, "one label for each instrument");
  return labels[i];
}
template <size_t kSize, typename Value>
absl::string_view LabelAt(absl::string_view (&name)(Value), size_t i) {
  return name(static_cast<Value>(i));
}

// Appends to a family the samples that have happened. A gauge always has.
class SampleWriter {
 public:
  explicit SampleWriter(MetricFamily* family) : family_(family) {}

  // The samples that `add` adds have the label, after those around it.
  template <typename Add>
  void WithLabel(absl::string_view label, const Add& add) {
    labels_.push_back(label);
    add();
    labels_.pop_back();
  }

  // Adds one instrument, or each one of an array with the labels of its axes.
  template <typename Instrument>
  void AddEach(const Instrument& instrument) {
    Add(instrument);
  }
  template <const auto& kAxis, const auto&... kAxes, typename T, size_t kSize>
  void AddEach(const std::array<T, kSize>& instruments) {
    for (size_t i = 0; i < kSize; ++i) {
      WithLabel(LabelAt<kSize>(kAxis, i),
                [&] { AddEach<kAxes...>(instruments[i]); });
    }
  }

 private:
  void Add(const Counter& counter) { AddCount(counter.value()); }
  void Add(const Gauge& gauge) {
    AddSample()->value = static_cast<double>(gauge.value());
  }
  // A counter counts what the histogram has observed.
  void Add(const Histogram& histogram) {
    if (family_->type == MetricType::kCounter) {
      AddCount(histogram.count());
    } else {
      AddBuckets(histogram);
    }
  }
  void AddCount(uint64_t count) {
    if (count > 0) AddSample()->value = static_cast<double>(count);
  }
  void AddBuckets(const Histogram& histogram) {
    constexpr double kNanosecondsPerSecond = 1e9;
    // The count is the sum of the buckets that were read, so that the two
    // agree.
    std::vector<uint64_t> buckets(Histogram::kBuckets);
    uint64_t count = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
      buckets[i] = histogram.bucket(i);
      count += buckets[i];
    }
    if (count == 0) return;
    MetricSample* const sample = AddSample();
    sample->bucket_counts = std::move(buckets);
    sample->count = count;
    sample->sum = static_cast<double>(histogram.sum()) / kNanosecondsPerSecond;
  }
  MetricSample* AddSample() {
    MetricSample& sample = family_->samples.emplace_back();
    for (const absl::string_view label : labels_) {
      sample.label_values.push_back(SafeText(label));
    }
    return &sample;
  }

  MetricFamily* const family_;
  std::vector<absl::string_view> labels_;
};

// Calls `read(record)` for each record that has the member.
template <typename T, typename Read>
void ForEachRecord(const Metrics& metrics, T Metrics::* /*member*/,
                   SampleWriter* /*writer*/, const Read& read) {
  read(metrics);
}
template <typename T, typename Record, typename Read>
void ForEachRecord(const Metrics& metrics, T Record::* /*member*/,
                   SampleWriter* writer, const Read& read) {
  metrics.ForEach<Record>([&](const Record& record) {
    writer->WithLabel(record.name, [&] { read(record); });
  });
}

template <auto kMember, const auto&... kAxes>
void ReadSamples(const Metrics& metrics, MetricFamily* family) {
  SampleWriter writer(family);
  ForEachRecord(metrics, kMember, &writer, [&writer](const auto& record) {
    writer.AddEach<kAxes...>(record.*kMember);
  });
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_READ_SAMPLES_H_
