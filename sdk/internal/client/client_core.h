// ClientCore: what a Client is made of, put together: tracker, servers, driver
// and the one lock. It outlives its Client as long as requests refer to it, but
// does nothing any more.
//
// In a child made by fork only inherited(), Submit, Cancel, Refuse, LeaveBehind
// and request_mutex() may be called: a thread that the child does not have may
// hold the lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_CORE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_CORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/client/io_driver.h"
#include "gearman/sdk/internal/client/job_request_state.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/client/query.h"
#include "gearman/sdk/internal/client/server_pool.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/metrics/metrics_exporter.h"

namespace gearman {
namespace internal {

class ClientCore final : public std::enable_shared_from_this<ClientCore>,
                         private IoDriver::Machine {
 public:
  static absl::StatusOr<std::shared_ptr<ClientCore>> Create(
      ClientOptions options);
  ~ClientCore() override;

  // Submits each request that is not in flight; OK ones are left alone.
  // `will_wait`: the caller waits next, so that no background thread is needed
  // for them. FAILED_PRECONDITION: the first one in flight elsewhere.
  // CANCELLED: Shutdown has begun: each is finished so, and no callback told.
  absl::Status Submit(absl::Span<const JobRequest> batch, bool will_wait)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for acceptance or the end of all; marks late ones timed_out.
  absl::Status Wait(absl::Span<const JobRequest> batch, bool for_accepted,
                    absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  // Asks each query of its server (an index; -1: none, which it then says), and
  // waits for the answers; every query is finished afterwards.
  void Ask(absl::Span<Query* const> queries, absl::Duration timeout)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // As Client's.
  absl::Status WaitForReady(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  Health health() ABSL_LOCKS_EXCLUDED(mutex_);
  Health CheckHealth(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status AddServer(absl::string_view address) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status RemoveServer(absl::string_view address)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> servers() ABSL_LOCKS_EXCLUDED(mutex_);
  void Cancel(JobRequestState* request) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Time RunOnce(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);
  // Finishes everything as CANCELLED and closes. Idempotent.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs Shutdown when the current call on this thread has returned, because
  // user code in that call destroys the client. `core` is this object; it is
  // kept until then.
  void EndLater(std::shared_ptr<ClientCore> core);

  // True in a child made by fork: the client is the parent's.
  bool inherited() const { return process_.inherited(); }
  // Returns FAILED_PRECONDITION in such a child. Also finishes with this status
  // each request of `batch` that is not in flight.
  absl::Status Refuse(absl::Span<const JobRequest> batch);
  // In such a child: finishes a request that is in flight in the parent, as if
  // it had not been submitted. The caller holds request_mutex().
  static void LeaveBehind(JobRequestState* request);
  // The lock that guards this client's requests. In such a child it is a lock
  // of the child's own.
  absl::Mutex* request_mutex() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Marks that this thread is in a call of this client, which may run user
  // code.
  class Call : public CallScope {
   public:
    explicit Call(const ClientCore* core) : CallScope(&core->driver_) {}
  };
  bool in_call() const { return CallScope::IsInside(&driver_); }
  // The calling thread runs on_complete of this request, after which no other
  // callback of its submission follows.
  bool InLastCallbackOf(const JobRequestState* request) const {
    return driver_.in_last_callback_of(request);
  }

  // As ServerPool's; and what servers there are.
  absl::StatusOr<int> FindToAsk(absl::string_view address)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<int> server_indices() ABSL_LOCKS_EXCLUDED(mutex_);
  std::string ServerName(int server) ABSL_LOCKS_EXCLUDED(mutex_);
  // A server for a query that does not care.
  int ChooseServer() ABSL_LOCKS_EXCLUDED(mutex_);

  const ClientOptions& options() const { return options_; }
  Clock* clock() const { return clock_; }
  Metrics* metrics() const { return metrics_.get(); }
  // Guards every request of this client that is not finished.
  absl::Mutex* mutex() ABSL_LOCK_RETURNED(mutex_) { return &mutex_; }
  // FAILED_PRECONDITION: not on this thread, which runs a callback.
  absl::Status MayWait() const;

 private:
  explicit ClientCore(ClientOptions options, std::vector<Address> servers);

  // Not OK: the client does no more work, because it ends or is the parent's.
  absl::Status Over() const;
  // Takes the lock again after a call of user code. The user code may have
  // forked and returned in the child.
  void Relock()
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex_) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // IoDriver::Machine, with the lock held.
  absl::Time Work(const std::vector<Poller::Key>& ready) override;
  bool NeedsBackground() const override;
  void OnNoThread(const absl::Status& status) override;

  // It must not be submitted: here, or in another client, of which a callback
  // may be the caller.
  bool InFlight(const JobRequestState& request) const;
  // Why a request that is not submitted must not be, or OK where the caller may
  // not care.
  absl::Status WhyNot(const JobRequestState& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Fills in what the request leaves to the client. An error ends it.
  absl::Status Prepare(JobRequestState* request, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // INVALID_ARGUMENT: a packet of this job would exceed the limit of this
  // client and of workers with the same limit.
  absl::Status CheckSize(const JobRequestState& request) const;
  // A request for which a thread in Submit waits for room.
  struct Blocked {
    JobRequestState* request;
    bool cancelled = false;
    // What it waits for beside room.
    Operation cancellation{Operation::Kind::kEcho};
  };
  // Waits for room. An error ends the request.
  absl::Status MakeRoom(JobRequestState* request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WaitForRoom(Blocked* blocked)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Full() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeUnique(JobRequestState* request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Sends what wants to be sent, follows up what fails, until nothing changes.
  void Settle(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DispatchAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dispatch(JobRequestState* request, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dispatch(Query* query, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reads from an idle connection before it is used, as the server may have
  // closed it.
  void Look(int server, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Opens the server's connection, having looked at an idle one.
  absl::Status Open(int server, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnReady(Poller::Key key, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandleLost(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Before time is told: reads what has come, if something is late.
  void ReadBeforeLate(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Nobody waits for it any more.
  void AbandonQuery(Query* query, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // OK when a question can be asked on this thread.
  absl::Status MayAsk() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After the list of servers has changed.
  void OnServersChanged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FailQuery(Query* query, const LostLink& lost, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const std::string& server, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What comes before a submission for those who observe and intercept: begins
  // its span, calls the interceptors. Without the lock.
  void RunInterceptors(JobRequestState* request) ABSL_LOCKS_EXCLUDED(mutex_);
  // What a notice means for them. True: callbacks must hear of it, too.
  bool RunHooks(Notice* notice) ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets interceptors change the end of a request, which is then finished.
  void RunEndHooks(Notice* notice) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs the callbacks that are due, without the lock. False: there were none.
  bool RunNotices() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Hands the metrics to the exporter, without the lock meanwhile.
  void Export(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time NextDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends what has just been asked for, and waits as IoDriver::Wait.
  void SendAndWait(Waiter* waiter, absl::Time now, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells the callbacks of a notice. What they throw is logged.
  void RunCallbacks(const Notice& notice) ABSL_LOCKS_EXCLUDED(mutex_);
  // After a change by a thread that does not drive: writes, and tells who does.
  void AfterChange(absl::Time now, bool will_wait)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProcessMark process_;
  const ClientOptions options_;
  const std::shared_ptr<Poller> poller_;
  Clock* const clock_;
  const std::shared_ptr<Metrics> metrics_;  // null: nothing is counted
  const bool hooked_;  // there is an observer or an interceptor

  // Threads in Submit that do not have the lock yet: they share a write.
  std::atomic<int> submitters_{0};
  // Written with the lock.
  std::atomic<bool> shut_down_{false};
  // Written by EndLater.
  std::atomic<bool> ending_{false};
  absl::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  // Counts packets being read and updates that nobody has taken. It is declared
  // before the objects that use it, because it must outlive them.
  ByteAccount memory_ ABSL_GUARDED_BY(mutex_);
  JobRequestTracker tracker_ ABSL_GUARDED_BY(mutex_);
  ServerPool servers_ ABSL_GUARDED_BY(mutex_);
  // Counts calls of Submit.
  uint32_t batches_ ABSL_GUARDED_BY(mutex_) = 0;
  // What submitters wait for when a limit has been reached.
  Operation room_ ABSL_GUARDED_BY(mutex_){Operation::Kind::kEcho};
  std::vector<Blocked*> blocked_ ABSL_GUARDED_BY(mutex_);
  // Scratch memory of one pass.
  Effects effects_ ABSL_GUARDED_BY(mutex_);
  std::vector<LostLink> lost_ ABSL_GUARDED_BY(mutex_);
  std::vector<JobRequestState*> dispatching_ ABSL_GUARDED_BY(mutex_);
  std::vector<Query*> queries_to_send_ ABSL_GUARDED_BY(mutex_);
  // The one who leads exports, without the lock.
  std::unique_ptr<MetricsExporter> exporter_;
  IoDriver driver_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_CORE_H_
