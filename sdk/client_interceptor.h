// ClientInterceptor: sees each job before it is submitted. It may change the
// job, answer it without a server, and ask to see its end.
//
//   // A cache.
//   options.interceptors.push_back([cache](gearman::OutgoingJob& job) {
//     if (job.body() != nullptr) return;  // data() is not here
//     std::string key = absl::StrCat(job.task(), "\n", job.data());
//     if (auto known = cache->Find(key)) return job.Answer(*known);
//     job.OnEnd([cache, key](const gearman::JobRequest&,
//                            absl::StatusOr<std::string>& result) {
//       if (result.ok()) cache->Put(key, *result);
//     });
//   });
//
// ClientOptions::interceptors are called in their order until one answers. Each
// sees the job as those before it left it. The hooks of OnEnd are called in the
// reverse order; each sees the result as those before it left it. All this
// happens once for each submission, however many attempts it takes. A request
// that is submitted again begins with the job as its caller gave it. The
// request's accessors show the changed job, which is the one that was sent.
//
// Interceptors see every submission: Run, SubmitJob, SubmitMultipleJobs and
// background jobs. They don't see updates (WORK_DATA, WORK_WARNING,
// WORK_STATUS).
//
// Threads: an interceptor is called on the thread that submits, before any
// limit is checked. A hook is called on the thread that does the I/O, in order
// with callbacks. No lock is held. Hooks, like callbacks, may submit but must
// not wait. An interceptor must not submit to its own client, because it would
// be called for that submission, too. An exception from either ends the request
// with UNKNOWN and the exception's text.
#ifndef GEARMAN_SDK_CLIENT_INTERCEPTOR_H_
#define GEARMAN_SDK_CLIENT_INTERCEPTOR_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job_request.h"

namespace gearman {

namespace internal {
struct Access;
struct JobRequestState;
}  // namespace internal

// An OutgoingJob lives as long as the interceptor's call. A view or reference
// is valid until the field that it shows is changed.
class OutgoingJob {
 public:
  // Sees the end of a request that is about to be finished: its result (empty
  // text for a background job that was accepted), or the status that says why
  // there is no result. The hook may replace either by the other. The request's
  // accessors don't show the end yet.
  using EndHook =
      absl::AnyInvocable<void(const JobRequest&, absl::StatusOr<std::string>&)>;

  OutgoingJob(const OutgoingJob&) = delete;
  OutgoingJob& operator=(const OutgoingJob&) = delete;

  // The task without the client's task_prefix, and the payload.
  const std::string& task() const;
  StringView data() const;
  // The source of the job's data (JobSpec::body), which data() does not have
  // then; an interceptor must not set data. It is null if there is none.
  BodySource* body() const;
  // Whether the job is a background job. An interceptor can't change this.
  bool background() const;
  // The options that the call set. An option left to the client is unset.
  CallOptions options() const;

  // Replace the task and the payload.
  void set_task(std::string task);
  void set_data(std::string data);
  // Replaces all options; to change one, change a copy of options().
  void set_options(CallOptions options);

  // Ends the request without a server: complete with this result, or failed
  // with this status. Later interceptors are not called.
  void Answer(absl::StatusOr<std::string> result);
  // Calls `hook` once, however the request ends. An empty hook is ignored.
  void OnEnd(EndHook hook);

  // The span of the submission, whose context can be sent with the job; null if
  // there is none.
  TraceSpan* span() const;

 private:
  friend struct internal::Access;

  explicit OutgoingJob(internal::JobRequestState* state) : state_(state) {}

  internal::JobRequestState* const state_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_INTERCEPTOR_H_
