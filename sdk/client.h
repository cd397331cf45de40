// Client: submits jobs to Gearman job servers and reports how they ended.
//
//   absl::StatusOr<std::unique_ptr<gearman::Client>> client =
//       gearman::Client::Create(options);  // options.servers = {"localhost"}
//   absl::StatusOr<std::string> result = (*client)->Run("reverse", "hello");
//
// Any number of requests may be outstanding on one connection. Each event costs
// the same, however many requests there are. Every function may be called from
// any thread. Errors are absl::Status (sdk/status.h lists the codes): nothing
// is thrown, and nothing aborts. A submission whose outcome is unknown is never
// repeated silently.
#ifndef GEARMAN_SDK_CLIENT_H_
#define GEARMAN_SDK_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/base/duration.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_status.h"
#include "gearman/sdk/status.h"

namespace gearman {

namespace internal {
class ClientCore;
}  // namespace internal

// The answer to an echo (Client::Echo).
struct EchoReply {
  std::string server;              // the server that answered
  std::string data;                // the data that came back
  absl::Duration round_trip_time;  // from the call to the answer
};

// Threads: the thread that waits does the network I/O itself, so a synchronous
// call needs no other thread. With DriveMode::kAuto a background thread does
// the I/O while no thread waits. docs/threads.md says when each promise is
// kept.
//
// Ownership: a client owns its connections. It also owns its poller, unless
// ClientOptions::poller provides one.
//
// Fork: a client belongs to the process that made it. In a child its functions
// return FAILED_PRECONDITION, and its lists are empty. Create a new client
// there. docs/threads.md says more.
class Client {
 public:
  // Makes a client of `options.servers`. The client connects when it first
  // needs a connection. Returns INVALID_ARGUMENT for an address, limit or name
  // that can't be right and, with a tls:// address, for a TLS file that can't
  // be used (docs/guide/tls.md). Returns NOT_FOUND for an address scheme that
  // no linked transport has.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  // Closes the connections and finishes every request in flight as CANCELLED.
  // Callbacks, hooks of interceptors and observers hear of these ends before
  // the destructor returns. A request that one of them submits during the
  // destructor is refused at once: it is finished as CANCELLED when the call
  // returns, and no callback, interceptor or observer hears of it. So a
  // callback that resubmits each lost job can't keep the destructor from
  // returning.
  //
  // Code that the client calls (a callback, an interceptor, an observer, a
  // plugin, a logger) should not destroy the client. If it does, the log gets
  // an error and the destructor returns at once. The client then ends on the
  // same thread when that code has returned, and a wait on that thread ends
  // with CANCELLED.
  ~Client();

  // --- the simple way --------------------------------------------------------
  // Submits a foreground job (SUBMIT_JOB and its variants, docs/protocol.md,
  // section "Client semantics"), waits for it and returns its result. Returns
  // ABORTED if the job failed; the message has the text of its exception, and
  // GetStatusFacts (sdk/status.h) tells an exception from a plain failure.
  // Submits nothing and returns FAILED_PRECONDITION if a callback makes the
  // call. Returns INVALID_ARGUMENT if `options.run_at` is set, because a
  // delayed job has no result. Every other error is that of
  // JobRequest::status().
  absl::StatusOr<std::string> Run(StringView task, std::string data,
                                  CallOptions options = {});
  // Submits a request of the caller, waits for it and returns its result, as
  // above. Afterwards the request has the server, the handle and the attempts;
  // its result was moved out. Returns FAILED_PRECONDITION if the request was
  // submitted before, and INVALID_ARGUMENT if it is for a background job.
  absl::StatusOr<std::string> Run(const JobRequest& request);

  // --- submitting (packets 7, 18, 21, 32, 33, 34, 36) ------------------------
  // Submit one job: in the foreground or, with JobSpec::background and by
  // SubmitBackgroundJob, in the background. They return at once, unless they
  // wait for room (WhenFull::kBlock). Every error is in the request's status().
  JobRequest SubmitJob(JobSpec spec);
  JobRequest SubmitJob(StringView task, std::string data,
                       CallOptions options = {});
  JobRequest SubmitBackgroundJob(StringView task, std::string data,
                                 CallOptions options = {});
  // Submits many jobs, in order, in as few writes as possible. The requests are
  // in the order of the jobs. Every error is in the status() of its request.
  std::vector<JobRequest> SubmitMultipleJobs(std::vector<JobSpec> specs);
  // Submits each request that was never submitted or whose state is unknown.
  // Leaves other requests alone. Submits a request once even if the list names
  // it twice. Returns FAILED_PRECONDITION with the name of the first request
  // that belongs to another client, or that its own callback can't submit
  // (sdk/job_request.h); submits the other requests all the same. Returns
  // CANCELLED and submits nothing while the client is being destroyed.
  absl::Status SubmitMultipleRequests(absl::Span<const JobRequest> requests);

