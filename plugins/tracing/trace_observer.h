// TraceObserver: gets the beginning and the end of each operation of a client
// or worker, so that a program can make spans of them, OpenTelemetry's or its
// own.
//
//   operation | from                      | until
//   ----------+---------------------------+------------------------------------
//   kSubmit   | a submission is called,   | the request is finished, after the
//             | before interceptors       | interceptors' OnEnd
//   kRetry    | a further attempt is made | it fails, or its request ends
//   kStatus   | a job's status is asked   | the question is answered or given
//             |                           | up
//   kProcess  | a worker begins a job,    | the job is answered or lost, and
//             | before interceptors       | its handler has returned
//
// Every span that Begin returned is ended exactly once and then destroyed,
// whatever happens to the job. Without an observer all this costs only a check
// for null.
//
// Threads: no lock of the SDK is held in any call. Begin of kSubmit and kStatus
// is called on the thread that submits or asks, so it may use that thread's
// current trace context. Begin of kProcess is called on the thread that runs
// the handler, and End of kProcess on the thread in Worker::Run. All other
// calls come from the thread that does the client's I/O, in order with the
// request's callbacks: the span of a request ends before its on_complete is
// called and before a wait for it returns. One observer may serve several
// clients and workers, so it is thread-safe. Its exceptions are ignored.
#ifndef GEARMAN_PLUGINS_TRACING_TRACE_OBSERVER_H_
#define GEARMAN_PLUGINS_TRACING_TRACE_OBSERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// The operations that are traced; the table above has their spans.
enum class TraceOperation : unsigned char {
  kSubmit,
  kRetry,
  kStatus,
  kProcess
};

// "submit", "retry", "status", "process".
inline absl::string_view TraceOperationName(TraceOperation operation) {
  switch (operation) {
    case TraceOperation::kSubmit:
      break;
    case TraceOperation::kRetry:
      return "retry";
    case TraceOperation::kStatus:
      return "status";
    case TraceOperation::kProcess:
      return "process";
  }
  return "submit";
}

class TraceSpan;

// The facts known at the beginning. Views are valid during the call; unknown
// facts are empty.
struct TraceBegin {
  TraceOperation operation = TraceOperation::kSubmit;  // what has begun
  // The time on the clock of the client or worker.
  absl::Time time;
  // The task, without the namespace prefix. It is empty for kStatus of a JobId.
  absl::string_view task;
  // The unique. For kSubmit it is empty unless the caller gave one; the end has
  // the unique that the client made.
  absl::string_view unique;
  // The job's handle, for kProcess and kStatus.
  absl::string_view handle;
  // The server's address, like "tcp://host:4730"; empty for kSubmit.
  absl::string_view server;
  // For kSubmit, the payload as the caller gave it. For kProcess, the payload
  // as it came, so that a program that sends a trace context in its payloads
  // can find it.
  absl::string_view data;
  // Whether the job is a background job.
  bool background = false;
  // For kRetry: the attempt's number, from 2; why the attempt before failed
  // ("lost_before_acceptance", ...); and the span of the submission.
  int attempt = 1;
  absl::string_view reason;
  TraceSpan* parent = nullptr;
};

// The facts known at the end. Views are valid during the call; unknown facts
// are empty.
struct TraceEnd {
  // The time on the clock of the client or worker.
  absl::Time time;
  // The outcome, in the words of the metrics: "complete", "failed",
  // "exception", "timed_out", "cancelled", "lost", "refused"
  // (docs/guide/metrics.md).
  absl::string_view outcome;
  // The kind of error, in few words: the outcome; for kRetry the reason; for
  // kStatus the status's code ("UNAVAILABLE"). It is empty if there is no
  // error.
  absl::string_view error_type;
  // The error, or OK.
  absl::Status status;
  // The job as it was sent, after interceptors.
  absl::string_view task;
  absl::string_view unique;
  absl::string_view handle;
  absl::string_view server;
  // For kSubmit: the number of attempts. 0 if an interceptor answered or the
  // job was never sent.
  int attempts = 0;
};

// An operation that has begun.
class TraceSpan {
 public:
  virtual ~TraceSpan() = default;

  // The operation has ended. The SDK calls this once; the span is destroyed
  // afterwards.
  virtual void End(const TraceEnd& end) = 0;
};

class TraceObserver {
 public:
  virtual ~TraceObserver() = default;

  // Returns null if this operation is not traced. Its end is then not reported.
  virtual std::unique_ptr<TraceSpan> Begin(const TraceBegin& begin) = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_TRACING_TRACE_OBSERVER_H_
