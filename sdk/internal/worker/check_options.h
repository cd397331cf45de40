// What is wrong with a worker's options, or with a task that is registered:
// found before anything starts. Stateless; any thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_CHECK_OPTIONS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_CHECK_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "gearman/sdk/internal/worker/task.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

// INVALID_ARGUMENT names the field and what would be right. Servers and plugins
// are not looked at.
absl::Status CheckWorkerOptions(const WorkerOptions& options);
// The same for a task, whose `function` is set: no server would take it, or
// take it wrongly.
absl::Status CheckTask(const Task& task);
// What CAN_DO_TIMEOUT says of a task with a finite time limit.
int64_t AnnouncedMs(const TaskOptions& options);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_CHECK_OPTIONS_H_
