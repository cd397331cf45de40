// JobHooks is the state of observers and interceptors for one job. Only jobs of
// a worker that has some of them have it.
//
// Fields are grouped by the thread they belong to.
#ifndef GEARMAN_SDK_INTERNAL_JOB_JOB_HOOKS_H_
#define GEARMAN_SDK_INTERNAL_JOB_JOB_HOOKS_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
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
  // IncomingJob::EndHook.
  using EndHook =
      absl::AnyInvocable<void(const Job&, absl::StatusOr<std::string>&)>;

  // Set before any other thread sees the job. The thread that runs the handler
  // uses both before the handler begins, when the worker is surely alive.
  TraceObserver* observer = nullptr;  // null: none
  const std::vector<WorkerInterceptor>* interceptors = nullptr;

  // Belongs to the thread that runs the handler; after its return, to the I/O
  // thread.
  std::unique_ptr<TraceSpan> span;

  // Belong to the thread that runs the handler, then to the owner of the
  // pending job.
  std::optional<absl::StatusOr<std::string>> answer;  // an interceptor's
  // Called from the last to the first, by the thread that sets `ending` first.
  std::vector<EndHook> on_end;
  std::atomic<bool> ending{false};

  // Belong to the I/O thread. The span ends when both times are set.
  absl::Time returned = absl::InfinitePast();  // when the handler returned
  absl::Time ended = absl::InfinitePast();     // when the job ended
  absl::string_view outcome;                   // static text
  absl::Status status;
};

// Returns the job as its handler sees it.
const Job& JobOf(const HeldJob& held);
// Gives the handler other data than those that came. Call it on the thread that
// runs the handler.
void ChangeData(HeldJob* held, std::string data);

// Lets interceptors see and change the answer, once.
void RunEndHooks(HeldJob* held, absl::StatusOr<std::string>* result);
// Ends the span. Call it on the I/O thread when both times are set.
void EndJobSpan(HeldJob* held);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_JOB_HOOKS_H_
