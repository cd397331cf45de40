#include "gearman/sdk/internal/metrics/metrics_exporter.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/process/process_mark.h"

namespace gearman {
namespace internal {

// Sinks share the source and may keep it after the client's clock is gone.
// After End it shows the final state.
class MetricsExporter::Source : public MetricsSource {
 public:
  Source(std::shared_ptr<const Measured> metrics, Clock* clock)
      : metrics_(std::move(metrics)), clock_(clock) {}

  MetricsSnapshot Snapshot() override { return metrics_->Snapshot(Now()); }

  void End() {
    const absl::Time now = Now();
    absl::MutexLock lock(&mutex_);
    end_ = now;
    clock_ = nullptr;
  }

 private:
  absl::Time Now() {
    absl::MutexLock lock(&mutex_);
    return clock_ == nullptr ? end_ : clock_->Now();
  }

  const std::shared_ptr<const Measured> metrics_;
  absl::Mutex mutex_;
  Clock* clock_ ABSL_GUARDED_BY(mutex_);
  absl::Time end_ ABSL_GUARDED_BY(mutex_);
};

absl::Status MetricsExporter::Check(
    const std::vector<std::shared_ptr<MetricsSink>>& sinks) {
  for (const auto& sink : sinks) {
    if (sink->inherited()) {
      return InheritedError(
          absl::StrCat("metrics sink \"", sink->name(), "\""));
    }
  }
  return absl::OkStatus();
}

MetricsExporter::MetricsExporter(
    std::shared_ptr<const Measured> metrics,
    std::vector<std::shared_ptr<MetricsSink>> sinks, Clock* clock)
    : metrics_(std::move(metrics)),
      sinks_(std::move(sinks)),
      clock_(clock),
      source_(std::make_shared<Source>(metrics_, clock)) {
  const absl::Time now = clock->Now();
  for (const auto& sink : sinks_) {
    CallIgnoringThrow([&] { sink->Attach(source_); });
    absl::Duration interval = absl::InfiniteDuration();
    CallIgnoringThrow([&] { interval = sink->interval(); });
    if (interval == absl::InfiniteDuration()) continue;
    interval = std::max(interval, absl::Milliseconds(1));
    timed_.push_back({sink.get(), interval, now + interval});
    next_ = std::min(next_, now + interval);
  }
}

MetricsExporter::~MetricsExporter() {
  if (!timed_.empty()) {
    const MetricsSnapshot snapshot = metrics_->Snapshot(clock_->Now());
    for (const Timed& timed : timed_) {
      CallIgnoringThrow([&] { timed.sink->Export(snapshot); });
    }
  }
  for (const auto& sink : sinks_) {
    CallIgnoringThrow([&] { sink->Detach(source_.get()); });
  }
  source_->End();
}

void MetricsExporter::OnTime(absl::Time now) {
  if (now < next_) return;
  const MetricsSnapshot snapshot = metrics_->Snapshot(now);
  next_ = absl::InfiniteFuture();
  for (Timed& timed : timed_) {
    if (timed.due <= now) {
      CallIgnoringThrow([&] { timed.sink->Export(snapshot); });
      // The next export is due an interval from now, so that a sleep causes no
      // burst.
      timed.due = now + timed.interval;
    }
    next_ = std::min(next_, timed.due);
  }
}

}  // namespace internal
}  // namespace gearman
