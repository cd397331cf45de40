// TraceObserver: hears when what a client or worker does begins and ends, so
// that a program can make spans of it, OpenTelemetry's or its own.
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
// Every span that Begin returned is ended exactly once, whatever becomes of the
// job, and destroyed then. Without an observer none of this costs anything but
// a look at a null pointer.
//
// Threads: no lock of the SDK is held in any call. Begin of kSubmit and kStatus
// is called by the thread that submits or asks, so that it may look at what is
// current there; of kProcess by the thread that runs the handler; End of
// kProcess by the thread in Worker::Run. Everything else comes from the thread
// that drives the client's I/O, in order with the request's callbacks: the span
// of a request has ended before its on_complete is called and before a wait for
// it returns. One observer may serve several clients and workers: it is
// thread-safe. What it throws is ignored.
#ifndef GEARMAN_PLUGINS_TRACING_TRACE_OBSERVER_H_
#define GEARMAN_PLUGINS_TRACING_TRACE_OBSERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {

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

// What is known when something begins. Views are valid during the call; what
// is not known is empty.
struct TraceBegin {
  TraceOperation operation = TraceOperation::kSubmit;
  // By the clock of the client or worker.
  absl::Time time;
  // Without the namespace prefix. kStatus of a JobId has none.
  absl::string_view task;
  // kSubmit: only one that the caller gave; the end knows the others.
  absl::string_view unique;
  // Of the job: kProcess, kStatus.
  absl::string_view handle;
  // The server's address, as "tcp://host:4730": not of kSubmit.
  absl::string_view server;
  // kSubmit: the payload as the caller gave it. kProcess: as it came, where a
  // program that sends a trace's context in its payloads finds it.
  absl::string_view data;
  bool background = false;
  // kRetry: the attempt's number, from 2; why the one before failed
  // ("lost_before_acceptance", ...); and the span of the submission.
  int attempt = 1;
  absl::string_view reason;
  TraceSpan* parent = nullptr;
};

// What is known when it ends; as above.
struct TraceEnd {
  absl::Time time;
  // In the words of the metrics: "complete", "failed", "exception",
  // "timed_out", "cancelled", "lost", "refused" (docs/metrics.md).
  absl::string_view outcome;
  // Why it is an error, in few words: the outcome, for kRetry the reason, for
  // kStatus the status's code ("UNAVAILABLE"). Empty: it is none.
  absl::string_view error_type;
  absl::Status status;
  // As sent, after interceptors.
  absl::string_view task;
  absl::string_view unique;
  absl::string_view handle;
  absl::string_view server;
  // kSubmit: how many were made; 0: an interceptor answered, or it never left.
  int attempts = 0;
};

// Something that has begun.
class TraceSpan {
 public:
  virtual ~TraceSpan() = default;

  virtual void End(const TraceEnd& end) = 0;
};

class TraceObserver {
 public:
  virtual ~TraceObserver() = default;

  // Null: this one is not traced, and its end not told.
  virtual std::unique_ptr<TraceSpan> Begin(const TraceBegin& begin) = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_TRACING_TRACE_OBSERVER_H_
