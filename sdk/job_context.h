// JobContext: what a handler sees of its job, and sends before its answer.
// PendingJob: a job whose answer comes later, from any thread.
//
//   absl::StatusOr<std::string> Resize(gearman::JobContext& context) {
//     for (int i = 0; i < 10; ++i) {
//       if (context.stop_token().stop_requested()) break;
//       context.SendStatus(i, 10).IgnoreError();
//       ...
//     }
//     return image;  // moved, not copied
//   }
//
// What a handler's end becomes:
//
//   returns a string                | WORK_COMPLETE with it
//   returns gearman::JobFailed()    | WORK_FAIL
//   returns JobException(bytes)     | a failure with these very bytes
//   returns any other error status  | a failure with its text, such as
//                                   | "NOT_FOUND: no image 17"
//   throws                          | a failure with what(), or "unknown
//                                   | exception"
//   a PendingJob is dropped         | WORK_FAIL
//
// A failure with a text is a WORK_WARNING and a WORK_FAIL, or what
// WorkerOptions::exceptions and native_exceptions say. Each job has exactly one
// end, if its connection lives, and no packet leaves for it after that.
#ifndef GEARMAN_SDK_JOB_CONTEXT_H_
#define GEARMAN_SDK_JOB_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/stop_token.h"

namespace gearman {

class TraceSpan;

namespace internal {
struct HeldJob;
}  // namespace internal

// The status that is answered with a plain WORK_FAIL, which carries no text:
// ABORTED. `why` is for the hook after the job and the log only.
absl::Status JobFailed(absl::string_view why = "");
// The status that is answered with a failure and these bytes, whatever they
// are: UNKNOWN.
absl::Status JobException(absl::string_view bytes);

// Lives as long as the handler's call, to which the reference belongs. Its
// functions may be called by other threads meanwhile, too.
class JobContext {
 public:
  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  const Job& job() const;
  // Of a reduce job, the task that its results are to be given to, with the
  // namespace prefix if it has one; else empty.
  const std::string& reducer() const;
  // When the handler was started, and when its time limit ends
  // (InfiniteFuture: none), on the worker's clock.
  absl::Time started() const;
  absl::Time deadline() const;
  // Valid for as long as you like.
  StopToken stop_token() const;
  // What WorkerOptions::trace_observer made of this job's processing: lives as
  // long as the handler's call. Null: it is not traced.
  TraceSpan* span() const;

  // Send WORK_DATA, WORK_WARNING, WORK_STATUS to the job's clients, in order.
  // CANCELLED: there is no use any more, the token has fired or the answer has
  // been given. While the server takes bytes too slowly
  // (WorkerLimits::max_output_bytes) they wait, which ends when the token
  // fires.
  //
  // With concurrency 1 there is room again only while the handler itself sends,
  // or asks its stop token or waits with it: the I/O is done there. So a
  // handler must not merely wait, as by joining it, for another thread that
  // sends: that may wait for the handler. StopToken::WaitFor until it is done,
  // a PendingJob (which never waits) or concurrency 2 is for that.
  //
  // A server that knows only the oldest grab (Perl's Gearman::Server) knows
  // neither WORK_DATA nor WORK_WARNING. The worker then keeps data and puts it
  // in front of the result. Beyond max_output_bytes for all jobs together,
  // SendData returns RESOURCE_EXHAUSTED and the job fails with that text.
  // SendWarning returns UNIMPLEMENTED, and the warning is logged.
  //
  // A status counts in units of the handler's own.
  absl::Status SendData(std::string data);
  absl::Status SendWarning(std::string data);
  absl::Status SendStatus(int64_t numerator, int64_t denominator);

  // For the SDK.
  explicit JobContext(std::shared_ptr<internal::HeldJob> held)
      : held_(std::move(held)) {}

 private:
  const std::shared_ptr<internal::HeldJob> held_;
};

// Movable, with one owner; its functions may be called from any thread, one at
// a time. May outlive the worker: then it does nothing.
class PendingJob {
 public:
  // Nothing: as after Finish.
  PendingJob() = default;
  PendingJob(PendingJob&&) = default;
  // Answers what it held before with WORK_FAIL.
  PendingJob& operator=(PendingJob&& other) noexcept;
  // Not answered: WORK_FAIL, counted as forgotten.
  ~PendingJob();

  // Not after Finish.
  const Job& job() const;
  const std::string& reducer() const;
  absl::Time started() const;
  absl::Time deadline() const;
  // Never fires after Finish.
  StopToken stop_token() const;

  // As JobContext's, but they never wait: RESOURCE_EXHAUSTED, and nothing is
  // sent, while the server takes bytes too slowly.
  absl::Status SendData(std::string data);
  absl::Status SendWarning(std::string data);
  absl::Status SendStatus(int64_t numerator, int64_t denominator);

  // The answer, as a handler returns it. A second one does nothing.
  void Finish(absl::StatusOr<std::string> result);
  bool finished() const { return held_ == nullptr; }

  // For the SDK.
  explicit PendingJob(std::shared_ptr<internal::HeldJob> held)
      : held_(std::move(held)) {}

 private:
  std::shared_ptr<internal::HeldJob> held_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_CONTEXT_H_
