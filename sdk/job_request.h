// JobRequest: the state tracker of a requested job.
//
// A cheap handle: copies share one request (so const says nothing of the
// request itself), which lives as long as any of
// them, also after its client: the client's end finishes it as CANCELLED.
// Dropping every copy detaches: the job goes on, nobody hears of it.
//
//               submit            JOB_CREATED            WORK_COMPLETE
//   kUnknown ----------> kPending ----------> kCreated --------------->
//   kComplete
//      ^                    |                    |   WORK_FAIL,
//      |   given up, lost,  |                    |   WORK_EXCEPTION
//      +--- cancelled ------+--------------------+---------------> kFailed
//                           +--- refused by the server ----------> kFailed
// (sdk/internal/client/job_request_state.h has this as a table.)
//
// "Finished" means: nothing more will happen unless it is submitted again. A
// background request is finished (and complete) once created.
//
// A new submission starts clean: updates that nobody has taken, the newest
// status, exception and attempts of the one before are dropped. Further
// attempts of one submission add to what the first ones brought.
//
// Threads: once submitted, every accessor may be called from any thread at any
// time; after the request has finished they cost no lock. Callbacks run on the
// thread that drives the I/O, with no lock held, in the order of arrival,
// before a wait for this request returns; they may submit, not wait. Submit
// again, and Reset, only while no other thread uses the request.
//
// A callback may submit its own request again, to the same client, and a wait
// for it then goes on. on_complete does so: at once when the state is kUnknown,
// else after Reset. What can't be is refused with FAILED_PRECONDITION and the
// reason: a complete request without Reset, one in flight, one whose end a hook
// of an interceptor may still change, another client.
#ifndef GEARMAN_SDK_JOB_REQUEST_H_
#define GEARMAN_SDK_JOB_REQUEST_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/priority.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/job_status.h"

namespace gearman {

namespace internal {
struct JobRequestState;
}  // namespace internal

enum class JobState : unsigned char {
  kUnknown,   // not submitted, or what became of it can't be known
  kPending,   // submitted, not yet accepted by a server
  kCreated,   // accepted: the server gave a handle
  kFailed,    // it failed or ended with an exception, or the server refused
              // it: status() tells
  kComplete,  // the worker completed it
};
// "unknown", "pending", "created", "failed", "complete".
inline absl::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kUnknown:
      break;
    case JobState::kPending:
      return "pending";
    case JobState::kCreated:
      return "created";
    case JobState::kFailed:
      return "failed";
    case JobState::kComplete:
      return "complete";
  }
  return "unknown";
}

// A job to submit, before it is a request.
struct JobSpec {
  JobSpec() = default;
  JobSpec(std::string task, std::string data)
      : task(std::move(task)), data(std::move(data)) {}

  std::string task;
  std::string data;
  bool background = false;
  CallOptions options;
};

// One failed attempt of a request.

struct AttemptRecord {
  int attempt = 0;     // from 1
  std::string server;  // address
  FailureReason reason = FailureReason::kConnect;
  bool bytes_sent = false;  // whether any byte of the submission had left
  absl::Time time;          // of the failure
  absl::Status status;      // what went wrong
};

class JobRequest {
 public:
  // A request not yet submitted: Client::SubmitMultipleRequests takes it.
  explicit JobRequest(JobSpec spec);

  // --- the job ---------------------------------------------------------------
  // A copy of what is known of the job now.
  Job job() const;
  const std::string& task() const;
  // Empty before submission when the client is to make one.
  absl::string_view unique() const;
  absl::string_view data() const;
  // The server's handle; empty until it accepted. A copy: it may change when
  // the request is tried again.
  std::string handle() const;
  // The address of the server that has it, or was tried last. (Empty, too, when
  // that was removed and thousands of others have come since.)
  std::string connection() const;
  // Server, handle and unique, to be printed for another process.
  JobId id() const;

  Priority priority() const;
  bool background() const;
  // Servers tried since it was last submitted (not sockets: two tries on one
  // server count twice).
  int connection_attempts() const;
  int max_connection_attempts() const;

  // --- what became of it -----------------------------------------------------
  JobState state() const;
  // A background request once created; a foreground one once failed or
  // complete.
  bool complete() const;
  // Nothing more will happen by itself: complete, given up, or cancelled. With
  // interceptors that see the end (sdk/client_interceptor.h): once they have.
  bool finished() const;
  // The last wait for it, or its own timeout, ended before it was complete.
  // After a wait's time-out it can be waited for again.
  bool timed_out() const;
  // Ok while it is going on and when it is complete. Else: ABORTED (the job
  // failed; with the text of its exception), UNAVAILABLE (no server, or lost),
  // DEADLINE_EXCEEDED (its own timeout), INVALID_ARGUMENT,
  // RESOURCE_EXHAUSTED (limits; the server's queue is full), CANCELLED. The
  // message names server, attempt, and whether bytes had been sent.
  absl::Status status() const;
  // The data of WORK_COMPLETE: present exactly when a foreground request is
  // complete.
  std::optional<std::string> result() const;
  // The same without a copy, once: result() is empty text afterwards.
  std::optional<std::string> TakeResult() const;
  // The same as a view, valid until TakeResult, Reset or another submission;
  // empty unless finished.
  absl::string_view result_view() const;
  // The text of the job's failure: the data of WORK_EXCEPTION, or the text that
  // a worker of this SDK sends in its place. Unset: the worker gave none.
  std::optional<std::string> exception() const;
  // Every failed attempt since it was last submitted.
  std::vector<AttemptRecord> attempts() const;

  // --- updates ---------------------------------------------------------------
  // Takes the oldest WORK_DATA or WORK_WARNING not yet taken.
  std::optional<std::string> TakeDataUpdate() const;
  std::optional<std::string> TakeWarningUpdate() const;
  // Copies of all that have not been taken.
  std::vector<std::string> data_updates() const;
  std::vector<std::string> warning_updates() const;
  // The newest status, from WORK_STATUS or a query.
  JobStatus job_status() const;
  // Progress reports as (numerator, denominator): the newest one, if any.
  ABSL_DEPRECATED("use job_status()")
  std::vector<std::pair<int64_t, int64_t>> status_updates() const;
  ABSL_DEPRECATED("use job_status()")
  JobStatus server_status() const;

  // --- steering --------------------------------------------------------------
  // Stops waiting for it: finished as CANCELLED. The job itself goes on: the
  // protocol has no packet that takes it back. (Servers drop a foreground job
  // that is still queued when the connection that it came by is closed, and a
  // connection that nobody waits for may be.) One that waits for room in a
  // submission (WhenFull::kBlock) is not submitted. Any thread; no effect when
  // finished.
  void Cancel() const;
  // Back to a request that was never submitted. FAILED_PRECONDITION while it is
  // in flight, and while a callback of it is due or runs, but in its own
  // on_complete.
  absl::Status Reset();

  // The same request, not an equal one.
  friend bool operator==(const JobRequest& a, const JobRequest& b) {
    return a.state_ == b.state_;
  }
  friend bool operator!=(const JobRequest& a, const JobRequest& b) {
    return !(a == b);
  }

  // For the SDK.
  explicit JobRequest(std::shared_ptr<internal::JobRequestState> state)
      : state_(std::move(state)) {}
  const std::shared_ptr<internal::JobRequestState>& internal_state() const {
    return state_;
  }

 private:
  std::shared_ptr<internal::JobRequestState> state_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_REQUEST_H_
