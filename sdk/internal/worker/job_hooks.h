// JobHooks: what observers and interceptors have to do with one job. Only jobs
// of a worker that has some have it.
//
// Fields are grouped by the thread they belong to.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_JOB_HOOKS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_JOB_HOOKS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

struct HeldJob;

struct JobHooks {
  // Set before anybody else sees it. Both are used by the thread that runs the
  // handler, before it does: the worker is alive then.
  TraceObserver* observer = nullptr;  // null: none
  const std::vector<WorkerInterceptor>* interceptors = nullptr;

  // The thread that runs the handler; once that has returned, the I/O thread.
  std::unique_ptr<TraceSpan> span;

  // The thread that runs the handler. Then whoever has the pending job.
  std::optional<Job> changed;  // what the handler sees, unless it is as it came
  std::optional<absl::StatusOr<std::string>> answer;  // an interceptor's
  // To be called from the last to the first, by who sets `ending` first.
  std::vector<std::function<void(const Job&, absl::StatusOr<std::string>&)>>
      on_end;
  std::atomic<bool> ending{false};

  // The I/O thread. The span ends when both have happened.
  absl::Time returned = absl::InfinitePast();  // the handler
  absl::Time ended = absl::InfinitePast();     // the job
  absl::string_view outcome;                   // static text
  absl::Status status;
};

// The job as its handler sees it.
const Job& JobOf(const HeldJob& held);

// On the thread that runs the handler, before it: begins the span, calls the
// interceptors. An answer: the handler is not to be called.
std::optional<absl::StatusOr<std::string>> BeginHooks(HeldJob* held);
// Lets interceptors see and change the answer, once.
void RunEndHooks(HeldJob* held, absl::StatusOr<std::string>* result);
// On the I/O thread, when both has happened.
void EndJobSpan(HeldJob* held);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_JOB_HOOKS_H_
