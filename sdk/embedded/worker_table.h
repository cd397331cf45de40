// WorkerTable: which connection can do which functions, which of them sleep,
// and who is woken when there is work.
//
// Pure, as JobQueue. Waking costs O(sleepers woken); grabbing and going to
// sleep cost O(functions of that worker), as the answer depends on their order.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_
#define GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/intrusive_list.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"

namespace gearman {
namespace embedded {

struct WorkerOptions {
  // Sleepers that one job wakes, in turn; 0: all.
  uint32_t wakeup = 0;
  // The function that has given a job is tried last by the next grab of the
  // same worker.
  bool round_robin = false;
};

struct Worker;

// A function that a worker has registered, once for each time it did.
struct Ability : ListLink<SleepTag> {
  Worker* worker = nullptr;
  Function* function = nullptr;
  // How long a job of it may run; InfiniteDuration: for ever.
  absl::Duration limit = absl::InfiniteDuration();
};

// A connection, as far as it works.
struct Worker : Party {
  enum class Sleep : unsigned char {
    kAwake,
    kAsleep,  // every ability is in the list of its function's sleepers
    kWoken,   // has been sent a NOOP; until its next grab there is no other
  };

  // The newest last: it is tried first.
  std::vector<std::unique_ptr<Ability>> abilities;
  Sleep sleep = Sleep::kAwake;
  // While it is woken: the function whose job it was woken for, unless it has
  // taken that back.
  Function* woken_for = nullptr;
};

class WorkerTable {
 public:
  // `wake` is called for a worker that is to get a NOOP.
  using Wake = absl::FunctionRef<void(Worker&)>;

  WorkerTable(const WorkerOptions& options, JobQueue* queue)
      : options_(options), queue_(queue) {}

  // CAN_DO. A sleeper that can now do what waits is woken.
  void Add(Worker& worker, Function& function, absl::Duration limit, Wake wake);
  // CANT_DO: every registration of the function. Jobs that the worker holds
  // stay with it. If it had been woken and never grabbed, others are woken
  // instead.
  void Remove(Worker& worker, absl::string_view function, Wake wake);
  // RESET_ABILITIES, or the worker is gone.
  void RemoveAll(Worker& worker, Wake wake);

  // GRAB_JOB: the next job for this worker, which now holds it and has its time
  // limit; null: none. Ends its sleep. If it gets another function's job than
  // the one it was woken for, others are woken for that.
  Job* Grab(Worker& worker, absl::Time now, Wake wake);
  // PRE_SLEEP. False: there is work, so that it is not put to sleep.
  bool GoToSleep(Worker& worker);
  // Some job of `function` may run: wakes sleepers who can do it.
  void WakeFor(Function& function, Wake wake);

 private:
  bool HasWork(Worker& worker);
  // A sleeper is to get a NOOP for work of `function`.
  static void WakeUp(Worker& worker, Function& function, Wake wake);
  // Out of the lists of sleepers.
  static void Unlist(Worker& worker);

  const WorkerOptions options_;
  JobQueue* const queue_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_
