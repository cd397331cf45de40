// Mapper: map/reduce over jobs. A worker splits a job into parts, submits each
// part as a job of its own to a reducer task, on any servers, and combines the
// results.
//
//   client:  options.reducer = "count";          // sdk/client_options.h
//            client->Run("map", text, options)   // SUBMIT_REDUCE_JOB
//   worker:  takes the job of "map", and submits its parts to "count"
//   workers: do the jobs of "count"
//   worker:  adds up the results, and answers the job of "map"
//
//   auto mapper = gearman::Mapper::Create(options);  // options.client.servers
//   absl::Status status = (*mapper)->Register(
//       *worker, "map", [](const gearman::MapInput& input) {
//         gearman::MapPlan plan;
//         plan.next_part = Pieces(input.job.data());
//         plan.aggregator = std::make_unique<Sum>();
//         return plan;
//       });
//
// A part is a plain job, so workers of any library may do the parts. Few client
// libraries can name a reducer. A job without one goes to MapperOptions::
// default_reducer. If there is none either, no part is submitted: the
// aggregator gets the parts themselves. The handler sees that in
// MapInput::reducer, and may then do the work of the parts in `next_part`.
//
// No thread waits for a part. The answer of a job comes later, as with
// Worker::RegisterAsync, so a worker with one thread may do the parts of its
// own jobs. One case is left: jobs of a mapper count for
// WorkerLimits::max_pending_jobs, and at that limit the worker takes no other
// job, so it takes no part. If no other worker does the parts, they wait until
// their timeout (MapperOptions::part). If as many map jobs as that may be
// queued, give the map task a limit below that one (TaskOptions::max_running),
// or a worker of its own.
//
// A server hands the reducer out with the job (JOB_ASSIGN_ALL), and does
// nothing else with it (docs/protocol.md, section "Packets").
// docs/guide/reduce.md has the whole picture, and what gearmand and libgearman
// do.
#ifndef GEARMAN_SDK_REDUCE_H_
#define GEARMAN_SDK_REDUCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/stop_token.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {

namespace internal {
class MapperCore;
}  // namespace internal

// Combines the results of one job's parts. The functions of one aggregator are
// called one at a time, with no lock held, each on any of the threads that
// Mapper names. If one throws, the job fails with UNKNOWN and the exception's
// text.
class Aggregator {
 public:
  virtual ~Aggregator() = default;
  Aggregator() = default;
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  // Takes the result of a part. The mapper calls this for each part that did
  // not fail, in the order of the parts, from 0. If it returns an error, the
  // job fails with that error.
  virtual absl::Status Add(size_t part, std::string result) = 0;
  // Hears in place of Add that a part failed, and why: the error of
  // JobRequest::status(). The mapper calls this only if
  // MapperOptions::max_failed_parts allows failures. If it returns an error,
  // the job fails with that error. By default it returns OK, and the part is
  // left out.
  virtual absl::Status AddFailure(size_t part, const absl::Status& why);
  // Returns the result of the job, or the error with which it fails. The mapper
  // calls this once, after the last part, and not if the job has failed before.
  virtual absl::StatusOr<std::string> Finish() = 0;
};

// The job that is to be split.
struct MapInput {
  Job job;  // the job, as a handler sees it
  // The task that the parts go to: the job's own, or the default. Empty means
  // that the parts go to the aggregator as they are.
  std::string reducer;
  // Fires when the job's result has become useless. The mapper then cancels the
  // parts. A long-running `next_part` may ask the token itself.
  StopToken stop_token;
};

// How one job is split and combined.
struct MapPlan {
  // Returns the next part, or nullopt after the last one. It is called when
  // there is room for another part, so a large input need not be split at once.
  // If it returns an error or throws, the job fails. It is called, and
  // destroyed with the aggregator, before the job is answered; the MapInput
  // lives as long.
  absl::AnyInvocable<absl::StatusOr<std::optional<std::string>>()> next_part;
  // Combines the results of the parts. It must not be null.
  std::unique_ptr<Aggregator> aggregator;
};

// Begins a job. If it returns an error or throws, the job is answered as that
// of a plain handler (sdk/job_context.h). Up to `concurrency` threads of the
// worker call it at once.
using MapHandler = absl::AnyInvocable<absl::StatusOr<MapPlan>(const MapInput&)>;

