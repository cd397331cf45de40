// WorkerJobs: the jobs that a worker holds, from assignment to answer: the
// queue, the handlers' threads (or none), time limits, late results, and what
// of it decides how many more jobs are wanted.
//
// Belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_JOBS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/worker/handler_pool.h"
#include "gearman/sdk/internal/worker/held_job.h"
#include "gearman/sdk/internal/worker/held_job_pool.h"
#include "gearman/sdk/internal/worker/mailbox.h"
#include "gearman/sdk/internal/worker/prefetch.h"
#include "gearman/sdk/internal/worker/worker_servers.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/sdk/worker_stats.h"

namespace gearman {
namespace internal {

class WorkerJobs {
 public:
  struct Options {
    int concurrency = 1;
    PrefetchOptions prefetch;
    int max_pending_jobs = 1000;
    // Bytes of the payloads of jobs held, with packets being read; 0: no limit.
    size_t max_memory = 0;
    // Bytes of data kept for servers that know no WORK_DATA, all jobs together.
    size_t max_output_bytes = 64u << 20;
    bool exceptions = true;
    bool reports = false;  // TakeReports is called
    Metrics* metrics = nullptr;
    // Counts the payloads of jobs held. It must outlive this; null: nothing
    // counts.
    ByteAccount* account = nullptr;
    // Interceptors null: nobody observes or intercepts.
    TraceObserver* trace_observer = nullptr;
    const std::vector<WorkerInterceptor>* interceptors = nullptr;
    Logger logger;
  };
  // The end of one job, for the hook.
  struct Report {
    HeldJobPtr job;
    JobOutcome outcome;
    absl::Status status;
    absl::Duration duration;
  };

  // All pointers outlive this. `host` is this worker, for handlers on the I/O
  // thread.
  WorkerJobs(Options options, WorkerServers* servers,
             std::shared_ptr<Mailbox> mailbox, Clock* clock, HandlerHost* host,
             WorkerStats* stats);

  // A job has come. If `too_large` is not null, its payload exceeds this
  // worker's limit and is not in `assigned`. Then the job is failed with a text
  // that says so, and its handler is not called.
  void OnAssigned(int link, const std::shared_ptr<Task>& task,
                  wire::JobAssign& assigned,
                  const wire::TooLargePacket* too_large, absl::Time now);
  // All jobs of one read have come: handler threads may begin them.
  void HandOut();

  // --- handlers on the I/O thread (concurrency 1) ---
  // Jobs wait to be run here. Drops those that were lost meanwhile.
  bool HasNext();
  // The next one is expected to take so long that no answer may wait for it.
  bool NextIsSlow() const;
  // Runs the next one, which begins at `*now`, and appends its answer; returns
  // its connection. `*now` becomes the time at which its handler returned: of
  // tiny jobs reading the clock is a good part.
  int RunNext(absl::Time* now);
  // What the jobs cost that wait to be run here. Nanoseconds.
  int64_t waiting_ns() const { return waiting_ns_; }

  // What others have posted: answers, updates.
  void TakeMail(absl::Time now);
  // Answers what is over its time limit.
  void OnTime(absl::Time now);
  absl::Time next_deadline() const;
  // Appends an update. INVALID_ARGUMENT: too large; CANCELLED: of no use.
  absl::Status AppendUpdate(Message message);
  // These jobs' connection has been closed. `given_back`: by this worker.
  void OnLost(std::vector<HeldJobPtr> jobs, StopReason reason, bool given_back,
              absl::Time now);

