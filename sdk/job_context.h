// JobContext: what a handler sees of its job, and what it sends before its
// answer. PendingJob: a job whose answer comes later, from any thread.
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
// How each end of a handler is answered:
//
//   returns a string                | WORK_COMPLETE with the string, and with
//                                   | the body that it has given (SetBody)
//   returns gearman::JobFailed()    | WORK_FAIL
//   returns JobException(bytes)     | a failure with exactly these bytes
//   returns any other error status  | a failure with its text, such as
//                                   | "NOT_FOUND: no image 17"
//   throws                          | a failure with what(), or "unknown
//                                   | exception"
//   drops its PendingJob            | WORK_FAIL
//
// A failure with a text is a WORK_WARNING and a WORK_FAIL, unless
// WorkerOptions::exceptions and native_exceptions say otherwise. As long as its
// connection is up, each job gets exactly one of these answers, and no packet
// follows it. docs/protocol.md, section "Worker semantics", says what servers
// make of these packets.
#ifndef GEARMAN_SDK_JOB_CONTEXT_H_
#define GEARMAN_SDK_JOB_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/stop_token.h"

namespace gearman {

class BodySource;
class TraceSpan;

namespace internal {
struct Access;
struct HeldJob;
}  // namespace internal

// Returns the status that is answered with a plain WORK_FAIL: ABORTED. A
// WORK_FAIL carries no text; `why` is only for the hook after the job and for
// the log.
absl::Status JobFailed(StringView why = "");
// Returns the status that is answered with a failure and these bytes: UNKNOWN.
absl::Status JobException(StringView bytes);

// A JobContext lives as long as the handler's call, which gets a reference to
// it. During that call other threads may also call its functions.
class JobContext {
 public:
  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  // The job: task, unique, data, handle and server.
  const Job& job() const;
  // For a reduce job (sdk/reduce.h): the task that the job's parts are for,
  // including its namespace prefix if it has one. It is empty for every other
  // job.
  const std::string& reducer() const;
  // The time when the handler was started, and the time when its time limit
  // ends (InfiniteFuture: no limit), on the worker's clock.
  absl::Time started() const;
  absl::Time deadline() const;
  // The token may outlive the handler's call.
  StopToken stop_token() const;
  // The span that WorkerOptions::trace_observer made for this job. It lives as
  // long as the handler's call. It is null if the job is not traced.
  TraceSpan* span() const;

  // Send WORK_DATA, WORK_WARNING and WORK_STATUS to the job's clients, in
  // order. docs/protocol.md, section "Client semantics", says which clients get
  // them. The units of a status are the handler's own. The functions return
  // CANCELLED if the stop token has fired or the job has been answered, because
  // the packet would be useless. While the server takes bytes too slowly
  // (WorkerLimits::max_output_bytes), the functions wait until there is room or
  // the stop token fires.
  //
  // With concurrency 1 the handler's thread also does the I/O. It does so only
  // while the handler itself sends, asks its stop token or waits with it, and
  // only then does room appear. Therefore a handler must not simply wait for
  // another thread that sends, for example by joining it: that is a deadlock if
  // the other thread waits for room. Three ways avoid it: wait with
  // StopToken::WaitFor until the other thread is done, use a PendingJob, which
  // never waits, or set concurrency to 2.
  //
  // A server that knows only the oldest grab (Perl's Gearman::Server) knows
  // neither WORK_DATA nor WORK_WARNING. For such a server the worker keeps the
  // data and puts it in front of the result. If the data of all jobs together
  // exceeds max_output_bytes, SendData returns RESOURCE_EXHAUSTED and the job
  // fails with that text. SendWarning returns UNIMPLEMENTED, and the warning is
  // logged.
  absl::Status SendData(std::string data);
  absl::Status SendWarning(std::string data);
  absl::Status SendStatus(int64_t numerator, int64_t denominator);

  // Makes `body` the result (WORK_COMPLETE), behind the string that the handler
  // returns, which is usually empty. If the handler returns an error, the body
  // is not sent. The worker reads the body on its I/O thread while it sends the
  // result, and never holds all of its bytes (codecs/body_source.h;
  // sdk/body_source.h has one of a file). Call it on the thread that runs the
  // handler. The last call counts; null takes the body back.
  //
  // The job is answered when the packet has begun: hooks and stats count it as
  // complete then. If the source fails later, the worker closes the connection,
  // because the protocol can't take a part of a packet back, and logs the
  // source's error. The server then gives this job and the connection's other
  // jobs out again.
  void SetBody(std::shared_ptr<BodySource> body);

 private:
  friend struct internal::Access;

  explicit JobContext(std::shared_ptr<internal::HeldJob> held)
      : held_(std::move(held)) {}

  const std::shared_ptr<internal::HeldJob> held_;
};

// A PendingJob is movable and has one owner. Any thread may call its functions,
// one at a time. It may outlive the worker: then it does nothing.
class PendingJob {
 public:
  // Holds no job, as after Finish.
  PendingJob() = default;
  PendingJob(PendingJob&&) = default;
  // Answers the job that this object held with WORK_FAIL.
  PendingJob& operator=(PendingJob&& other) noexcept;
  // Answers an unfinished job with WORK_FAIL and counts it as forgotten.
  ~PendingJob();

  // Return the facts that JobContext has. They must not be called after Finish.
  const Job& job() const;
  const std::string& reducer() const;
  absl::Time started() const;
  absl::Time deadline() const;
  // The token never fires after Finish.
  StopToken stop_token() const;

  // Send the packets that the functions of JobContext send, but never wait:
  // while the server takes bytes too slowly, they send nothing and return
  // RESOURCE_EXHAUSTED.
  absl::Status SendData(std::string data);
  absl::Status SendWarning(std::string data);
  absl::Status SendStatus(int64_t numerator, int64_t denominator);

  // Answers the job as if a handler had returned `result`. A second call does
  // nothing.
  void Finish(absl::StatusOr<std::string> result);
  // Answers the job with a body as its result (JobContext::SetBody).
  void FinishWithBody(std::shared_ptr<BodySource> body);
  // Gives the job back to its server unanswered, so that a worker does it
  // again. The protocol has no packet for this: a server queues a job again
  // only when the connection of its worker has ended. Therefore the worker
  // makes a new connection to that server, and closes the old one when its
  // other jobs have been answered. Until then the job stays with this worker.
  // For the server the job has lost its worker: with gearmand -j N the N-th
  // loss ends the job. Perl's Gearman::Server does not queue it again. A call
  // after Finish does nothing.
  void GiveBack();
  // Whether the job has been answered or given back.
  bool finished() const { return held_ == nullptr; }

 private:
  friend struct internal::Access;

  explicit PendingJob(std::shared_ptr<internal::HeldJob> held)
      : held_(std::move(held)) {}

  std::shared_ptr<internal::HeldJob> held_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_CONTEXT_H_
