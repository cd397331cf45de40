// std::future over the client: a job is submitted, and its result is a future.
//
//   std::future<absl::StatusOr<std::string>> result =
//       gearman::Async(*client, {"reverse", "hello"});
//   ...
//   absl::StatusOr<std::string> text = result.get();
//
// A future is set exactly once, however the job ends. It never holds an
// exception, and it is never broken:
//
//   the job ended           its result, or the error of JobRequest::status()
//   a background job        the empty text, when a server has accepted it
//   refused at submission   the error, before the function returns
//   the client is destroyed CANCELLED, before the destructor returns
//
// Threads: these functions start no thread. The thread that does the client's
// I/O sets the future, or the thread that submits if the job is refused at
// once. A thread that waits for a future does no I/O. Therefore a client with
// DriveMode::kCallerOnly refuses the job with FAILED_PRECONDITION. Code that
// the client calls (a callback, a hook) must not wait for a future of this
// client: it would wait for itself.
//
// Ownership: the future owns nothing of the client, and either may be destroyed
// first. If the future is destroyed, the job goes on, and its result is
// dropped. A request can't be cancelled through its future: give the job a
// timeout (CallOptions::timeout), or submit a JobRequest.
//
// Fork: in a child, a future of the parent is never set.
#ifndef GEARMAN_SDK_FUTURES_H_
#define GEARMAN_SDK_FUTURES_H_

#include <future>  // NOLINT: this header is about it
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_request.h"

namespace gearman {

// Submits one job, in the packets of Client::SubmitJob. The callbacks of `spec`
// are also called: on_complete comes before the future is set, unless the job
// is refused at once. May wait for room, as Client::SubmitJob does. Any thread
// may call it.
std::future<absl::StatusOr<std::string>> Async(Client& client, JobSpec spec);

// Submits many jobs, in order, in as few writes as possible. The futures are in
// the order of the jobs.
std::vector<std::future<absl::StatusOr<std::string>>> AsyncAll(
    Client& client, std::vector<JobSpec> specs);

}  // namespace gearman

#endif  // GEARMAN_SDK_FUTURES_H_