  // How many grabs may be sent now. `alone`: nothing else would be written with
  // them.
  int Room(bool alone) const;
  // Call before Room when there has been nothing to do: jobs to come may be
  // other ones.
  void NotePause(absl::Time now);
  // Handlers are known to be quick, and one more job leaves room for the grab
  // that follows it.
  bool quick() const {
    return prefetch_.quick() && pending_ + 1 < options_.max_pending_jobs;
  }
  // Answers wait to be written, until then at most while handlers follow one
  // another on this thread.
  bool has_unsent() const { return unsent_due_ != absl::InfiniteFuture(); }
  absl::Time unsent_due() const { return unsent_due_; }
  void OnFlushed() { unsent_due_ = absl::InfiniteFuture(); }
  // Puts the current numbers into the stats and metrics.
  void Publish();
  std::vector<Report> TakeReports() { return std::exchange(reports_, {}); }
  bool has_reports() const { return !reports_.empty(); }
  // Tells the observer of what has ended.
  void EndSpans();
  // Before any job comes. RESOURCE_EXHAUSTED: they can't be run, as the system
  // gives them no thread.
  absl::Status StartHandlers();
  // Waits for the handlers that run on other threads.
  void StopHandlers();
  // Handler threads begin no more jobs, and each ends when its handler has
  // returned. Any thread.
  void LeaveHandlers();

 private:
  // How old an answer may become while handlers follow one another.
  static constexpr absl::Duration kAnswerAge = absl::Milliseconds(1);

  Prefetch::Load load() const;
  // The handler has returned.
  void Returned(const HeldJobPtr& job, absl::StatusOr<std::string> result,
                bool forgotten, int64_t busy_ns, absl::Time now);
  // The answer, however it came.
  void Answer(const HeldJobPtr& job, absl::StatusOr<std::string> result,
              bool forgotten, absl::Time now);
  void SendError(const HeldJobPtr& job, const absl::Status& status,
                 JobOutcome* outcome);
  // Keeps a job's data for its result. RESOURCE_EXHAUSTED: there is no room,
  // and the job will fail with this status.
  absl::Status KeepData(HeldJob* job, std::string bytes);
  // Puts the data kept in front of the result.
  void AddKept(HeldJob* job, absl::StatusOr<std::string>* result);
  void DropKept(HeldJob* job);
  void ShareBytes() { held_share_.Set(held_bytes_ + kept_bytes_); }
  void Begin(const HeldJobPtr& job, absl::Time now);
  void SetTimer(const HeldJobPtr& job);
  // The job is answered or lost; nothing is sent for it any more.
  void End(const HeldJobPtr& job, JobOutcome outcome, absl::Status status,
           absl::Time now);
  // Something for the server waits to be written.
  void NoteUnsent(absl::Time now) {
    if (!has_unsent()) unsent_due_ = now + kAnswerAge;
  }
  // Nothing refers to it but who did it.
  void GiveBack(HeldJobPtr job);
  // No longer among those that wait, or with the pool.
  void Unqueue(const HeldJob& job);
  void LeavePool(const HeldJob& job);

  const Options options_;
  WorkerServers* const servers_;
  const std::shared_ptr<Mailbox> mailbox_;
  Clock* const clock_;
  HandlerHost* const host_;
  WorkerStats* const stats_;
  Prefetch prefetch_;
  std::unique_ptr<HandlerPool> pool_;  // null: concurrency 1
  HeldJobPool records_;

  // Jobs to be run on this thread; or to be handed to the pool.
  std::deque<HeldJobPtr> queue_;
  std::vector<HeldJobPtr> to_pool_;
  int waiting_ = 0;         // in the queue, and not lost
  int64_t waiting_ns_ = 0;  // what those cost
  int in_pool_ = 0;         // given to the pool and not back
  int64_t in_pool_ns_ = 0;  // what those cost
  bool handler_here_ = false;
  int pending_ = 0;
  size_t held_bytes_ = 0;
  size_t kept_bytes_ = 0;  // KeptData of all jobs
  ByteShare held_share_;   // of the worker's account: both
  absl::btree_set<std::pair<absl::Time, HeldJob*>> timers_;
  absl::Time unsent_due_ = absl::InfiniteFuture();     // none is unsent
  absl::Time last_returned_ = absl::InfiniteFuture();  // a handler
  std::vector<Report> reports_;
  std::vector<HeldJobPtr> ended_spans_;
  std::vector<Message> mail_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_JOBS_H_
