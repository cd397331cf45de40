// WorkerJobs has the jobs that a worker holds, from assignment to answer: the
// queue, the handler threads (or none), time limits and late results. It also
// decides how many more jobs are wanted.
//
// It belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_JOBS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_JOBS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/internal/job/error_answer.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/task_gate.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/deadline_queue.h"
#include "gearman/sdk/internal/worker/handler_pool.h"
#include "gearman/sdk/internal/worker/held_job_pool.h"
#include "gearman/sdk/internal/worker/prefetch.h"
#include "gearman/sdk/internal/worker/worker_counters.h"
#include "gearman/sdk/internal/worker/worker_servers.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

class WorkerJobs {
 public:
  struct Options {
    int concurrency = 1;
    PrefetchOptions prefetch;
    int max_pending_jobs = 1000;
    // The most bytes of the payloads of jobs held and of packets being read; 0:
    // no limit.
    size_t max_memory = 0;
    // The most bytes of data kept for servers without WORK_DATA, for all jobs
    // together.
    size_t max_output_bytes = 64u << 20;
    bool exceptions = true;
    bool reports = false;  // TakeReports is called
    Metrics* metrics = nullptr;
    // Counts the payloads of jobs held. It must outlive this object. If it is
    // null, nothing is counted.
    ByteAccount* account = nullptr;
    // If `interceptors` is null, nobody observes or intercepts.
    TraceObserver* trace_observer = nullptr;
    const std::vector<WorkerInterceptor>* interceptors = nullptr;
    Logger logger;
  };
  // The end of one job, for the after_job hook.
  struct Report {
    HeldJobPtr job;
    JobOutcome outcome;
    absl::Status status;
    absl::Duration duration;
  };

  // All pointers must outlive this object. `host` is this worker, for handlers
  // on the I/O thread.
  WorkerJobs(Options options, WorkerServers* servers,
             std::shared_ptr<Mailbox> mailbox, Clock* clock, HandlerHost* host,
             WorkerCounters* counters);
  ~WorkerJobs();

  // Takes over a job that has come. If `too_large` is not null, the payload
  // exceeds this worker's limit and is not in `assigned`. The job then fails
  // with a text that says so, and its handler is not called.
  void OnAssigned(WorkerLink& link, const std::shared_ptr<Task>& task,
                  wire::JobAssign& assigned,
                  const wire::TooLargePacket* too_large, absl::Time now);
  // Gives the jobs of one read to the handler threads.
  void HandOut();
  // Looks at a gate that may admit more than before: LetBegin lets its jobs
  // begin. Each gate whose job ends is looked at anyway.
  void Stir(const std::shared_ptr<TaskGate>& gate);
  // True if jobs of the link are held, and all of them wait until their paused
  // tasks are resumed.
  static bool HoldsBackAll(WorkerLink& link);
  // True if any job is held back.
  bool holds_back() const { return held_back_ > 0; }
  // Lets the jobs begin that were held back and may begin now.
  void LetBegin(absl::Time now) {
    if (!stirred_.empty()) LetStirredBegin(now);
  }
  // Takes over the limits of a task that was registered.
  void SetLimits(const Task& task, absl::Time now);

  // --- handlers on the I/O thread (concurrency 1) ---
  // True if a job waits to run here.
  bool HasNext() const { return !queue_.empty(); }
  // True if the next job is expected to take so long that no answer may wait
  // for it.
  bool NextIsSlow() const;
  // Runs the next job, which begins at `*now`, and appends its answer. Returns
  // its link, or null if the job has ended before the handler has, or if it was
  // held back because its task is paused. Sets `*now`
  // to the time at which the handler returned: for tiny jobs, reading the clock
  // again would cost much.
  WorkerLink* RunNext(absl::Time* now);
  // The expected cost of the jobs that wait to run here, in nanoseconds.
  int64_t waiting_ns() const { return waiting_ns_; }

  // Handles the messages that other threads have posted: answers and updates.
  void TakeMail(absl::Time now);
  // Handles the jobs that have exceeded their time limit.
  void OnTime(absl::Time now);
  absl::Time next_deadline() const {
    return stirred_.empty() ? std::min(timers_.next(), tokens_.next())
                            : absl::InfinitePast();
  }
  // Appends an update. INVALID_ARGUMENT: it is too large. CANCELLED: the job
  // has ended.
  absl::Status AppendUpdate(Message message);
  // Ends the jobs of a link that has been closed. `given_back`: the worker
  // closed it.
  void OnLost(WorkerLink& link, StopReason reason, bool given_back,
              absl::Time now);

  // The number of grabs that may be sent now. `alone`: they would be a write of
  // their own.
  int Room(bool alone) const;
  // Call it before Room. After a pause the next jobs may be different ones.
  void NotePause(absl::Time now);
  // True if handlers are known to be quick, and one more job leaves room for
  // the grab that follows it.
  bool quick() const {
    return prefetch_.quick() && may_pend_ + 1 < options_.max_pending_jobs;
  }
  // True if answers wait to be written. They may wait until unsent_due() while
  // handlers run one after another on this thread.
  bool has_unsent() const { return unsent_due_ != absl::InfiniteFuture(); }
  absl::Time unsent_due() const { return unsent_due_; }
  void OnFlushed() { unsent_due_ = absl::InfiniteFuture(); }
  // Puts the current numbers into the stats and metrics.
  void Publish();
  std::vector<Report> TakeReports() { return std::exchange(reports_, {}); }
  bool has_reports() const { return !reports_.empty(); }
  // Ends the spans of the jobs that have ended.
  void EndSpans();
  // Call it before the first job. RESOURCE_EXHAUSTED: the system refuses the
  // first handler thread, so no job can run.
  absl::Status StartHandlers();
  // Waits for the handlers that run on other threads.
  void StopHandlers();
  // Makes handler threads begin no more jobs. Each ends when its handler has
  // returned. Any thread.
  void LeaveHandlers();

