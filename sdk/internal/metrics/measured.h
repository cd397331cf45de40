// Measured: what has metrics to show. A client, a worker, the queues of job
// servers.
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

  // Every family that has a sample. Any thread.
  virtual MetricsSnapshot Snapshot(absl::Time now) const = 0;
};

// For MetricsSnapshot::source: 1, 2, ... Any thread.
uint64_t NextMetricsSource();

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_MEASURED_H_
