// LogMetrics ("log"): writes metrics as lines of text, at intervals. The sink
// is thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_LOG_METRICS_H_
#define GEARMAN_PLUGINS_METRICS_LOG_METRICS_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace gearman {

// The settings of a LogMetrics.
struct LogMetricsOptions {
  // The time between two reports; at least 1 ms.
  absl::Duration interval = absl::Minutes(1);
  // Whether to write metrics that are 0 or were never observed.
  bool with_zeros = false;
  // Gets one line at a time, without a line end. The sink holds no lock. If two
  // clients export at once, the thread of one writes the lines of both, one
  // after the other. If it is unset, lines go to standard error, and each
  // begins with the time.
  Callback<void(absl::string_view line)> write;
};

class LogMetrics : public MetricsSink {
 public:
  // Makes a sink. It never fails.
  explicit LogMetrics(LogMetricsOptions options = {});

  // Writes one line for each sample, in the form of ToString(MetricsSnapshot).
  void Export(const MetricsSnapshot& snapshot) override;
  absl::Duration interval() const override { return options_.interval; }
  absl::string_view name() const override { return "log"; }

 private:
  // Writes the pending lines, unless another thread is writing them.
  void WritePending();

  const LogMetricsOptions options_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> pending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_LOG_METRICS_H_