 private:
  // The most time that an answer waits while handlers run one after another.
  static constexpr absl::Duration kAnswerAge = absl::Milliseconds(1);

  Prefetch::Load load() const;
  // Calls the handler on this thread.
  absl::StatusOr<std::string> Call(const HeldJobPtr& job, bool* forgotten);
  // Handles the return of the handler, and uses up `*result`.
  void Returned(const HeldJobPtr& job, absl::StatusOr<std::string>* result,
                bool forgotten, int64_t busy_ns, absl::Time now);
  // Sends the answer, whichever way it came, and uses up `*result`.
  void Answer(const HeldJobPtr& job, absl::StatusOr<std::string>* result,
              bool forgotten, absl::Time now);
  void SendError(const HeldJobPtr& job, const absl::Status& status,
                 JobOutcome* outcome);
  void LogFailure(const HeldJob& job, const ErrorText& error) const;
  // Ends a job without an answer. The server queues it again when the
  // connection has been closed.
  void LetGo(const HeldJobPtr& job, absl::Time now);
  // Keeps a job's data for its result. RESOURCE_EXHAUSTED: there is no room;
  // the job will fail with this status.
  absl::Status KeepData(HeldJob* job, std::string bytes);
  // Puts the kept data in front of the result.
  void AddKept(HeldJob* job, absl::StatusOr<std::string>* result);
  void DropKept(HeldJob* job);
  void ShareBytes() { held_share_.Set(held_bytes_ + kept_bytes_); }
  // Puts a job that may begin into the queue, or among those for the pool.
  void Enqueue(HeldJobPtr job, absl::Time now);
  // Holds a job back that has just come, or that was admitted and whose handler
  // was not called because its task is paused.
  void HoldBack(HeldJob* job);
  void TakeHeldBack(HeldJob* job);
  void LetStirredBegin(absl::Time now);
  // Sets a timer for the next token, if the task has none.
  void AwaitToken(const std::shared_ptr<TaskGate>& gate);
  void StopAwaitingToken(TaskGate* gate);
  // Handles the tokens that have come.
  void OnTokens(absl::Time now);
  // Call it when a job has ended or its handler has: once both have, its task's
  // gate does not count it any more.
  void LeaveGate(HeldJob* job);
  // Counts in may_pend_ a job that is admitted, and one that is not any more.
  void CountMayPend(HeldJob* job, bool may_pend);
  // Call it when the pool, or the handler on this thread, is done with the job.
  void StopWorking(HeldJob* job);
  void Begin(const HeldJobPtr& job, absl::Time now);
  void SetTimer(HeldJob* job);
  // Ends a job that was answered or lost. Nothing is sent for it any more.
  void End(const HeldJobPtr& job, JobOutcome outcome, absl::Status status,
           absl::Time now);
  // Notes that an answer or update waits to be written.
  void NoteUnsent(absl::Time now) {
    if (!has_unsent()) unsent_due_ = now + kAnswerAge;
  }
  // Gives the record of a job to the pool of records. The caller must hold the
  // last reference for the record to be kept. `link` (null: none) uses its
  // memory again.
  void GiveBack(HeldJobPtr job, WorkerLink* link);
  // Unqueue removes a job from the queue, LeavePool from the count of those in
  // the pool.
  void Unqueue(HeldJob* job);
  void LeavePool(HeldJob* job);

  const Options options_;
  WorkerServers* const servers_;
  const std::shared_ptr<Mailbox> mailbox_;
  Clock* const clock_;
  HandlerHost* const host_;
  WorkerCounters* const counters_;
  Prefetch prefetch_;
  std::unique_ptr<HandlerPool> pool_;  // null: concurrency 1
  HeldJobPool records_;

  // Jobs to run on this thread, and jobs to give to the pool.
  JobQueue queue_;
  std::vector<HeldJobPtr> to_pool_;
  int waiting_ = 0;         // jobs in the queue
  int64_t waiting_ns_ = 0;  // their expected cost
  int in_pool_ = 0;         // jobs given to the pool and not back
  int64_t in_pool_ns_ = 0;  // their expected cost
  bool handler_here_ = false;
  int pending_ = 0;
  // Jobs of asynchronous handlers that have not ended: pending ones, and those
  // that will be. Jobs that are held back do not count.
  int may_pend_ = 0;
  // A task with an asynchronous handler was registered.
  bool has_asynchronous_ = false;
  int held_back_ = 0;  // jobs that gates hold back
  // Runs with one seed must not depend on addresses.
  struct TimerSetBefore {
    bool operator()(const TaskGate* a, const TaskGate* b) const {
      return a->timer_number < b->timer_number;
    }
  };
  DeadlineQueue<TaskGate, TimerSetBefore> tokens_;
  uint64_t last_timer_ = 0;
  std::vector<std::shared_ptr<TaskGate>> stirred_;
  std::vector<std::shared_ptr<TaskGate>> looked_at_;  // memory for stirred_
  size_t held_bytes_ = 0;
  size_t kept_bytes_ = 0;  // KeptData of all jobs
  ByteShare held_share_;   // the part of both in the worker's account
  DeadlineQueue<HeldJob> timers_;
  absl::Time unsent_due_ = absl::InfiniteFuture();     // none is unsent
  absl::Time last_returned_ = absl::InfiniteFuture();  // a handler
  std::vector<Report> reports_;
  std::vector<HeldJobPtr> ended_spans_;
  std::vector<Message> mail_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_JOBS_H_
