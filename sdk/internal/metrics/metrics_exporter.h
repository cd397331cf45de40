// MetricsExporter connects the metrics of one client or worker with its sinks.
//
// The owner calls OnTime at the time that next() returns. Sinks are user code:
// call the constructor, OnTime and the destructor without any lock, one thread
// at a time.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_METRICS_EXPORTER_H_
#define GEARMAN_SDK_INTERNAL_METRICS_METRICS_EXPORTER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/sdk/internal/metrics/measured.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace internal {

class MetricsExporter {
 public:
  // FAILED_PRECONDITION: this is a child made by fork, and a sink is the
  // parent's.
  static absl::Status Check(
      const std::vector<std::shared_ptr<MetricsSink>>& sinks);

  // Attaches a source of `metrics` to each sink (none is null). `clock` must
  // outlive the exporter. The source may outlive both.
  MetricsExporter(std::shared_ptr<const Measured> metrics,
                  std::vector<std::shared_ptr<MetricsSink>> sinks,
                  Clock* clock);
  MetricsExporter(const MetricsExporter&) = delete;
  MetricsExporter& operator=(const MetricsExporter&) = delete;
  // Exports once more to the sinks that have an interval, and detaches all
  // sinks.
  ~MetricsExporter();

  // The next time to call OnTime. Infinite future: no sink has an interval.
  absl::Time next() const { return next_; }
  // Exports to the sinks that are due.
  void OnTime(absl::Time now);

 private:
  class Source;
  struct Timed {
    MetricsSink* sink;
    absl::Duration interval;
    absl::Time due;
  };

  const std::shared_ptr<const Measured> metrics_;
  const std::vector<std::shared_ptr<MetricsSink>> sinks_;
  Clock* const clock_;
  const std::shared_ptr<Source> source_;
  std::vector<Timed> timed_;
  absl::Time next_ = absl::InfiniteFuture();
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_METRICS_EXPORTER_H_
