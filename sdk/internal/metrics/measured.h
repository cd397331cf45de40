// Measured is an object that has metrics: a client, a worker, or the queues of
// job servers.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_MEASURED_H_
#define GEARMAN_SDK_INTERNAL_METRICS_MEASURED_H_

#include <cstdint>

#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace gearman {
namespace internal {

class Measured {
 public:
  virtual ~Measured() = default;

  // Returns every family that has a sample. Any thread.
  virtual MetricsSnapshot Snapshot(absl::Time now) const = 0;
};

// Returns a new number for MetricsSnapshot::source: 1, 2, ... Any thread.
uint64_t NextMetricsSource();

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_MEASURED_H_
