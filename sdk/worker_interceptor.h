// WorkerInterceptor: sees each job before its handler. It may change the job's
// data, answer the job without the handler, and ask to see the answer.
//
//   // Payloads and results are compressed.
//   options.interceptors.push_back([](gearman::IncomingJob& job) {
//     job.set_data(Inflate(job.data()));
//     job.OnEnd([](const gearman::Job&, absl::StatusOr<std::string>& result) {
//       if (result.ok()) result = Deflate(*result);
//     });
//   });
//
// WorkerOptions::interceptors are called in their order until one answers. Each
// sees the data as those before it left them. The hooks of OnEnd are called in
// the reverse order; each sees the answer as those before it left it. The hook
// after a job (WorkerOptions::after_job) sees the job as it came.
//
// Threads: an interceptor is called on the thread that runs the handler. A hook
// is called on that thread when the handler has returned. With RegisterAsync a
// hook is called on the thread that calls PendingJob::Finish or drops the job.
// No lock is held. Up to `concurrency` threads call them at once. Interceptors
// and hooks count as part of the handler: for its time limit, for prefetch, and
// for exceptions, which are answered like those of a handler.
#ifndef GEARMAN_SDK_WORKER_INTERCEPTOR_H_
#define GEARMAN_SDK_WORKER_INTERCEPTOR_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job.h"

namespace gearman {

namespace internal {
struct Access;
struct HeldJob;
}  // namespace internal

// An IncomingJob lives as long as the interceptor's call. A view is valid until
// the field that it shows is changed.
class IncomingJob {
 public:
  // Sees the answer before it is given, and may change it. The worker calls it
  // once, even if the answer can no longer be sent.
  using EndHook =
      absl::AnyInvocable<void(const Job&, absl::StatusOr<std::string>&)>;

  IncomingJob(const IncomingJob&) = delete;
  IncomingJob& operator=(const IncomingJob&) = delete;

  // The job as the handler will see it.
  const Job& job() const;
  // The payload.
  StringView data() const { return job().data(); }
  // Replaces the payload that later interceptors and the handler see.
  void set_data(std::string data);

  // Answers the job like a handler that returns `result` (sdk/job_context.h).
  // Later interceptors and the handler are not called.
  void Answer(absl::StatusOr<std::string> result);
  // Calls `hook` once, however the job is answered. An empty hook is ignored.
  void OnEnd(EndHook hook);

  // The span of this job's processing; null if there is none.
  TraceSpan* span() const;

 private:
  friend struct internal::Access;

  explicit IncomingJob(internal::HeldJob* held) : held_(held) {}

  internal::HeldJob* const held_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_INTERCEPTOR_H_
