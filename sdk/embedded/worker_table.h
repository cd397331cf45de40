// WorkerTable: which connection can do which functions, which of them sleep,
// and who is woken when there is work.
//
// Pure, as JobQueue. Registering costs O(1), waking O(sleepers woken); grabbing
// and going to sleep cost O(functions of that worker), as the answer depends on
// their order.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_
#define GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/growing_map.h"
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
  // Functions that one worker may have registered at once. 0: no limit.
  size_t max_abilities = 0;
};

struct Worker;

struct OfWorkerTag;  // a worker's abilities

// A function that a worker has registered.
struct Ability : ListLink<SleepTag>, ListLink<OfWorkerTag> {
  Worker* worker = nullptr;
  Function* function = nullptr;
  // How often, since it was last taken back. Only `status` shows it.
  size_t registrations = 0;
  // How long a job of it may run; InfiniteDuration: for ever.
  absl::Duration limit = absl::InfiniteDuration();
  // Bytes that it takes of its worker's memory: with the name, which is there
  // because of it.
  size_t memory() const { return sizeof(Ability) + 64 + function->memory(); }
};

// A connection, as far as it works.
struct Worker : Party {
  enum class Sleep : unsigned char {
    kAwake,
    kAsleep,  // every ability is in the list of its function's sleepers
    kWoken,   // has been sent a NOOP; until its next grab there is no other
  };

  // In the order in which they are tried: the newest first.
  IntrusiveList<Ability, OfWorkerTag> abilities;
  // Owns them.
  GrowingMap<const Function*, std::unique_ptr<Ability>> by_function;
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

  enum class Added : unsigned char {
    kYes,
    // Nothing has changed:
    kTooManyFunctions,  // the queue's limit
    kTooManyAbilities,
  };

  // Add and Grab throw std::bad_alloc when there is no memory; the table is
  // sound then, and a job that Grab has taken is the worker's.

  // CAN_DO. A sleeper that can now do what waits is woken. Again for the same
  // function: the limit is a new one, and it is tried first.
  Added Add(Worker& worker, absl::string_view name, absl::Duration limit,
            Wake wake);
  // CANT_DO, however often it was registered. Jobs that the worker holds
  // stay with it. If it had been woken and never grabbed, others are woken
  // instead.
  void Remove(Worker& worker, absl::string_view name, Wake wake);
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
