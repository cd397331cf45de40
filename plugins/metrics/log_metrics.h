// LogMetrics ("log"): metrics as lines of text, now and then. Thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_LOG_METRICS_H_
#define GEARMAN_PLUGINS_METRICS_LOG_METRICS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace gearman {

struct LogMetricsOptions {
  // How often; at least 1 ms.
  absl::Duration interval = absl::Minutes(1);
  // Metrics that are 0, or were never observed, are left out.
  bool with_zeros = false;
  // Gets one line, without its end, at a time, and no lock of the sink is held.
  // When two clients export at once the thread of one writes the lines of both,
  // one after the other. Unset: standard error, each line after the time.
  std::function<void(absl::string_view line)> write;
};

class LogMetrics : public MetricsSink {
 public:
  explicit LogMetrics(LogMetricsOptions options = {});

  // One line for each sample, as ToString(MetricsSnapshot) has them.
  void Export(const MetricsSnapshot& snapshot) override;
  absl::Duration interval() const override { return options_.interval; }
  absl::string_view name() const override { return "log"; }

 private:
  // Writes what is pending, unless somebody does.
  void WritePending();

  const LogMetricsOptions options_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> pending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_LOG_METRICS_H_
