// Client: submits jobs to Gearman job servers and learns what became of them.
//
//   absl::StatusOr<std::unique_ptr<gearman::Client>> client =
//       gearman::Client::Create(options);  // options.servers = {"localhost"}
//   absl::StatusOr<std::string> result = (*client)->Run("reverse", "hello");
//
// Pipelining is the rule: any number of requests may be outstanding on one
// connection; each event costs the same however many there are.
//
// Threads: every function may be called from any thread. The thread that waits
// drives the I/O itself, so a synchronous call costs no thread hop; other
// waiters sleep until their requests end or the lead is handed to them. With
// DriveMode::kAuto one background thread is started the first time something
// needs it, and it leads only while nobody waits:
//
//   promise            | a thread waits | nobody waits, | nobody waits,
//                      |                | kAuto         | kCallerOnly
//   -------------------+----------------+---------------+---------------------
//   a submission leaves| at once        | at once       | at once when the
//                      |                |               | connection takes it,
//                      |                |               | else in the next call
//   retries are made   | yes            | in background | in the next call
//   timeouts end       | yes            | in background | in the next call
//   results arrive     | yes            | in background | in the next call
//   callbacks run      | on the leader  | in background | refused at submit
//
// After a thread has waited the background thread leaves the lead free for a
// millisecond, for the next one that waits.
//
// Ownership: a client owns its connections and (unless given one) its poller.
// Code that the client itself calls (a callback, an interceptor, an observer, a
// plugin, a logger) should not destroy it. If it does, the log gets an error
// and the destructor returns at once. The client ends as below when that code
// has returned, on the same thread. A wait on that thread then ends with
// CANCELLED.
//
// fork: a client belongs to the process that made it. In a child its functions
// return FAILED_PRECONDITION (health is down, lists are empty), and requests in
// flight are finished with that status. The destructor leaves everything as it
// is. A child can't harm the parent: not by exit, not by return from main, and
// not by destroying the client. Create a new client after fork. exec and _exit
// are always fine: every descriptor is close-on-exec, and a child of fork
// closes them at once. A callback that forks may return in the child: the wait
// there ends with FAILED_PRECONDITION. docs/threads.md says more.
//
// The end of a client closes its connections and finishes what is in flight as
// CANCELLED, of which callbacks, interceptors' hooks and observers hear before
// the destructor returns. What any of them submits from then on is refused at
// once: it is finished as CANCELLED when the call returns, and no callback,
// interceptor or observer hears of it. So a callback that submits again
// whenever its job was lost comes to an end, and none of its jobs is in doubt.
//
// Errors: absl::Status (sdk/status.h lists codes). Nothing is thrown, nothing
// aborts. A submission whose outcome is unknown is never repeated silently.
#ifndef GEARMAN_SDK_CLIENT_H_
#define GEARMAN_SDK_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_status.h"

namespace gearman {

namespace internal {
class ClientCore;
}  // namespace internal

// An echo's answer.
struct EchoReply {
  std::string server;              // who answered
  std::string data;                // what came back
  absl::Duration round_trip_time;  // from the call to the answer
};

class Client {
 public:
  // A client of `options.servers`; connects when first needed.
  // INVALID_ARGUMENT: an address, limit or name that can't be right, or, for a
  // tls:// address, a file of TLS that can't be used (docs/tls.md); NOT_FOUND:
  // an address scheme that no linked transport has.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // --- the simple way --------------------------------------------------------
  // Submits a foreground job, waits, returns its result. ABORTED: the job
  // failed (with the text of its exception); FAILED_PRECONDITION: called in a
  // callback, nothing is submitted; INVALID_ARGUMENT, too, for a `run_at`, as a
  // delayed job has no result; else as JobRequest::status().
  absl::StatusOr<std::string> Run(absl::string_view task, std::string data,
                                  CallOptions options = {});

  // --- submitting (packets 7, 18, 21, 32, 33, 34, 36) ------------------------
  // Submits one job. Returns at once (unless WhenFull::kBlock has to wait);
  // whatever is wrong, the request tells.
  JobRequest SubmitJob(JobSpec spec);
  JobRequest SubmitJob(absl::string_view task, std::string data,
                       CallOptions options = {});
  JobRequest SubmitBackgroundJob(absl::string_view task, std::string data,
                                 CallOptions options = {});
  // Submits many, in order, in as few writes as can be.
  std::vector<JobRequest> SubmitMultipleJobs(std::vector<JobSpec> specs);
  // Submits requests that were never submitted or whose state is unknown,
  // again. Others are left alone, and one that stands here twice is submitted
  // once. FAILED_PRECONDITION names the first one that belongs to another
  // client, or that its own callback can't submit (sdk/job_request.h); the
  // others are submitted all the same. CANCELLED: the client is
  // being destroyed, and none is submitted.
  absl::Status SubmitMultipleRequests(absl::Span<const JobRequest> requests);

