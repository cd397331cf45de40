// MetricsCollector: adds up the sources attached to a sink. It is a member of
// each sink that asks its sources (instead of getting snapshots by timer). It
// is thread-safe.
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
  // Attach and detach a source (see MetricsSink). The totals of a detached
  // source stay included, so counters never fall; its gauges are gone. Detach
  // does nothing for a source that is not attached.
  void Attach(std::shared_ptr<MetricsSource> source);
  void Detach(const MetricsSource* source);

  // Returns the values of all sources now, added up and well-formed. The
  // snapshot is empty in a child made by fork, because the sources are the
  // parent's.
  MetricsSnapshot Collect();

 private:
  const ProcessMark process_;
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<MetricsSource>> sources_ ABSL_GUARDED_BY(mutex_);
  MetricsSnapshot ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_COLLECTOR_H_
