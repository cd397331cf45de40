// Worker: takes jobs from Gearman job servers and lets handlers do them.
//
//   auto worker = gearman::Worker::Create(options);  // options.servers = ...
//   absl::Status status = (*worker)->Register("reverse", Reverse);
//   if (status.ok()) status = (*worker)->Run();  // until Stop or Drain
//
// Start, instead of Run, makes the worker work on a thread of its own until it
// is destroyed. sdk/worker_signals.h lets signals end a worker.
#ifndef GEARMAN_SDK_WORKER_H_
#define GEARMAN_SDK_WORKER_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/sdk/worker_stats.h"

namespace gearman {

namespace internal {
class WorkerCore;
class WorkerThread;
}  // namespace internal

// Threads: the thread in Run or RunOnce, of which there is one at a time, does
// all I/O and, with concurrency 1, runs the handlers. Any thread, also one that
// runs a handler, may call the other functions. A signal handler may call Drain
// and Stop.
//
// Ownership: a worker owns its connections, its threads and its handlers. It
// also owns its poller, unless WorkerOptions::poller provides one.
//
// Fork: a worker belongs to the process that made it. In a child its functions
// return FAILED_PRECONDITION. Create a new worker there.
//
// docs/guide/workers.md has the order of jobs, prefetch and lost connections.
class Worker {
 public:
  // Does a job and returns its result. sdk/job_context.h says how errors and
  // exceptions are answered. Up to `concurrency` threads call one handler at
  // once. A handler is moved, never copied, so it may own what can't be copied.
  using Handler = absl::AnyInvocable<absl::StatusOr<std::string>(JobContext&)>;
  // Begins a job. PendingJob::Finish, called on any thread, ends it. The
  // handler should return soon. Up to WorkerLimits::max_pending_jobs jobs may
  // be unfinished.
  using AsyncHandler = absl::AnyInvocable<void(PendingJob)>;

  // Makes a worker for `options.servers`. The worker connects in Run. Returns
  // INVALID_ARGUMENT for an address, limit or name that can't be right and,
  // with a tls:// address, for a TLS file that can't be used
  // (docs/guide/tls.md). Returns NOT_FOUND for an address scheme that no linked
  // transport has.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(WorkerOptions options);
  // Ends a worker that Start has started: drains for at most
  // WorkerOptions::drain_limit, then stops, and waits for the handlers that are
  // running. If jobs were given back or an answer may be lost, the log gets a
  // warning, unless Join has returned the error.
  //
  // Destroy a worker only when no thread is in Run or Join. If a handler, a
  // hook, an interceptor, an observer or a logger destroys it all the same, the
  // log gets an error and the worker stops. It then ends when Run and the last
  // handler have returned.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Register a task with all servers (CAN_DO, docs/protocol.md, section "Worker
  // semantics"). If the task is registered already, it gets the new handler and
  // options, and jobs received before keep the old ones. INVALID_ARGUMENT means
  // one of these:
  //   - The handler is empty.
  //   - No server accepts the name, or it is WorkerOptions::control_task.
  //   - Lists can't show the name unchanged, because it has a control character
  //     or an invisible one (IsListable of text/safe_text.h).
  //   - A field of the options is out of its range, such as a time limit of
  //     zero.
  //   - The time limit must be announced, and there is none or it is too long.
  //
  // TaskOptions::time_limit is a timer of the worker: the worker answers the
  // job when the limit passes. With concurrency 1 the worker notices that late
  // if the handler neither asks its stop token nor sends anything. Servers
  // learn of the limit only with TaskOptions::announce_time_limit: read the
  // warning there.
  absl::Status Register(StringView task, Handler handler,
                        TaskOptions options = {});
  absl::Status RegisterAsync(StringView task, AsyncHandler handler,
                             TaskOptions options = {});
  // Register a std::function, and refuse an empty one. (An AnyInvocable that is
  // made of an empty std::function is not empty.)
  template <typename Signature>
  absl::Status Register(StringView task, std::function<Signature> handler,
                        TaskOptions options = {}) {
    return Register(task, handler ? Handler(std::move(handler)) : Handler(),
                    options);
  }
  template <typename Signature>
  absl::Status RegisterAsync(StringView task, std::function<Signature> handler,
                             TaskOptions options = {}) {
    return RegisterAsync(
        task, handler ? AsyncHandler(std::move(handler)) : AsyncHandler(),
        options);
  }
  // Withdraws a task (CANT_DO). If this worker holds a job of the task, it
  // tells the server of that job only after the answer: a server that is told
  // earlier gives the job to another worker. Until then the worker grabs no
  // other job from that server. Returns NOT_FOUND if the task is not
  // registered.
  absl::Status Unregister(StringView task);
  // Pause makes this worker begin no more jobs of a task, whether it runs or
  // not, until Resume. Its other tasks go on, and other workers get the jobs of
  // this one. Running jobs are not disturbed. If another thread is about to
  // call a handler, that handler may still begin after Pause has returned. No
  // other one begins.
  //
  // Where the worker holds no job of the task, it tells the server, which then
  // gives it none. Where it holds one, it makes a new connection for the other
  // tasks, because a server that is told would also give the jobs that run here
  // to another worker. Jobs that were received before or are on their way wait
  // in this worker, and begin first when the task is resumed.
  //
  // A task that is registered again is still paused. Unregister ends the pause.
  // When the worker drains, or one of its servers is removed, jobs that wait
  // for Resume are given back to their server: it queues them again, at the
  // tail, and counts a retry for each.
  //
  // Both functions return at once. Pausing a paused task changes nothing, nor
  // does resuming a task that is not paused. NOT_FOUND means that the task is
  // not registered.
  absl::Status Pause(StringView task);
  absl::Status Resume(StringView task);
  // Returns the paused tasks in the order of registration.
  std::vector<std::string> paused_tasks() const;
  // Returns the registered tasks in the order of registration.
  std::vector<std::string> tasks() const;

