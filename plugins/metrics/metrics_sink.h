// MetricsSink: where metrics go. MetricsSource: where they come from.
//
// The SDK counts in plain atomics; no sink is called on the way of a job. A
// sink gets a snapshot every `interval()`, or, when that is infinite, asks the
// sources attached to it whenever it wants to (a scrape, a user's call).
//
// One sink may serve several clients and workers: sinks are thread-safe. The
// SDK holds no lock while it calls one. What it throws is ignored.
//
// A sink serves the process that made it. In a child made by fork Create of a
// client or worker refuses it with FAILED_PRECONDITION, and the SDK's own sinks
// do nothing: their threads, sockets and numbers are the parent's.
#ifndef GEARMAN_PLUGINS_METRICS_METRICS_SINK_H_
#define GEARMAN_PLUGINS_METRICS_METRICS_SINK_H_

#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/process_mark.h"

namespace gearman {

// Something that counts: a client or a worker.
class MetricsSource {
 public:
  virtual ~MetricsSource() = default;

  // The values now. Any thread; takes no lock that is held while user code
  // runs. Samples that do not fit their family are left out by the SDK's sinks,
  // which say so (RemoveMalformed).
  virtual MetricsSnapshot Snapshot() = 0;
};

class MetricsSink {
 public:
  virtual ~MetricsSink() = default;

  // Takes a snapshot. Must not block for long: the thread that drives the
  // client's I/O calls it.
  virtual void Export(const MetricsSnapshot& snapshot) = 0;
  // How often the SDK calls Export. Infinite: never by itself. At least one
  // millisecond; constant.
  virtual absl::Duration interval() const { return absl::InfiniteDuration(); }
  // A client or worker that reports here has begun, and (with the same
  // pointer) has ended: the last moment at which its totals can be read. What
  // is exported by timer is exported once more before Detach.
  virtual void Attach(std::shared_ptr<MetricsSource> /*source*/) {}
  virtual void Detach(const MetricsSource* /*source*/) {}
  // The name it is registered under, for messages. Static text.
  virtual absl::string_view name() const = 0;
  // True in a child made by fork: the sink is the parent's. Virtual, so that a
  // plugin in a shared object answers for the copy of the SDK that made it.
  virtual bool inherited() const { return process_.inherited(); }

 private:
  const ProcessMark process_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_SINK_H_
