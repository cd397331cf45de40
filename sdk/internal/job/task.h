// Task is one registration: a name, the handler and its options. It is
// immutable after registration, except for `cost`.
#ifndef GEARMAN_SDK_INTERNAL_JOB_TASK_H_
#define GEARMAN_SDK_INTERNAL_JOB_TASK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/job/job_cost.h"
#include "gearman/sdk/internal/job/task_gate.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {

class JobContext;
class PendingJob;

namespace internal {

struct Task {
  std::string function;  // on the wire: with the namespace prefix
  std::string name;      // without the prefix
  TaskOptions options;
  // Milliseconds for CAN_DO_TIMEOUT; 0: CAN_DO.
  int64_t announced_ms = 0;
  // Exactly one of the three is set. `control` does an order, on the I/O
  // thread.
  absl::AnyInvocable<absl::StatusOr<std::string>(JobContext&)> handler;
  absl::AnyInvocable<void(PendingJob)> async_handler;
  absl::AnyInvocable<absl::StatusOr<std::string>(absl::string_view)> control;
  TaskMetrics* metrics = nullptr;  // null: nothing is counted

  // Never null. A task that is registered again shares it.
  std::shared_ptr<TaskGate> gate = std::make_shared<TaskGate>();
  JobCost cost;  // I/O thread only
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_TASK_H_