  // --- waiting ---------------------------------------------------------------
  // These functions do the I/O and wait until every request is accepted
  // (WaitUntilJobsAccepted) or complete, or is finished. `timeout` is the limit
  // for all of them together. A request that is late gets timed_out() and goes
  // on: the caller may wait for it again or cancel it.
  //
  // OK means that every request was accepted or completed. DEADLINE_EXCEEDED
  // means that some requests are late: the message has their number and names
  // their servers. Otherwise the result is the status of the first request that
  // ended in another way. In a callback the result is FAILED_PRECONDITION.
  absl::Status WaitUntilJobsAccepted(
      absl::Span<const JobRequest> requests,
      Duration timeout = absl::InfiniteDuration());
  absl::Status WaitUntilJobsCompleted(
      absl::Span<const JobRequest> requests,
      Duration timeout = absl::InfiniteDuration());
  absl::Status Wait(const JobRequest& request,
                    Duration timeout = absl::InfiniteDuration());
  // Wait until each request is finished, and return its result or the error
  // that says why there is none. The errors are those of JobRequest::status(),
  // and:
  //   DEADLINE_EXCEEDED    not finished within `timeout`; the request goes on
  //                        and has timed_out()
  //   INVALID_ARGUMENT     a background request, which has no result
  //   FAILED_PRECONDITION  never submitted, submitted to another client, taken
  //                        before, or in a callback
  // The result is moved out, not copied: JobRequest::result() is empty text
  // afterwards. Call Wait and result_view() to leave the result in place.
  //
  // Results has one timeout for all requests, and returns the results in their
  // order. It waits for the other requests even if one has failed.
  absl::StatusOr<std::string> Result(
      const JobRequest& request, Duration timeout = absl::InfiniteDuration());
  std::vector<absl::StatusOr<std::string>> Results(
      absl::Span<const JobRequest> requests,
      Duration timeout = absl::InfiniteDuration());

  // --- asking (packets 15, 16, 41) -------------------------------------------
  // Asks the request's server for the status of its job: by handle (GET_STATUS)
  // or, while there is no handle, by unique (GET_STATUS_UNIQUE). Updates the
  // request's job_status(). A removed server is asked as long as its connection
  // lives. Returns UNAVAILABLE if the server can't be asked, DEADLINE_EXCEEDED
  // if no answer came in time, INVALID_ARGUMENT if the request has neither
  // handle nor unique or names a server that this client never had, and
  // FAILED_PRECONDITION if the server was removed and the connection to it has
  // ended.
  absl::StatusOr<JobStatus> GetJobStatus(const JobRequest& request,
                                         Duration timeout = absl::Seconds(10));
  // Asks for a job that another process submitted. The errors are those above.
  // If `id` names no server, every server is asked, and the answer is that of a
  // server that knows the job. If no server knows the job and some servers did
  // not answer, one of those may have it: the error names them and has the code
  // of the first of them.
  absl::StatusOr<JobStatus> GetJobStatus(const JobId& id,
                                         Duration timeout = absl::Seconds(10));
  // Ask for many jobs at once. The answers are in the order of the arguments.
  std::vector<absl::StatusOr<JobStatus>> GetJobStatuses(
      absl::Span<const JobRequest> requests,
      Duration timeout = absl::Seconds(10));
  std::vector<absl::StatusOr<JobStatus>> GetJobStatuses(
      absl::Span<const JobId> ids, Duration timeout = absl::Seconds(10));
  // Sends `data` to `server` (ECHO_REQ) and waits until it has come back. If
  // `server` is empty, the server selection chooses one. Returns UNAVAILABLE if
  // the server can't be asked, DEADLINE_EXCEEDED if no answer came in time, and
  // for a server that is none of the client's the errors of GetJobStatus.
  absl::StatusOr<EchoReply> Echo(StringView data = "ping",
                                 StringView server = "",
                                 Duration timeout = absl::Seconds(10));

  // --- servers ---------------------------------------------------------------
  // Waits until at least one server answers an echo. A server that fails is
  // asked again after its delay. OK means that one server answered; health()
  // has the news of the others. DEADLINE_EXCEEDED means that none answered: the
  // message has the error of each. UNAUTHENTICATED means that none answered
  // because TLS refused each of them.
  absl::Status WaitForReady(Duration timeout);
  // Returns the last known state of each server, without asking. A server is
  // failing if the last connection to it, or the last request to it, failed.
  Health health() const;
  // Asks every server with an echo, all at once, and waits for the answers
  // until the timeout. A server that has not answered by then counts as
  // failing.
  Health CheckHealth(Duration timeout = absl::Seconds(10));
  // AddServer adds a server. RemoveServer removes a server, but not the last
  // one: the server gets no new requests, its requests in flight go on, and the
  // client closes the connection when no request waits for an answer on it.
  // Errors: those of Create; ALREADY_EXISTS if the server to add is there;
  // NOT_FOUND if the server to remove is not; FAILED_PRECONDITION if it is the
  // last server; RESOURCE_EXHAUSTED if there are too many servers
  // (docs/limits.md).
  absl::Status AddServer(StringView address);
  absl::Status RemoveServer(StringView address);
  // Returns the canonical addresses of the servers, in the order in which they
  // were added.
  std::vector<std::string> servers() const;

  // --- driving by hand -------------------------------------------------------
  // Does one pass of the I/O, for programs with an event loop of their own
  // (DriveMode::kEventLoop, docs/guide/call_styles.md) and for the simulation.
  // It handles what is ready, waits for more until `deadline` at the latest,
  // and runs callbacks. It does not wait if `deadline` is past. Returns the
  // time of the next timer: call RunOnce again by then.
  //
  // In a callback, and while another thread does the I/O, it does nothing and
  // returns InfiniteFuture. That other thread wakes the event loop when it is
  // done.
  absl::Time RunOnce(absl::Time deadline);

  // Returns the metrics counted so far (docs/guide/metrics.md). It is empty if
  // ClientOptions::metrics_sinks is empty.
  MetricsSnapshot metrics() const;

 private:
  explicit Client(std::shared_ptr<internal::ClientCore> core);

  // Only the destructor moves the core out.
  std::shared_ptr<internal::ClientCore> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_H_
