// MetricsCollector: the sources attached to a sink, seen as one. A sink that
// asks (rather than being told by timer) has one as a member. Thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_METRICS_COLLECTOR_H_
#define GEARMAN_PLUGINS_METRICS_METRICS_COLLECTOR_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/process_mark.h"

namespace gearman {

class MetricsCollector {
 public:
  // See MetricsSink. The totals of a detached source go on counting, so that
  // counters never fall; its gauges are gone. Detaching what is not attached
  // does nothing.
  void Attach(std::shared_ptr<MetricsSource> source);
  void Detach(const MetricsSource* source);

  // All sources' values now, added up; well-formed. Empty in a child made by
  // fork: the sources are the parent's.
  MetricsSnapshot Collect();

 private:
  const ProcessMark process_;
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<MetricsSource>> sources_ ABSL_GUARDED_BY(mutex_);
  MetricsSnapshot ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_COLLECTOR_H_
