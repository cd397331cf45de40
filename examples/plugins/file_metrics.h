// FileMetrics ("file"): writes all metrics to a file, again and again.
#ifndef GEARMAN_EXAMPLES_PLUGINS_FILE_METRICS_H_
#define GEARMAN_EXAMPLES_PLUGINS_FILE_METRICS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/examples/plugins/plugins.pb.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace acme {

class FileMetrics : public gearman::MetricsSink {
 public:
  FileMetrics(std::string path, absl::Duration interval)
      : path_(std::move(path)), interval_(interval) {}

  void Export(const gearman::MetricsSnapshot& snapshot) override;
  absl::Duration interval() const override { return interval_; }
  absl::string_view name() const override { return "file"; }

 private:
  const std::string path_;
  const absl::Duration interval_;
  // Two clients may report at the same time.
  absl::Mutex mutex_;
  // The newest snapshot of each client and worker, by MetricsSnapshot::source.
  std::map<uint64_t, gearman::MetricsSnapshot> newest_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<gearman::MetricsSink>> MakeFileMetrics(
    const FileMetricsConfig& config);

}  // namespace acme

#endif  // GEARMAN_EXAMPLES_PLUGINS_FILE_METRICS_H_
