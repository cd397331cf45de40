// JobRequest: tracks one requested job and keeps what came of it.
//
// A request is submitted (kPending), accepted by a server (kCreated) and ended
// by its worker (kComplete, kFailed). A request that is given up has the state
// kUnknown. Its job may have run, unless status() says that no byte was sent
// and attempts() has no earlier attempt that sent bytes. A background request
// ends in kCreated.
//
// docs/guide/requests.md has the table of the states, which accessors take a
// lock, and when a request may be submitted again. docs/protocol.md, section
// "Client semantics", has the packets that a request sends and gets.
#ifndef GEARMAN_SDK_JOB_REQUEST_H_
#define GEARMAN_SDK_JOB_REQUEST_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "gearman/base/string_view.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/job_state.h"
#include "gearman/sdk/job_status.h"
#include "gearman/sdk/job_update.h"

namespace gearman {

class BodySource;

namespace internal {
struct Access;
struct JobRequestState;
}  // namespace internal

// A job to submit, before it becomes a request.
struct JobSpec {
  JobSpec() = default;
  // Makes a foreground job with no options of its own.
  JobSpec(std::string task, std::string data)
      : task(std::move(task)), data(std::move(data)) {}

  std::string task;  // without the client's task_prefix
  std::string data;  // the payload: any bytes
  // The source of the data, instead of `data`, which is then empty. The client
  // reads the source while it writes the packet, and never holds all of its
  // bytes (codecs/body_source.h, sdk/body_source.h). The whole packet may have
  // at most ClientLimits::max_packet_bytes. Packets behind it on the same
  // connection wait until it has been written. After Cancel or a timeout the
  // client still writes it to its end. If the source can't be read to its end,
  // the request ends with the source's error, and the connection is closed:
  // other requests on it are lost, and perhaps tried again. A further attempt
  // needs a source that is repeatable. Null means that `data` is the data.
  std::shared_ptr<BodySource> body;
  // Whether nobody waits for the result (SUBMIT_JOB_BG and its variants).
  bool background = false;
  CallOptions options;  // how this call differs from the client's defaults
};

// A JobRequest is a handle, and cheap to copy. Copies share one request;
// therefore a const function may change the request itself. The request lives
// as long as one copy does, also after its client, whose end finishes it as
// CANCELLED. If every copy is destroyed, the job goes on and nothing reports
// its end.
//
// Threads: once the request is submitted, any thread may call any accessor at
// any time. Submit a request again, or call Reset, only while no other thread
// uses it. A callback may submit its own request again, to the same client.
class JobRequest {
 public:
  // Make a request that Client::Run or Client::SubmitMultipleRequests submits.
  explicit JobRequest(JobSpec&& spec);
  explicit JobRequest(const JobSpec& spec) : JobRequest(JobSpec(spec)) {}

  // --- the job ---------------------------------------------------------------
  // Returns a copy of the facts known now. The payload is shared, not copied.
  Job job() const;
  // The task, without the client's task_prefix. It is valid as long as this
  // object.
  const std::string& task() const;
  // The unique. It is empty before submission if the client is to make it.
  StringView unique() const;
  // The payload. It is valid as long as this object.
  StringView data() const;
  // The source of the data, which data() does not have then. It is null if
  // there is none.
  BodySource* body() const;
  // Returns a copy of the server's handle, because another attempt may change
  // it. It is empty until a server has accepted the job (JOB_CREATED).
  std::string handle() const;
  // Returns the address of the server that has the job or was tried last. The
  // address is empty before the first attempt. It is also empty if that server
  // was removed and the client has had thousands of other servers since.
  std::string connection() const;
  // Returns server, handle and unique, to be printed for another process.
  JobId id() const;

  // The priority in the function's queue.
  Priority priority() const;
  // Whether the job is a background job.
  bool background() const;
  // Returns how many attempts were made since the last submission. Two attempts
  // on one server count twice.
  int connection_attempts() const;
  // Returns how many attempts may be made: the maximum of the call, of the
  // client, or of its retry policy.
  int max_connection_attempts() const;

