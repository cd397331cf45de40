// MetricsSink: a destination of metrics. MetricsSource: an object that counts.
//
// The SDK counts in plain atomics and calls no sink while it handles a job. A
// sink gets a snapshot every `interval()`. A sink with an infinite interval
// asks its attached sources when it wants to (for a scrape, for a call of the
// user).
//
// One sink may serve several clients and workers, so sinks are thread-safe. The
// SDK holds no lock while it calls a sink, and ignores its exceptions.
//
// A sink serves the process that made it. In a child made by fork, Create of a
// client or worker refuses the sink with FAILED_PRECONDITION. The SDK's own
// sinks do nothing there, because their threads, sockets and numbers are the
// parent's.
#ifndef GEARMAN_PLUGINS_METRICS_METRICS_SINK_H_
#define GEARMAN_PLUGINS_METRICS_METRICS_SINK_H_

#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/process_mark.h"

namespace gearman {

// An object that counts: a client, a worker or a QueueMetrics.
class MetricsSource {
 public:
  virtual ~MetricsSource() = default;

  // Returns the values now. Any thread may call it. The function takes no lock
  // that is held while user code runs. The SDK's sinks leave out samples that
  // do not fit their family, and report them (RemoveMalformed).
  virtual MetricsSnapshot Snapshot() = 0;
};

class MetricsSink {
 public:
  virtual ~MetricsSink() = default;

  // Takes a snapshot. It must not block for long, because the thread that does
  // the client's I/O calls it.
  virtual void Export(const MetricsSnapshot& snapshot) = 0;
  // The time between two calls of Export: constant, and at least one
  // millisecond. If it is infinite, the SDK never calls Export.
  virtual absl::Duration interval() const { return absl::InfiniteDuration(); }
  // The SDK calls Attach when a client or worker that reports here begins, and
  // Detach with the same pointer when it ends. During Detach the totals can be
  // read for the last time. A sink with a finite interval gets one more Export
  // before Detach.
  virtual void Attach(std::shared_ptr<MetricsSource> /*source*/) {}
  virtual void Detach(const MetricsSource* /*source*/) {}
  // The name under which the sink is registered, for messages. It is static
  // text.
  virtual absl::string_view name() const = 0;
  // True in a child made by fork, where the sink is the parent's. Virtual, so
  // that a plugin in a shared object answers with the copy of the SDK that made
  // it.
  virtual bool inherited() const { return process_.inherited(); }

 private:
  const ProcessMark process_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_SINK_H_
