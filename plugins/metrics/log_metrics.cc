#include "gearman/plugins/metrics/log_metrics.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/plugins/guarded_call.h"

namespace gearman {
namespace {

bool IsZero(absl::string_view line) {
  return absl::EndsWith(line, " 0") || absl::EndsWith(line, " count=0 sum=0");
}

}  // namespace

LogMetrics::LogMetrics(LogMetricsOptions options)
    : options_(std::move(options)) {}

void LogMetrics::Export(const MetricsSnapshot& snapshot) {
  if (inherited()) return;
  if (!IsWellFormed(snapshot)) {
    MetricsSnapshot sound = snapshot;
    RemoveMalformed(&sound);
    return Export(sound);
  }
  const std::string text = ToString(snapshot);
  const std::string time = absl::FormatTime(snapshot.time);
  std::string all;
  std::vector<std::string> lines;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!options_.with_zeros && IsZero(line)) continue;
    if (options_.write) {
      lines.emplace_back(line);
    } else {
      absl::StrAppend(&all, time, " ", line, "\n");
    }
  }
  if (!options_.write) {
    // One write, so that lines of two clients are not mixed.
    std::fwrite(all.data(), 1, all.size(), stderr);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    std::move(lines.begin(), lines.end(), std::back_inserter(pending_));
  }
  WritePending();
}

void LogMetrics::WritePending() {
  bool mine = false;
  for (;;) {
    std::vector<std::string> lines;
    {
      absl::MutexLock lock(&mutex_);
      if (writing_ && !mine) return;
      lines.swap(pending_);
      mine = writing_ = !lines.empty();
    }
    if (!mine) return;
    for (const std::string& line : lines) {
      // An exception is ignored, like that of any sink. Other lines must still
      // be written.
      internal::CallIgnoringThrow([&] { options_.write(line); });
    }
  }
}

}  // namespace gearman
