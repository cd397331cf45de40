// JobRetry: runs the handler of a failed job again, on the worker's side.
//
//   gearman::JobRetryOptions options;
//   options.client.servers = worker_options.servers;
//   auto retry = gearman::JobRetry::Create(std::move(options));
//   gearman::JobRetryPolicy policy;
//   policy.max_attempts = 5;
//   policy.dead_letter_task = "resize-failed";
//   absl::Status status =
//       (*retry)->Register(*worker, "resize", Resize, std::move(policy));
//
// When the handler fails, the job is submitted again to its server, with a
// delay (SUBMIT_JOB_EPOCH, docs/protocol.md, section "Packets"). The old job is
// answered as failed only after the server has accepted the new one. So a job
// may run twice, and none is lost. docs/guide/retry.md has each case, and the
// bytes that travel.
#ifndef GEARMAN_SDK_JOB_RETRY_H_
#define GEARMAN_SDK_JOB_RETRY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/base/duration.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {

namespace internal {
class JobRetryCore;
}  // namespace internal

// The place where a failed job waits for its next attempt.
enum class RetryPlace : unsigned char {
  // In the server's queue: the job is submitted again, as a background job. Any
  // worker of the task may do it. A client that waits for the job gets the
  // failure of this attempt, and hears nothing of later ones. (A worker can't
  // see whether a client waits.) A reduce job is run again as with kWorker,
  // because a job with a delay carries no reducer.
  kServer,
  // At this worker: the handler runs again, and the job keeps its handle. A
  // client that waits gets a WORK_WARNING for each failed attempt, and the end
  // of the last one. The delay occupies one of the worker's `concurrency`
  // handlers. If the worker is lost, the job begins again with attempt 1.
  kWorker,
};

// Whether another attempt may mend this error: false for INVALID_ARGUMENT,
// UNIMPLEMENTED and DATA_LOSS, which say that the job itself can't be done.
bool MayPass(const absl::Status& error);

// How the failed jobs of one task are tried again, as a plain value.
struct JobRetryPolicy {
  // How often one job is run, including the first time; from 1 to 1,000,000.
  int max_attempts = 3;
  // The delay before the next attempt. Null means `exponential`, from 2 seconds
  // up to 5 minutes, with half of each delay random. The registry also makes
  // such a policy:
  //   PluginRegistry::Default().backoff_policies().CreateByName("exponential")
  // It sees the reason kJobFailed or kException. With kServer a delay is
  // rounded up to whole seconds, and a delay of zero is none.
  std::shared_ptr<BackoffPolicy> backoff;
  // Whether an error of the handler is tried again. Null means MayPass. The
  // handler's thread calls it. If it throws, the error is tried again.
  Callback<bool(const absl::Status&)> repeats;
  // The task that gets the jobs whose last attempt has failed, and those whose
  // error is not tried again (ReadDeadLetter). Empty means none: such a job
  // only fails.
  std::string dead_letter_task;
  // Where a failed job waits for its next attempt.
  RetryPlace place = RetryPlace::kServer;
};

// The run of a handler, as the handler sees it.
struct JobAttempt {
  int number = 1;        // from 1
  int max_attempts = 1;  // JobRetryPolicy::max_attempts
  // The unique of the first submission. Job::unique is that of this attempt.
  std::string unique;
};

// The settings of a JobRetry.
struct JobRetryOptions {
  // The options of the client that submits jobs again. It needs the servers,
  // the transports and the task_prefix of the worker; a server that is missing
  // is added when a job of it fails. JobRetry decides for itself where, when
  // and how often it submits: Create refuses options with a server_selector,
  // retry_policy, idempotency_policy or interceptors.
  ClientOptions client;
  // How long JobRetry tries to submit a job again while the server refuses it
  // or can't be reached. After that the job is given back
  // (PendingJob::GiveBack).
  Duration submit_limit = absl::Minutes(1);
};

// How the failed attempts have ended so far.
struct JobRetryStats {
  uint64_t submitted_again = 0;  // kServer: the server has accepted it
  uint64_t run_again = 0;        // kWorker
  uint64_t dead_letters = 0;     // accepted by the server
  uint64_t given_up = 0;         // failed for good, without a dead letter
  uint64_t given_back = 0;       // could not be submitted
  uint64_t waiting = 0;          // now: not yet accepted
};

// Threads: any thread may call any function. A handler runs where
// Worker::RegisterAsync says, and nothing waits there for the network: the
// client's background thread does the rest, or RunOnce.
//
// Ownership: the workers' handlers share what is behind this object. It may be
// destroyed before the workers, and the retries go on. Jobs that no server has
// accepted when the last of them is destroyed go back to their servers.
//
// In a child made by fork the functions return FAILED_PRECONDITION.
class JobRetry {
 public:
  // Does one attempt of a job. It may be called several times for one job.
  using Handler = absl::AnyInvocable<absl::StatusOr<std::string>(
      JobContext&, const JobAttempt&)>;

  // Returns the errors of Client::Create, and INVALID_ARGUMENT for a field that
  // JobRetry needs for itself and for a submit_limit that is not above zero.
  static absl::StatusOr<std::unique_ptr<JobRetry>> Create(
      JobRetryOptions options);
  ~JobRetry();
  JobRetry(const JobRetry&) = delete;
  JobRetry& operator=(const JobRetry&) = delete;

  // Registers a task whose failed jobs are tried again. The handler sees the
  // bytes of the first submission in each attempt. A handler of
  // Worker::Register is accepted as well. Each job counts as pending from its
  // failure until the server has accepted it again
  // (WorkerLimits::max_pending_jobs). Returns the errors of
  // Worker::RegisterAsync, those of Client::AddServer for a server of the
  // worker that the client can't have, and INVALID_ARGUMENT for a policy that
  // can't be right and for a time limit without WhenLate::kWait: an answer that
  // the worker gives at the limit would end the job. With kWait the stop token
  // fires at the limit, and the handler's error counts.
  //
  // Some servers know no delayed jobs (Perl's Gearman::Server). The worker has
  // no connection yet, so JobRetry notices this only when such a server refuses
  // the first delayed job. From then on each failed job of that server fails
  // for good, with a text that says so.
  absl::Status Register(Worker& worker, StringView task, Handler handler,
                        JobRetryPolicy policy = {}, TaskOptions options = {});
  absl::Status Register(Worker& worker, StringView task,
                        Worker::Handler handler, JobRetryPolicy policy = {},
                        TaskOptions options = {});

  // Does one pass of the client's I/O (Client::RunOnce), for clients with
  // DriveMode::kCallerOnly, for programs with an event loop of their own and
  // for the simulation.
  absl::Time RunOnce(absl::Time deadline);

  // Returns how failed attempts have ended so far. Any thread may call it.
  JobRetryStats stats() const;

 private:
  explicit JobRetry(std::shared_ptr<internal::JobRetryCore> core);

  const std::shared_ptr<internal::JobRetryCore> core_;
};

// A job of a dead-letter task.
struct DeadLetter {
  std::string task;    // the task that could not do it
  std::string unique;  // of the first submission
  int attempts = 0;    // how often it was run
  // The last error: "NOT_FOUND: no image 17", at most 1,024 bytes.
  std::string error;
  // The bytes of the first submission: a view of the argument of
  // ReadDeadLetter.
  StringView data;
};

// Reads the data of a job of a dead-letter task. Returns DATA_LOSS if they are
// not a dead letter. Any thread may call it.
absl::StatusOr<DeadLetter> ReadDeadLetter(StringView data);

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_RETRY_H_
