// WorkerCore holds the parts of a Worker: the servers, the jobs, the loop
// around them, and the requests of other threads.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_CORE_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_CORE_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/stop_state.h"
#include "gearman/sdk/internal/job/task_table.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/metrics/metrics_exporter.h"
#include "gearman/sdk/internal/worker/worker_counters.h"
#include "gearman/sdk/internal/worker/worker_jobs.h"
#include "gearman/sdk/internal/worker/worker_servers.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/sdk/worker_stats.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace internal {

class WorkerCore final : private HandlerHost {
 public:
  static absl::StatusOr<std::shared_ptr<WorkerCore>> Create(
      WorkerOptions options);
  ~WorkerCore();

  // True in a child made by fork, where the worker is the parent's. Then only
  // stopped(), Drain and Stop may be called.
  bool inherited() const { return process_.inherited(); }
  // Marks that this thread is in a call of this worker that may run user code.
  class Call : public CallScope {
   public:
    explicit Call(const WorkerCore* core) : CallScope(core->call_key()) {}
  };
  // True if a thread is in Run, or this thread is in another call.
  bool in_use() const {
    return running_.load(std::memory_order_acquire) || called_here();
  }
  // True if this thread is in a call of this worker: the caller is user code.
  bool called_here() const { return CallScope::IsInside(call_key()); }
  const WorkerOptions& options() const { return options_; }
  // Stops the worker, because it is destroyed while it is in use. It ends when
  // the last thread has left. `core` is this object.
  void EndLater(std::shared_ptr<WorkerCore> core);

  // The functions of Worker with the same names do this. Register fills in the
  // function, metrics and announced_ms of `task`.
  absl::Status Register(std::shared_ptr<Task> task) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Unregister(absl::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);
  // Worker::Pause and Worker::Resume.
  absl::Status SetPaused(absl::string_view name, bool paused)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> paused_tasks() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> tasks() const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Run();
  // The two halves of Run. Claim makes the calling thread, or one that it
  // starts, the only one that may call RunClaimed; `caller` is for the error.
  // Unclaim takes the claim back: nothing has run.
  absl::Status Claim(absl::string_view caller);
  absl::Status RunClaimed();
  void Unclaim() { running_.store(false); }
  absl::Time RunOnce(absl::Time deadline);
  // True when the worker has ended, and in a child made by fork, because a
  // handler may fork and return in the child.
  bool stopped() const {
    return ended_.load(std::memory_order_acquire) || inherited();
  }
  void Drain(absl::Duration limit);
  void Stop();
  absl::Status AddServer(absl::string_view address) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status RemoveServer(absl::string_view address)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> servers() const ABSL_LOCKS_EXCLUDED(mutex_);
  Health health() const ABSL_LOCKS_EXCLUDED(mutex_);
  WorkerStats stats() const { return counters_.Read(); }
  MetricsSnapshot metrics() const;

 private:
  // Registers the task for orders, if the worker has one.
  void RegisterControl() ABSL_LOCKS_EXCLUDED(mutex_);
  // Does an order, and returns the names of the paused tasks.
  absl::StatusOr<std::string> DoOrder(absl::string_view order)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The key of this worker's objects of CallScope. Handler threads use it, too.
  const void* call_key() const { return static_cast<const HandlerHost*>(this); }

  static constexpr int64_t kNotDraining = std::numeric_limits<int64_t>::max();

  WorkerCore(WorkerOptions options, std::vector<Address> servers);

  // Tells the loop that another thread, or a handler, has a request.
  void Ask() {
    asked_.store(true, std::memory_order_release);
    poller_->Wake();
  }

