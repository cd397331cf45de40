// Checks a worker's options, and a task that is registered, before anything
// starts. Stateless; any thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_CHECK_OPTIONS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_CHECK_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

// INVALID_ARGUMENT: the message names the field and a right value. Servers and
// plugins are not checked.
absl::Status CheckWorkerOptions(const WorkerOptions& options);
// INVALID_ARGUMENT: servers would refuse the task or misunderstand it. Its
// `function` must be set.
absl::Status CheckTask(const Task& task);
// The milliseconds that CAN_DO_TIMEOUT announces for a task with a finite
// limit.
int64_t AnnouncedMs(const TaskOptions& options);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_CHECK_OPTIONS_H_
