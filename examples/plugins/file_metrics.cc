#include "gearman/examples/plugins/file_metrics.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"

namespace acme {

void FileMetrics::Export(const gearman::MetricsSnapshot& snapshot) {
  if (inherited()) return;  // a child made by fork
  absl::MutexLock lock(&mutex_);
  newest_[snapshot.source] = snapshot;
  gearman::MetricsSnapshot all;
  for (const auto& [source, newest] : newest_) {
    gearman::MergeSnapshot(newest, gearman::MergeKind::kAll, &all);
  }
  gearman::RemoveMalformed(&all);
  std::ofstream(path_) << gearman::ToString(all);
}

absl::StatusOr<std::unique_ptr<gearman::MetricsSink>> MakeFileMetrics(
    const FileMetricsConfig& config) {
  if (config.path().empty()) {
    return gearman::FieldError("path", "\"\"", "expected a file's name");
  }
  absl::Duration interval = absl::Seconds(10);
  if (config.has_interval() &&
      (!absl::ParseDuration(config.interval(), &interval) ||
       interval < absl::Milliseconds(1))) {
    return gearman::FieldError("interval",
                               absl::StrCat("\"", config.interval(), "\""),
                               "expected a duration such as \"10s\"");
  }
  return std::make_unique<FileMetrics>(config.path(), interval);
}

}  // namespace acme
