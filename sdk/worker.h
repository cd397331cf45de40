// Worker: takes jobs from Gearman job servers and has handlers do them.
//
//   auto worker = gearman::Worker::Create(options);  // options.servers = ...
//   (*worker)->Register("reverse", Reverse).IgnoreError();
//   absl::Status status = (*worker)->Run();  // until Stop or Drain
//
// Threads: Run (or RunOnce) does all I/O on the calling thread, one at a time.
// With concurrency 1 the handlers run on it, too: no hop, and no I/O while a
// handler runs, unless it asks its stop token or sends something. With
// concurrency N handlers run on N threads of the worker. Register, Unregister,
// the servers' functions, stats, Drain and Stop may be called from any thread,
// handlers included; Drain and Stop also from a signal handler (they store to
// lock-free atomics and call Poller::Wake, which is async-signal-safe).
//
// Ownership: a worker owns its connections, its handler threads and (unless
// given one) its poller. Destroy it when no thread is in Run. Its handlers are
// destroyed with it; when Run returns, none is running, so that what they use
// may go, too. If a handler, a hook, an interceptor, an observer or a logger
// destroys it all the same, the log gets an error and the worker stops. It ends
// when Run and the last handler have returned.
//
// fork: a worker belongs to the process that made it. In a child its functions
// return FAILED_PRECONDITION, stopped() is true, and the destructor leaves
// everything as it is. A child can't harm the parent. Create a new worker after
// fork. A handler that forks should end its child with exec or _exit. If the
// handler returns in the child, no answer is sent, and Run returns
// FAILED_PRECONDITION there. With concurrency N the child ends with the
// handler's thread, the only one that it has. docs/threads.md says more.
//
// Order: jobs of one connection are begun in the order in which the server
// gave them. Servers are asked in turn. Of several tasks gearmand 1.1 and
// the embedded server give those of the task registered last, as long as there
// are any; gearmand 2.0 gives high jobs of any task first and takes tasks in
// turn. Answers and updates of one job keep their order; each packet leaves at
// the next write, which gathers all there is, and never waits for a handler
// that is slow.
//
// Prefetch: a worker keeps several grabs outstanding and holds jobs that it
// can't begin at once, but only as many as it will have begun within a few
// milliseconds (PrefetchOptions): it measures its handlers, takes the unknown
// for slow, and grows from one. Slow jobs are never hoarded.
//
// The end: no packet returns a job. Drain grabs no more, does what is held,
// answers, waits until each server has taken the answers, and closes. Past its
// limit, and at once with Stop, tokens fire and connections are closed: that
// gives the jobs held back to their servers, which queue them again at the
// tail and count a retry against each (with gearmand -j N a job fails at its
// N-th). Handlers still running are waited for, their results dropped.
//
// Time limits: TaskOptions::time_limit is the worker's own timer; the job is
// answered when it passes. With concurrency 1 it is seen late if the handler
// neither looks at its token nor sends anything. It is announced to servers
// only where asked, see the warning there.
//
// Loss: a connection that ends, is silent for too long or breaks the protocol
// is made anew, after growing delays; the others go on. Its jobs are the
// server's again: tokens fire, results are dropped. Id, options and tasks are
// sent again before the first grab.
#ifndef GEARMAN_SDK_WORKER_H_
#define GEARMAN_SDK_WORKER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/sdk/worker_stats.h"

namespace gearman {

namespace internal {
class WorkerCore;
}  // namespace internal

class Worker {
 public:
  // Does a job and returns its result; sdk/job_context.h says what becomes of
  // errors and exceptions. Called by up to `concurrency` threads at once.
  using Handler = std::function<absl::StatusOr<std::string>(JobContext&)>;
  // Begins a job, whose PendingJob is finished later, from any thread. Should
  // return soon; up to WorkerLimits::max_pending_jobs may be unfinished.
  using AsyncHandler = std::function<void(PendingJob)>;

  // A worker for `options.servers`; connects in Run. INVALID_ARGUMENT: an
  // address, limit or name that can't be right, or, for a tls:// address, a
  // file of TLS that can't be used (docs/tls.md); NOT_FOUND: an address scheme
  // that no linked transport has.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Offers a task, to all servers. One that is registered already gets the new
  // handler and options; jobs received before keep the old. INVALID_ARGUMENT:
  // no handler, a name that no server takes or that lists can't show as it is
  // (it holds a control character or one that nobody sees: IsListable of
  // text/safe_text.h), a time limit of zero or less or
  // one that can't be announced.
  absl::Status Register(absl::string_view task, Handler handler,
                        TaskOptions options = {});
  absl::Status RegisterAsync(absl::string_view task, AsyncHandler handler,
                             TaskOptions options = {});
  // Offers a task no longer. Where a job of it is held, the server is told
  // after its answer (told earlier, it would give the job to another worker),
  // and no other job is grabbed there before. NOT_FOUND: it is not registered.
  absl::Status Unregister(absl::string_view task);
  // Registered tasks, in the order of registration.
  std::vector<std::string> tasks() const;

  // Works until Stop, or Drain's end; then it returns at once for ever: a
  // worker is not started again. OK: everything held was answered, or Stop was
  // called. DEADLINE_EXCEEDED: Drain's limit passed, and jobs were given back,
  // or a server did not show that it has taken the last answer. UNAVAILABLE: a
  // server was lost while the worker drained, and perhaps the answer of the job
  // that the message names.
  // FAILED_PRECONDITION: another thread is in it, or a handler called it.
  // RESOURCE_EXHAUSTED: not one thread for handlers can be started (fewer than
  // `concurrency` are made do with); it may be called again.
  // A server that can't be reached is no error: it is tried again for ever.
  absl::Status Run();
  // One pass, for programs with a loop of their own and for the simulation:
  // waits for I/O until `deadline` at most (a past one: no waiting), does it,
  // runs handlers (concurrency 1) and sends answers. Returns when it wants to
  // be called again though nothing happens. Where Run would fail, does nothing
  // and returns InfiniteFuture.
  absl::Time RunOnce(absl::Time deadline);
  // It has come to its end: connections are closed. (Handlers may still run.)
  bool stopped() const;

  // Ends it softly or at once, see above; both return at once. The limit
  // counts from the call. Of several the earliest limit rules; Stop rules all.
  void Drain(absl::Duration limit = absl::InfiniteDuration());
  void Stop();

  // Adds a server, or removes one: nothing more is grabbed there, what is held
  // is done and answered, and then its connection is closed. Without a server
  // a worker waits for one to be added. They take effect in Run. Errors: as
  // Create; ALREADY_EXISTS: it is there; NOT_FOUND: it is none of them.
  absl::Status AddServer(absl::string_view address);
  absl::Status RemoveServer(absl::string_view address);
  // Their addresses in canonical form, in the order in which they came.
  std::vector<std::string> servers() const;
  // Which of them are connected, and why the others are not. (Before Run none
  // is: kDown.)
  Health health() const;

  WorkerStats stats() const;
  // What has been counted so far (docs/metrics.md). Empty without sinks.
  MetricsSnapshot metrics() const;

 private:
  explicit Worker(std::shared_ptr<internal::WorkerCore> core);

  // Only the destructor gives it away. A thread in Run holds it, too.
  std::shared_ptr<internal::WorkerCore> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_H_