  // The loop, on the thread in Run. User code runs in Turn and Look only.
  //
  // A turn reads, runs jobs, and sends what has become of both. Call Advance
  // before the first one.
  void Turn(absl::Time deadline);
  // Waits for I/O until `until` at most, and reads. Returns the time after the
  // wait.
  absl::Time Pass(absl::Time until);
  // Runs handlers on this thread (concurrency 1) until I/O should have its
  // turn. Sets `*now` to the time after the last one.
  void RunJobs(absl::Time* now);
  // Handles the requests of other threads, if there are any. Returns false if
  // the worker has ended.
  bool GoesOn(absl::Time now) {
    if (stopped()) return false;
    return !asked_.load(std::memory_order_acquire) || TakeRequests(now);
  }
  // The parts of GoesOn.
  bool TakeRequests(absl::Time now);
  void TakeChanges(absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  bool GoesOnDraining(int64_t drain_ns, absl::Time now);
  // Opens connections, sends grabs and writes output, as far as possible.
  void Advance(absl::Time now);
  void Grab(absl::Time now);
  void HandleLost(absl::Time now);
  // Closes the links that leave for good and whose jobs are all of paused
  // tasks: the jobs go back to their servers.
  void GiveBackPaused(absl::Time now);
  // Closes all connections. The jobs that are held go back to their servers.
  void End(absl::Status status, StopReason reason, absl::Time now);
  absl::Status OnEvent(WorkerLink& link, wire::ToWorker& event, absl::Time now);
  // Exports the metrics if their time has come.
  void ExportMetrics();
  void RunHooks(bool after_poll, bool any_activity);
  void Obey(Proceed proceed);
  absl::Time NextDeadline() const;
  // Tells other threads how things are now.
  void Publish() ABSL_LOCKS_EXCLUDED(mutex_);

  // HandlerHost. The handler that runs on this thread calls these functions.
  void Look(absl::Time until) override;
  // Like Look, but does not wait if `found` is true when what waits to be sent
  // has been sent.
  void LookFor(absl::Time until, absl::FunctionRef<bool()> found);
  absl::Time Now() override { return clock_->Now(); }
  bool gone() const override { return inherited(); }
  absl::Status SendUpdate(Message message, bool may_wait) override;

  const ProcessMark process_;
  const WorkerOptions options_;
  const std::shared_ptr<Poller> poller_;
  Clock* const clock_;
  const std::shared_ptr<Metrics> metrics_;  // null: nothing is counted
  const std::shared_ptr<Mailbox> mailbox_;

  // Any thread sets these members, even in a signal handler.
  //
  // There may be a request that TakeRequests has not handled.
  std::atomic<bool> asked_{true};
  std::atomic<bool> stop_requested_{false};
  // Unix time in nanoseconds. kNotDraining: no drain was requested.
  std::atomic<int64_t> drain_deadline_ns_;
  std::atomic<bool> running_{false};
  std::atomic<bool> ended_{false};

  mutable absl::Mutex mutex_;
  TaskTable tasks_ ABSL_GUARDED_BY(mutex_);
  TaskGates gates_ ABSL_GUARDED_BY(mutex_);
  // Changes of `tasks_` that the loop has not handled.
  TaskChanges task_changes_ ABSL_GUARDED_BY(mutex_);
  std::vector<Address> wanted_servers_ ABSL_GUARDED_BY(mutex_);
  bool servers_changed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<ServerHealth> published_health_ ABSL_GUARDED_BY(mutex_);

  WorkerCounters counters_;

  // Used by the loop only.
  std::mt19937_64 random_;
  // Counts packets being read and payloads of jobs held. It is declared before
  // the objects that use it, because it must outlive them.
  ByteAccount memory_;
  TaskTable offered_;  // `tasks_`, as the loop saw it last
  WorkerServers servers_;
  WorkerJobs jobs_;
  uint64_t health_version_ = 0;  // of the published health
  bool looking_ = false;
  absl::Time last_look_ = absl::InfinitePast();
  // Not OK: a server was lost in a drain, and an answer may be lost with it.
  absl::Status answer_lost_;
  absl::Status end_status_;
  std::vector<Poller::Key> ready_;
  std::unique_ptr<MetricsExporter> exporter_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_CORE_H_