// The settings of a Mapper.
struct MapperOptions {
  // The options of the mapper's own client, which submits the parts. A timeout
  // is measured on this client's clock. Its task_prefix is removed from the
  // name of each reducer, as the client puts it back: a job whose reducer does
  // not begin with it fails.
  ClientOptions client;
  // The options of each part: timeout, priority, retry. `unique`, `run_at` and
  // `callbacks` must be unset. `when_full` is kFail, whatever is set, because
  // no thread may wait. A part whose worker or server is lost is repeated as
  // these options and the client's policies allow it.
  CallOptions part;
  // The task of parts whose job names no reducer, without the task_prefix.
  std::string default_reducer;
  // The tasks that a job may name as its reducer, without the task_prefix.
  // Empty means any. A client chooses the reducer, and the mapper submits for
  // it: name the tasks if the mapper's servers have others that the client must
  // not reach. The default reducer need not be among them.
  std::vector<std::string> allowed_reducers;
  // The parts of one job that are submitted, or have a result that waits for
  // those before it.
  size_t max_parts_per_job = 16;
  // The limits for such parts of all jobs together: their number, and their
  // bytes. Until the result of a part has come, the bytes of the part count;
  // after that, the bytes of the result. At either limit no further part is
  // made, except that each job may always have one. So the limits may be
  // exceeded by one part for each job, and the bytes also by the results that
  // are on their way.
  size_t max_parts = 1024;
  size_t max_bytes = 64u << 20;
  // A job fails at once when more of its parts than this have failed. Its
  // other parts are cancelled then. The failure names the parts that failed,
  // and why.
  size_t max_failed_parts = 0;
};

// The counts of a mapper.
struct MapperStats {
  size_t jobs = 0;               // begun and not answered
  size_t parts = 0;              // submitted, or with a result that waits
  size_t bytes = 0;              // of these parts
  uint64_t jobs_completed = 0;   // answered with a result
  uint64_t jobs_failed = 0;      // also jobs whose result became useless
  uint64_t parts_completed = 0;  // with a result
  uint64_t parts_failed = 0;     // without those that were cancelled
};

// Threads: any thread may call any function. Handlers run on threads of the
// worker. `next_part` and the aggregator of a job run there at first, and then
// on the thread that does the I/O of the mapper's client, or on one that ends
// another job. While they run, that client does no I/O: work that takes long
// belongs into the parts.
//
// Ownership: a mapper owns its client, and not the workers. Mapper and worker
// may be destroyed in any order.
//
// Fork: a mapper belongs to the process that made it. In a child its functions
// return FAILED_PRECONDITION, and the destructor does nothing.
class Mapper {
 public:
  // Returns the errors of Client::Create, and INVALID_ARGUMENT for an option
  // that can't be right.
  static absl::StatusOr<std::unique_ptr<Mapper>> Create(MapperOptions options);
  // Cancels all parts. The jobs that are not answered fail with CANCELLED, and
  // so do later jobs of the tasks that were registered: unregister the tasks
  // first. Code that the mapper calls should not destroy it: if it does, the
  // log gets an error, and the mapper ends when that call has returned.
  ~Mapper();
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;

  // Registers a task whose jobs are mapped. Several tasks, of several workers,
  // may share the mapper and its limits. Returns the errors of
  // Worker::RegisterAsync, and INVALID_ARGUMENT if `handler` is empty.
  // TaskOptions::time_limit ends the job and cancels its parts.
  absl::Status Register(Worker& worker, StringView task, MapHandler handler,
                        TaskOptions options = {});

  // Does one pass of the client's I/O, for programs with an event loop of their
  // own (DriveMode::kEventLoop of `MapperOptions::client`): see
  // Client::RunOnce.
  absl::Time RunOnce(absl::Time deadline);

  // Returns the counts of this moment. Any thread may call it.
  MapperStats stats() const;

 private:
  explicit Mapper(std::shared_ptr<internal::MapperCore> core);

  // Only the destructor moves the core out.
  std::shared_ptr<internal::MapperCore> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_REDUCE_H_