  // Takes and does jobs until Stop is called or Drain has ended. A worker can't
  // be started again: after that, every call returns at once. A server that
  // can't be reached is no error: the worker tries it again until it stops.
  //
  // OK means that every held job was answered, or was given back because its
  // task is paused, or that Stop was called. DEADLINE_EXCEEDED means that
  // Drain's limit passed: jobs were given back, or a server did not show that
  // it has taken the last answer. UNAVAILABLE means that a server was lost
  // while the worker drained, and perhaps the answer of the job that the
  // message names. FAILED_PRECONDITION means that another thread is in Run or
  // RunOnce, that Start has started the worker, or that a handler made the
  // call. RESOURCE_EXHAUSTED means that no thread for handlers could be
  // started: the caller may call Run again. (If only some of the `concurrency`
  // threads can be started, the worker works with these.)
  absl::Status Run();
  // Begins what Run does on a thread of the worker's own, and returns at once.
  // The worker works until it ends or is destroyed. A worker is started once:
  // FAILED_PRECONDITION means that it was started before, that a thread is in
  // Run or RunOnce, or that a handler made the call. RESOURCE_EXHAUSTED means
  // that the worker's thread could not be started, or no thread for handlers:
  // the caller may call Start again.
  absl::Status Start();
  // Waits until the worker that Start has started has ended, and returns what
  // Run would have returned. Several threads may wait. Returns
  // FAILED_PRECONDITION at once if Start has not succeeded, or if a handler, or
  // another function that the worker has called, makes the call.
  absl::Status Join();
  // Does one pass, for programs with an event loop of their own and for the
  // simulation: waits for I/O until `deadline` at the latest, handles it, runs
  // handlers (concurrency 1) and sends answers. Does not wait if `deadline` is
  // past. Returns the time of the next timer: call RunOnce again by then. Where
  // Run would return an error, does nothing and returns InfiniteFuture.
  absl::Time RunOnce(absl::Time deadline);
  // True when the worker has ended and closed its connections. Handlers may
  // still be running.
  bool stopped() const;

  // Both functions ask the worker to end and return at once. The protocol has
  // no packet that returns a job to its server. Drain grabs no more jobs,
  // finishes the held ones, sends the answers, waits until each server has
  // taken them, and closes the connections. `limit` counts from the call. If
  // Drain is called several times, the earliest limit counts. Past the limit,
  // and at once with Stop (also after Drain), stop tokens fire and connections
  // are closed. The servers then queue the held jobs again, at the tail, and
  // count a retry for each. With gearmand -j N the N-th retry of a job does not
  // run: the job fails. Run still waits for handlers that are running, and
  // drops their results.
  void Drain(Duration limit = absl::InfiniteDuration());
  void Stop();

  // AddServer adds a server. RemoveServer removes a server: the worker grabs no
  // more jobs there, does and answers the jobs held, and then closes the
  // connection. A worker without a server waits for one to be added. The
  // changes take effect in Run. Errors: those of Create; ALREADY_EXISTS if the
  // server to add is there; NOT_FOUND if the server to remove is not;
  // RESOURCE_EXHAUSTED if the worker has 65,536 servers.
  absl::Status AddServer(StringView address);
  absl::Status RemoveServer(StringView address);
  // Returns the canonical addresses of the servers, in the order in which they
  // were added.
  std::vector<std::string> servers() const;
  // Returns which servers are connected, and why the others are not. Before Run
  // no server is connected, and the health is kDown.
  Health health() const;

  // Returns what the worker has done so far. Takes no lock.
  WorkerStats stats() const;
  // Returns the metrics counted so far (docs/guide/metrics.md). It is empty if
  // WorkerOptions::metrics_sinks is empty.
  MetricsSnapshot metrics() const;

 private:
  explicit Worker(std::shared_ptr<internal::WorkerCore> core);

  // Ends a worker that was started.
  void DrainAndJoin();

  // Only the destructor moves the core out. A thread in Run holds a reference,
  // too.
  std::shared_ptr<internal::WorkerCore> core_;
  const OwnedByProcess<internal::WorkerThread> thread_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_H_
