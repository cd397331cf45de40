#include "gearman/plugins/metrics/log_metrics.h"

#include <cstdio>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace gearman {
namespace {

bool IsZero(absl::string_view line) {
  return absl::EndsWith(line, " 0") || absl::EndsWith(line, " count=0 sum=0");
}

}  // namespace

LogMetrics::LogMetrics(LogMetricsOptions options)
    : options_(std::move(options)) {}

void LogMetrics::Export(const MetricsSnapshot& snapshot) {
  const std::string text = ToString(snapshot);
  std::string all;
  absl::MutexLock lock(&mutex_);
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!options_.with_zeros && IsZero(line)) continue;
    if (options_.write) {
      options_.write(line);
    } else {
      absl::StrAppend(&all, absl::FormatTime(snapshot.time), " ", line, "\n");
    }
  }
  std::fwrite(all.data(), 1, all.size(), stderr);
}

}  // namespace gearman
