// JobRetryCore: what is behind JobRetry. The handlers that were registered
// share it.
//
// Do runs a handler, on the worker's thread. A failed job becomes a Submission,
// which belongs to the client from then on. Settle ends it, on the thread that
// does the client's I/O: with the job's answer, or by giving the job back.
#ifndef GEARMAN_SDK_JOB_RETRY_RETRY_CORE_H_
#define GEARMAN_SDK_JOB_RETRY_RETRY_CORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client/told_call.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/job_retry/submission_book.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace internal {

// A registered task.
struct RetriedTask {
  JobRetry::Handler handler;
  JobRetryPolicy policy;
};

// Whether the server gives the job to another worker, so that nothing that
// happens here counts any more.
bool IsLost(StopReason reason);
// Whether it gives this job to another worker, whose handler has not answered
// it here. `token` is the stop token of the job.
bool IsLost(const HeldJob& job, const StopToken& token);
// Returns the error's text, for the log.
std::string SafeTextOf(const absl::Status& error);

class JobRetryCore : public std::enable_shared_from_this<JobRetryCore> {
 public:
  static absl::StatusOr<std::shared_ptr<JobRetryCore>> Create(
      JobRetryOptions options);
  // Nobody waits for a submission any more: each keeps its job, which keeps its
  // handler, which keeps this object.
  ~JobRetryCore() { gate_->Close(); }

  bool inherited() const { return process_.inherited(); }

  // Runs the handler of a job, and does what follows from its end.
  void Do(const std::shared_ptr<RetriedTask>& task, PendingJob job);
  absl::Time RunOnce(absl::Time deadline) { return client_->RunOnce(deadline); }
  JobRetryStats stats() const;
  // Lets the client have this server. Returns the errors of Client::AddServer.
  absl::Status KnowServer(const std::string& server);

 private:
  explicit JobRetryCore(const JobRetryOptions& options);
  absl::StatusOr<std::string> Call(RetriedTask* task, JobContext* context,
                                   const JobAttempt& attempt) const;
  bool Repeats(const RetriedTask& task, const absl::Status& error) const;
  absl::Duration DelayAfter(const RetriedTask& task, const JobContext& context,
                            const JobAttempt& attempt,
                            const absl::Status& error);
  void SubmitAgain(const std::shared_ptr<RetriedTask>& task, PendingJob job,
                   int attempt, absl::Status error, absl::Duration delay);
  // Ends a job whose attempts are over: as a dead letter, or as failed.
  void GiveUp(const std::shared_ptr<RetriedTask>& task, PendingJob job,
              int attempt, absl::Status error);
  void Submit(const SubmissionPtr& submission, std::string bytes,
              std::optional<absl::Time> run_at);
  // The submission has ended.
  void Settle(const SubmissionPtr& submission, const absl::Status& status);
  void OnAccepted(const Submission& submission, PendingJob job);
  void OnRefusedForGood(const Submission& submission, PendingJob job,
                        const absl::Status& status);

  // Returns what the unique of a submission is made of.
  std::string BaseOf(const std::string& unique);
  std::string RandomUnique();
  // Returns "job H:1 of task "resize" at tcp://jobs:4730: attempt 1 of 3
  // failed: TEXT".
  static std::string Story(const Submission& submission, const Job& job);
  static void Count(std::atomic<uint64_t>* counter) {
    counter->fetch_add(1, std::memory_order_relaxed);
  }

  const ProcessMark process_;
  Clock* const clock_;
  const Logger logger_;
  const absl::Duration submit_limit_;
  const std::shared_ptr<SubmissionBook> book_ =
      std::make_shared<SubmissionBook>();
  const std::shared_ptr<RetryPolicy> submit_policy_;
  ExponentialBackoffPolicy default_backoff_;
  std::atomic<uint64_t> submitted_again_{0};
  std::atomic<uint64_t> run_again_{0};
  std::atomic<uint64_t> dead_letters_{0};
  std::atomic<uint64_t> given_up_{0};
  std::atomic<uint64_t> given_back_{0};
  absl::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  // The servers that the client surely has.
  absl::flat_hash_set<std::string> servers_ ABSL_GUARDED_BY(mutex_);
  // The client's hooks pass it. A client may end later than this object: if its
  // own thread destroys both.
  const std::shared_ptr<CallGate> gate_ = std::make_shared<CallGate>();
  std::unique_ptr<Client> client_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_RETRY_RETRY_CORE_H_