  // --- waiting ---------------------------------------------------------------
  // Wait until every request has been accepted (or is finished), or completed
  // (or is finished), with one overall timeout. Drives the I/O. What is late
  // gets timed_out and goes on: wait again, or Cancel it.
  // OK: every request got there. DEADLINE_EXCEEDED: some are late, with their
  // number and the servers waited for. Else the status of the first request
  // that ended otherwise. FAILED_PRECONDITION: called in a callback.
  absl::Status WaitUntilJobsAccepted(
      absl::Span<const JobRequest> requests,
      absl::Duration timeout = absl::InfiniteDuration());
  absl::Status WaitUntilJobsCompleted(
      absl::Span<const JobRequest> requests,
      absl::Duration timeout = absl::InfiniteDuration());
  absl::Status Wait(const JobRequest& request,
                    absl::Duration timeout = absl::InfiniteDuration());

  // --- asking (packets 15, 16, 41) -------------------------------------------
  // The status of a request's job, asked from its server by handle, or by
  // unique while there is no handle. The request's job_status() is updated.
  // A removed server is asked as long as its connection lives.
  // UNAVAILABLE: the server can't be asked; DEADLINE_EXCEEDED: no answer in
  // time; INVALID_ARGUMENT: nothing to ask by, or a server that was never one
  // of this client's; FAILED_PRECONDITION: the server was removed, and the
  // connection to it has ended.
  absl::StatusOr<JobStatus> GetJobStatus(
      const JobRequest& request, absl::Duration timeout = absl::Seconds(10));
  // As above, for a job that another process submitted. If `id` names no
  // server, every server is asked, and a server that knows the job answers. If
  // no server knows the job and some did not answer, the job may be at one of
  // those: the error names them and has the code of the first of them.
  absl::StatusOr<JobStatus> GetJobStatus(
      const JobId& id, absl::Duration timeout = absl::Seconds(10));
  // The same for many at once; answers in the order of the requests.
  std::vector<absl::StatusOr<JobStatus>> GetJobStatuses(
      absl::Span<const JobRequest> requests,
      absl::Duration timeout = absl::Seconds(10));
  std::vector<absl::StatusOr<JobStatus>> GetJobStatuses(
      absl::Span<const JobId> ids, absl::Duration timeout = absl::Seconds(10));
  // Sends `data` to `server` (empty: one that the selection chooses) and back.
  absl::StatusOr<EchoReply> Echo(absl::string_view data = "ping",
                                 absl::string_view server = "",
                                 absl::Duration timeout = absl::Seconds(10));

  // --- servers ---------------------------------------------------------------
  // Waits until at least one server answers an echo; those that fail are asked
  // again after their delays. OK: one answered; health() tells of the others
  // what is known. DEADLINE_EXCEEDED: none did, with what each of them said;
  // UNAUTHENTICATED: and TLS trusts none.
  absl::Status WaitForReady(absl::Duration timeout);
  // What is known of the servers, without asking: a failing one is one whose
  // last connection or request failed.
  Health health() const;
  // Asks each server by an echo, all at once, and waits for the answers until
  // the timeout. A server that does not answer by then counts as failing.
  Health CheckHealth(absl::Duration timeout = absl::Seconds(10));
  // Adds a server, or removes one while others are left: it gets nothing new,
  // what it has goes on, and its connection is closed when no request waits for
  // that any more.
  // INVALID_ARGUMENT, NOT_FOUND as Create; ALREADY_EXISTS: it is there;
  // NOT_FOUND: it is none of them; FAILED_PRECONDITION: it is the last one;
  // RESOURCE_EXHAUSTED: there are too many (docs/limits.md).
  absl::Status AddServer(absl::string_view address);
  absl::Status RemoveServer(absl::string_view address);
  // Their addresses in canonical form, in the order in which they came.
  std::vector<std::string> servers() const;

  // --- driving by hand -------------------------------------------------------
  // One pass of the I/O: does what is ready, waits for more until `deadline` at
  // most (a past one: no waiting), runs callbacks. For programs with a loop of
  // their own and for the simulation. Returns when it wants to be called again
  // though nothing happens: its next timer.
  absl::Time RunOnce(absl::Time deadline);

  // What has been counted so far (docs/metrics.md). Empty without sinks.
  MetricsSnapshot metrics() const;

 private:
  explicit Client(std::shared_ptr<internal::ClientCore> core);

  absl::Status Wait(absl::Span<const JobRequest> requests, bool for_accepted,
                    absl::Duration timeout);

  // Only the destructor gives it away.
  std::shared_ptr<internal::ClientCore> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_H_