  // --- the outcome -----------------------------------------------------------
  // The state at this moment (docs/guide/requests.md).
  JobState state() const;
  // True for a background request when a server has accepted it, and for a
  // foreground request when its state is kFailed or kComplete.
  bool complete() const;
  // True when nothing more will happen without another submission: the request
  // is complete, given up or cancelled. If interceptors have hooks for the end
  // (sdk/client_interceptor.h), it is true only after these have run.
  bool finished() const;
  // True if the last wait for the request timed out before it was complete, or
  // if its own timeout passed. After the timeout of a wait the caller may wait
  // again.
  bool timed_out() const;
  // OK while the request goes on and when its state is kComplete. Otherwise
  // ABORTED (the job failed; the message has the text of its exception),
  // UNAVAILABLE (no server could be reached, or the server was lost),
  // DEADLINE_EXCEEDED (the request's own timeout passed), INVALID_ARGUMENT,
  // RESOURCE_EXHAUSTED (a limit was reached, or the server's queue is full) or
  // CANCELLED. sdk/status.h has the rare ones. The message names the server and
  // the attempt, and says whether bytes had been sent. GetStatusFacts
  // (sdk/status.h) has all of that as values.
  absl::Status status() const;
  // Returns a copy of the data of WORK_COMPLETE. It is set exactly if the
  // request is a foreground request in the state kComplete.
  std::optional<std::string> result() const;
  // Moves the result out. Afterwards result() is empty text. (Client::Result
  // waits for the result and takes it.)
  std::optional<std::string> TakeResult() const;
  // Returns a view of the result. It is empty unless the request is finished.
  // The view is valid until TakeResult, Reset or another submission.
  StringView result_view() const;
  // Returns why the job failed: the data of WORK_EXCEPTION, or the text that a
  // worker of this SDK sends in its place. It is unset if the worker gave no
  // reason.
  std::optional<std::string> exception() const;
  // Returns every failed attempt since the last submission.
  std::vector<AttemptRecord> attempts() const;

  // --- updates ---------------------------------------------------------------
  // The reports of the worker before the end, in the order of arrival. An
  // update for which the request has a callback goes there and is not kept
  // here.
  //
  // Data and warnings that nobody takes have a limit, after which the request
  // ends (ClientLimits::max_update_bytes). Of reports of progress the newest
  // 1,000 are kept, and older ones are dropped.
  //
  // Takes the oldest update of any kind.
  std::optional<JobUpdate> TakeUpdate() const;
  // Returns copies of all updates that were not taken, oldest first.
  std::vector<JobUpdate> updates() const;
  // Take the oldest data (WORK_DATA), and the oldest warning (WORK_WARNING), of
  // these updates. All other updates stay.
  std::optional<std::string> TakeDataUpdate() const;
  std::optional<std::string> TakeWarningUpdate() const;
  // Return copies of all data, and of all warnings, that were not taken.
  std::vector<std::string> data_updates() const;
  std::vector<std::string> warning_updates() const;
  // Returns the newest status, from WORK_STATUS or from a query.
  JobStatus job_status() const;
  // Returns every report of progress that was not taken, oldest first, as
  // (numerator, denominator).
  ABSL_DEPRECATED("use updates() or job_status()")
  std::vector<std::pair<int64_t, int64_t>> status_updates() const;
  // Returns job_status().
  ABSL_DEPRECATED("use job_status()")
  JobStatus server_status() const;

  // --- steering --------------------------------------------------------------
  // Finishes the request as CANCELLED, unless it is finished already. Any
  // thread may call it. The job itself goes on, because the protocol has no
  // packet that takes it back. (A server drops a foreground job that is still
  // queued when the job's connection is closed, and the client may close a
  // connection on which nothing is awaited any more.) If another thread submits
  // the request at this moment and waits for room (WhenFull::kBlock), that
  // thread stops waiting and does not submit it.
  void Cancel() const;
  // Makes the request one that was never submitted. Returns FAILED_PRECONDITION
  // while the request is in flight and while one of its callbacks is due or
  // runs; its own on_complete, however, may call Reset.
  absl::Status Reset();

  // Two handles are equal if they share one request.
  friend bool operator==(const JobRequest& a, const JobRequest& b) {
    return a.state_ == b.state_;
  }
  friend bool operator!=(const JobRequest& a, const JobRequest& b) {
    return !(a == b);
  }

 private:
  friend struct internal::Access;

  explicit JobRequest(std::shared_ptr<internal::JobRequestState> state)
      : state_(std::move(state)) {}

  std::shared_ptr<internal::JobRequestState> state_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_REQUEST_H_
