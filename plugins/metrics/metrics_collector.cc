#include "gearman/plugins/metrics/metrics_collector.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "gearman/plugins/guarded_call.h"

namespace gearman {
namespace {

// Returns the source's values. A source of somebody else's may throw, and the
// caller may be the thread of a web server.
MetricsSnapshot ValuesOf(MetricsSource& source) {
  MetricsSnapshot values;
  const absl::Status thrown = internal::GuardedCall(
      [&] { values = source.Snapshot(); }, absl::UnknownError);
  if (!thrown.ok()) {
    internal::NoteMalformed("*", "the source has thrown", 1, &values);
  }
  return values;
}

}  // namespace

void MetricsCollector::Attach(std::shared_ptr<MetricsSource> source) {
  if (process_.inherited()) return;
  absl::MutexLock lock(&mutex_);
  sources_.push_back(std::move(source));
}

void MetricsCollector::Detach(const MetricsSource* source) {
  if (process_.inherited()) return;
  std::shared_ptr<MetricsSource> detached;  // freed after the lock
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(
      sources_.begin(), sources_.end(),
      [source](const auto& attached) { return attached.get() == source; });
  if (found == sources_.end()) return;
  detached = std::move(*found);
  sources_.erase(found);
  // The lock is held so that no Collect misses these totals or counts them
  // twice.
  MergeSnapshot(ValuesOf(*detached), MergeKind::kTotals, &ended_);
}

MetricsSnapshot MetricsCollector::Collect() {
  if (process_.inherited()) return {};
  absl::MutexLock lock(&mutex_);
  MetricsSnapshot all = ended_;
  bool first = all.families.empty();
  for (const auto& source : sources_) {
    if (first) {
      all = ValuesOf(*source);
      first = false;
    } else {
      MergeSnapshot(ValuesOf(*source), MergeKind::kAll, &all);
    }
  }
  if (sources_.size() != 1 || !ended_.families.empty()) all.source = 0;
  RemoveMalformed(&all);
  return all;
}

}  // namespace gearman
