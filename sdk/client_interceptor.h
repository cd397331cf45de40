// ClientInterceptor: sees each job before it is submitted. It may change the
// job, answer it without a server, and ask to see its end.
//
//   // A cache.
//   options.interceptors.push_back([cache](gearman::OutgoingJob& job) {
//     std::string key = absl::StrCat(job.task(), "\n", job.data());
//     if (auto known = cache->Find(key)) return job.Answer(*known);
//     job.OnEnd([cache, key](const gearman::JobRequest&,
//                            absl::StatusOr<std::string>& result) {
//       if (result.ok()) cache->Put(key, *result);
//     });
//   });
//
// Interceptors (ClientOptions::interceptors) are called in their order, each
// with what those before it made of the job, until one answers. OnEnd's hooks
// are called in the reverse order, each with what those before it made of the
// result. All that happens once for each submission, however many attempts it
// takes; one that is submitted again begins with the job as its caller gave it.
// What a caller reads of a request is what was sent: the changed job.
//
// They see every submission: Run, SubmitJob, SubmitMultipleJobs, background
// jobs. Updates (WORK_DATA, WORK_WARNING, WORK_STATUS) pass them by.
//
// Threads: an interceptor is called on the thread that submits, before any
// limit is looked at; a hook on the thread that drives the I/O, in order with
// callbacks. No lock is held. As callbacks, hooks may submit, not wait. An
// interceptor must not submit to its own client, or it meets itself.
//
// What they throw ends the request: UNKNOWN, with the exception's text.
#ifndef GEARMAN_SDK_CLIENT_INTERCEPTOR_H_
#define GEARMAN_SDK_CLIENT_INTERCEPTOR_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job_request.h"

namespace gearman {

namespace internal {
struct JobRequestState;
}  // namespace internal

// Lives as long as the interceptor's call. Views and references are valid until
// what they show is changed.
class OutgoingJob {
 public:
  // Sees the end of a request that is about to be finished: its result (empty
  // text for a background job that was accepted), or why there is none. It may
  // change either into the other. The request's accessors don't show the end
  // yet.
  using EndHook =
      std::function<void(const JobRequest&, absl::StatusOr<std::string>&)>;

  OutgoingJob(const OutgoingJob&) = delete;
  OutgoingJob& operator=(const OutgoingJob&) = delete;

  const std::string& task() const;
  absl::string_view data() const;
  bool background() const;
  // What the call set; what it left to the client is unset.
  CallOptions options() const;

  void set_task(std::string task);
  void set_data(std::string data);
  // All of them: change a copy of options().
  void set_options(CallOptions options);

  // Ends the request without a server: complete with this result, or failed
  // with this status. Interceptors that follow are not called.
  void Answer(absl::StatusOr<std::string> result);
  // `hook` is called once, whatever becomes of the request.
  void OnEnd(EndHook hook);

  // The submission's span, so that its context can be sent along; null: it has
  // none.
  TraceSpan* span() const;

  // For the SDK.
  explicit OutgoingJob(internal::JobRequestState* state) : state_(state) {}

 private:
  internal::JobRequestState* const state_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_INTERCEPTOR_H_
