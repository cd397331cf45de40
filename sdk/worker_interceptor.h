// WorkerInterceptor: sees each job before its handler does. It may change the
// job's data, answer it without the handler, and ask to see the answer.
//
//   // Payloads and results are compressed.
//   options.interceptors.push_back([](gearman::IncomingJob& job) {
//     job.set_data(Inflate(job.data()));
//     job.OnEnd([](const gearman::Job&, absl::StatusOr<std::string>& result) {
//       if (result.ok()) result = Deflate(*result);
//     });
//   });
//
// Interceptors (WorkerOptions::interceptors) are called in their order, each
// with what those before it made of the data, until one answers. OnEnd's hooks
// are called in the reverse order, each with what those before it made of the
// answer. The hook after a job (WorkerOptions::after_job) is told of the job as
// it came.
//
// Threads: an interceptor is called on the thread that runs the handler; a hook
// on that thread when the handler has returned, or, for RegisterAsync, on the
// one that calls PendingJob::Finish or drops the job. No lock is held. Up to
// `concurrency` threads call them at once. They count as part of the handler:
// for its time limit, for prefetch, and what they throw is answered as what a
// handler throws.
#ifndef GEARMAN_SDK_WORKER_INTERCEPTOR_H_
#define GEARMAN_SDK_WORKER_INTERCEPTOR_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job.h"

namespace gearman {

namespace internal {
struct HeldJob;
}  // namespace internal

// Lives as long as the interceptor's call. Views are valid until what they show
// is changed.
class IncomingJob {
 public:
  // Sees the answer that is about to be given, and may change it. Called once,
  // whether or not anybody can be told the answer any more.
  using EndHook = std::function<void(const Job&, absl::StatusOr<std::string>&)>;

  IncomingJob(const IncomingJob&) = delete;
  IncomingJob& operator=(const IncomingJob&) = delete;

  // As the handler will see it.
  const Job& job() const;
  absl::string_view data() const { return job().data(); }
  void set_data(std::string data);

  // The answer, as a handler returns it (sdk/job_context.h). Neither the
  // interceptors that follow nor the handler are called.
  void Answer(absl::StatusOr<std::string> result);
  void OnEnd(EndHook hook);

  // The span of this job's processing; null: it has none.
  TraceSpan* span() const;

  // For the SDK.
  explicit IncomingJob(internal::HeldJob* held) : held_(held) {}

 private:
  internal::HeldJob* const held_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_INTERCEPTOR_H_
