// ClientCore is the door to a client's engine. It has the lock, the threads
// that drive (IoDriver) or wait, and the calls of callbacks, interceptors and
// observers, for which it drops the lock. What happens to requests and
// connections is ClientEngine's.
//
// It lives as long as a request refers to it, and does nothing after its Client
// has been destroyed.
//
// In a child made by fork only inherited(), Submit, Cancel, Refuse, LeaveBehind
// and request_mutex() may be called: a thread that the child does not have may
// hold the lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_CORE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_CORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/client/client_engine.h"
#include "gearman/sdk/internal/client/client_hooks.h"
#include "gearman/sdk/internal/client/client_servers.h"
#include "gearman/sdk/internal/client/io_driver.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/metrics/metrics_exporter.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/query.h"
#include "gearman/sdk/internal/request/request_owner.h"
#include "gearman/sdk/job_request.h"

namespace gearman {
namespace internal {

class ClientCore final : public RequestOwner,
                         public std::enable_shared_from_this<ClientCore>,
                         private IoDriver::Machine {
 public:
  static absl::StatusOr<std::shared_ptr<ClientCore>> Create(
      ClientOptions options);
  ~ClientCore() override;

  // Submits each request that was not submitted yet, and leaves the others
  // alone. `will_wait` means that the caller waits for the results next, so
  // these requests need no background thread, and none of them may be a
  // background job. Returns the first error. FAILED_PRECONDITION: a
  // request is in flight in another client, or one of its own callbacks submits
  // it when it can't be submitted (WhyNot). CANCELLED: Shutdown has begun; each
  // request is then finished as CANCELLED and no callback is called.
  absl::Status Submit(absl::Span<const JobRequest> batch, bool will_wait)
      ABSL_LOCKS_EXCLUDED(mutex_);
  enum class WaitFor : unsigned char { kAccepted, kEnd, kResult };
  // Waits until all requests are accepted or all have ended. Requests that do
  // not get there in time are marked timed_out.
  absl::Status Wait(absl::Span<const JobRequest> batch, WaitFor what,
                    absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits like Wait, and moves the result of each request into the element of
  // `results` with its index. `results` has as many elements as `batch`.
  void TakeResults(absl::Span<const JobRequest> batch, absl::Duration timeout,
                   absl::StatusOr<std::string>* results)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Asks each query's server and waits for the answers. Every query is finished
  // afterwards.
  void Ask(absl::Span<Query* const> queries, absl::Duration timeout)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The functions of Client with the same names do this.
  absl::Status WaitForReady(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  Health health() ABSL_LOCKS_EXCLUDED(mutex_);
  Health CheckHealth(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status AddServer(absl::string_view address) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status RemoveServer(absl::string_view address)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> servers() ABSL_LOCKS_EXCLUDED(mutex_);
  void Cancel(JobRequestState* request) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Time RunOnce(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);
  // Finishes everything as CANCELLED and closes the connections. Idempotent.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs Shutdown when the current call on this thread has returned, because
  // user code in that call destroys the client. `core` is this object, which is
  // kept until then.
  void EndLater(std::shared_ptr<ClientCore> core);

  // Returns FAILED_PRECONDITION in a child made by fork. Also finishes with
  // this status each request of `batch` that is not in flight.
  absl::Status Refuse(absl::Span<const JobRequest> batch);
  // Marks that this thread is in a call of this client that may run user code.
  class Call : public CallScope {
   public:
    explicit Call(const ClientCore* core) : CallScope(&core->driver_) {}
  };
  bool in_call() const { return CallScope::IsInside(&driver_); }
  bool InLastCallbackOf(const JobRequestState* request) const override {
    return driver_.in_last_callback_of(request);
  }

  // ClientServers::FindToAsk, and all servers.
  absl::StatusOr<ClientServerPtr> FindToAsk(absl::string_view address)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<ClientServerPtr> AllServers() ABSL_LOCKS_EXCLUDED(mutex_);
  // Chooses a server for a query that may go to any server.
  ClientServerPtr ChooseServer() ABSL_LOCKS_EXCLUDED(mutex_);

  const ClientOptions& options() const { return options_; }
  Clock* clock() const { return clock_; }
  Metrics* metrics() const { return metrics_.get(); }
  // Guards every request of this client that has not finished.
  absl::Mutex* mutex() ABSL_LOCK_RETURNED(mutex_) { return &mutex_; }
  // FAILED_PRECONDITION: this thread runs a callback, so it must not wait.
  absl::Status MayWait() const;

 private:
  ClientCore(ClientOptions options, const std::vector<Address>& servers);

  // Returns an error if the client works no more, because it was shut down or
  // is the parent's.
  absl::Status Over() const;
  // Takes the lock again after a call of user code. The user code may have
  // forked and returned in the child.
  void Relock()
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex_) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // IoDriver::Machine. The driver calls these functions with the lock held.
  absl::Time Work(const std::vector<Poller::Key>& ready) override;
  bool NeedsBackground() const override;
  void OnNoThread(const absl::Status& status) override;

  // True if the request must not be submitted now. It may be in flight here or
  // in another client. A callback of that client may be the caller.
  bool InFlight(const JobRequestState& request) const;
  // Tells why a request must not be submitted again. Returns OK where the
  // caller need not know.
  absl::Status WhyNot(const JobRequestState& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets the interceptors see the requests that will be submitted.
  void CallInterceptors(absl::Span<const JobRequest> batch)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Submits one request of a batch. Returns an error that the caller of Submit
  // must know.
  absl::Status SubmitOne(const std::shared_ptr<JobRequestState>& request,
                         bool wants_result, absl::Time* now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A request for which a thread in Submit waits for room.
  struct Blocked {
    JobRequestState* request;
    bool cancelled = false;
    // Finished by Cancel, which ends the wait early.
    Operation cancellation{Operation::Kind::kEcho};
  };
  // Waits for room. On an error the caller ends the request.
  absl::Status MakeRoom(JobRequestState* request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WaitForRoom(Blocked* blocked)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Full() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Wakes the threads that wait for room, if there is some.
  void TellRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  WhenFull when_full(const JobRequestState& request) const {
    return request.call_options().when_full.value_or(options_.limits.when_full);
  }

  // True for requests that may be waited for here. A request that its own
  // callback has reset, and may submit again, counts as this client's.
  bool Ours(const JobRequestState& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // FAILED_PRECONDITION, with the reason: Ours is false.
  absl::Status CheckOurs(const JobRequestState& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True if a wait for the request may end, because it and its callbacks have
  // got that far.
  static bool There(const JobRequestState& request, WaitFor what);
  // Waits until each request is there, or until the deadline. Passes over
  // requests that are not ours and, for results, background requests. Returns
  // an error if the client works no more and a request did not get there.
  absl::Status WaitUntilThere(absl::Span<const JobRequest> batch, WaitFor what,
                              absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves the result out after the wait. `over` is what the wait returned.
  absl::StatusOr<std::string> TakeResult(JobRequestState* request,
                                         const absl::Status& over,
                                         absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns OK if this thread may ask a server.
  absl::Status MayAsk() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends a query without an answer, if it has not ended.
  void EndQuery(Query* query, const absl::Status& over, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs the due callbacks without the lock. Returns false if there were none.
  bool RunNotices() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls the user code of one notice, and returns true if the notice was the
  // end of its request.
  bool RunNotice(Notice* notice, IoDriver::CallbackScope* scope)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the metrics to the exporter. Drops the lock while it does so.
  void Export(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time NextDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the queries just dispatched and waits like IoDriver::Wait.
  void SendAndWait(Waiter* waiter, absl::Time now, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  struct ReadinessCheck;
  // Asks each server that may be asked at `now` and has no open echo. Returns
  // the next time at which a server may be asked.
  absl::Time AskServers(ReadinessCheck* check, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives up the open echoes. Returns the error if no server has answered.
  absl::Status EndCheck(ReadinessCheck* check, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Follows a change by a thread that does not drive: writes, and wakes the
  // driver if it must hear of the change.
  void AfterChange(absl::Time now, bool will_wait)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ClientOptions options_;
  const std::shared_ptr<Poller> poller_;
  Clock* const clock_;
  const std::shared_ptr<Metrics> metrics_;  // null: nothing is counted
  const ClientHooks hooks_;

  // Counts threads in Submit that do not have the lock yet. They share a write.
  std::atomic<int> submitters_{0};
  // Written with the lock held.
  std::atomic<bool> shut_down_{false};
  // Written by EndLater.
  std::atomic<bool> ending_{false};
  ClientEngine engine_ ABSL_GUARDED_BY(mutex_);
  // Counts calls of Submit.
  uint32_t batches_ ABSL_GUARDED_BY(mutex_) = 0;
  // Submitters wait for this operation when a limit has been reached.
  Operation room_ ABSL_GUARDED_BY(mutex_){Operation::Kind::kEcho};
  std::vector<Blocked*> blocked_ ABSL_GUARDED_BY(mutex_);
  // The leader exports, without the lock.
  std::unique_ptr<MetricsExporter> exporter_;
  IoDriver driver_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_CORE_H_
