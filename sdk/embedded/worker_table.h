// WorkerTable: which connections can do which functions, which connections
// sleep, and which are woken when there is work.
//
// Pure, like JobQueue. Each of a worker's functions is either ready or watched.
// A ready function had work when the worker last looked, or the worker has not
// looked yet. A watched function was empty, and the worker is in its list of
// watchers until there is work. So a grab looks only at functions that may have
// work, however many the worker has. The job, grab or registration that made a
// function ready pays for the look. Work that takes longer than a turn
// (JobQueue::meter) goes on in the next one.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_
#define GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/sdk/embedded/growing_map.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"

namespace gearman {
namespace embedded {

struct WorkerTableOptions {
  // Sleepers that one job wakes, in turn; 0: all.
  uint32_t wakeup = 0;
  // A worker's next grab tries last the function that gave the worker its last
  // job.
  bool round_robin = false;
  // Functions that one worker may have registered at once. 0: no limit.
  size_t max_abilities = 0;
};

struct EngineWorker;

struct OfWorkerTag;  // a worker's abilities

// A function that a worker has registered.
struct Ability : ListLink<WatchTag>,
                 ListLink<SleepTag>,
                 WalkedLink<OfWorkerTag> {
  EngineWorker* worker = nullptr;
  Function* function = nullptr;
  // How often the worker has registered the function since it last took it
  // back. Only `status` shows this.
  size_t registrations = 0;
  // How long a job of the function may run; InfiniteDuration: forever.
  absl::Duration limit = absl::InfiniteDuration();
  // Bytes of the worker's memory for this ability. The function is included, as
  // the ability keeps it alive.
  size_t memory() const { return sizeof(Ability) + 160 + function->memory(); }
  // The rank in the order of the worker's abilities: lower is tried first.
  int64_t rank = 0;
  // The node of EngineWorker::ready, kept here while the ability is not ready,
  // so that becoming ready allocates nothing.
  std::map<int64_t, Ability*>::node_type place;
};

// A connection, as far as it works.
struct EngineWorker : Party {
  enum class Sleep : unsigned char {
    kAwake,
    kAsleep,  // others were woken for its ready functions, if any
    kWoken,   // has got a NOOP, and gets no other until its next grab
  };

  // The abilities in the order in which a grab tries them, the newest first.
  IntrusiveList<Ability, OfWorkerTag> abilities;
  // Owns the abilities.
  GrowingMap<const Function*, std::unique_ptr<Ability>> by_function;
  // The ready abilities, by rank. All others are watchers of their functions.
  std::map<int64_t, Ability*> ready;
  int64_t first_rank = 0;  // the lowest of all
  int64_t last_rank = 0;   // the highest of all
  Sleep sleep = Sleep::kAwake;
  // While the worker is woken: the function whose job has woken it. Null: the
  // worker has taken that function back.
  Function* woken_for = nullptr;
};

class WorkerTable {
 public:
  // Called for each worker that must get a NOOP.
  using Wake = absl::FunctionRef<void(EngineWorker&)>;

  WorkerTable(const WorkerTableOptions& options, JobQueue* queue)
      : options_(options), queue_(queue) {}

  enum class Added : unsigned char {
    kYes,
    // Nothing has changed:
    kTooManyFunctions,  // the queue's limit
    kTooManyAbilities,
  };

  // Add and Grab throw std::bad_alloc when there is no memory. The table is
  // still sound then, and the worker holds the job that Grab has taken, if any.

  // CAN_DO. Wakes the worker if it sleeps and can now do a job that waits. If
  // the worker registers a function again, the function gets the new limit and
  // is tried first.
  Added Add(EngineWorker& worker, absl::string_view name, absl::Duration limit,
            Wake wake);
  // CANT_DO. Removes the function, however often the worker has registered it.
  // The worker keeps the jobs that it holds. If the worker was woken and has
  // not grabbed, others are woken instead.
  void Remove(EngineWorker& worker, absl::string_view name, Wake wake);
  // RESET_ABILITIES, or the worker is gone. False: the turn is over, and the
  // caller must call again to remove the rest.
  bool RemoveAll(EngineWorker& worker, Wake wake);

  // GRAB_JOB. Returns the worker's next job, which it now holds with its time
  // limit; null: there is none. Ends the worker's sleep. If the job is of
  // another function than the one that has woken the worker, others are woken
  // for that one. Sets `again` and returns null if the turn is over before the
  // answer is known; the caller must then call again.
  QueuedJob* Grab(EngineWorker& worker, absl::Time now, Wake wake,
                  bool* again = nullptr);
  // PRE_SLEEP. False: there is work, so the worker is not put to sleep. `again`
  // as above; then the worker is not asleep, either.
  bool GoToSleep(EngineWorker& worker, bool* again = nullptr);
  // A job of `function` may run: wakes all sleepers that can do it, or `wakeup`
  // of them. If the turn ends before all are woken, WakeMore wakes the rest.
  void WakeFor(Function& function, Wake wake);
  bool has_more_to_wake() const { return !waking_.empty(); }
  void WakeMore(Wake wake);

 private:
  // The first ability whose function has a job; null: none has, or `again` is
  // set.
  Ability* FindWork(EngineWorker& worker, bool* again);
  static bool IsReady(const Ability& ability) { return ability.place.empty(); }
  static void SetReady(Ability& ability);
  // The ability is neither ready nor in the list of sleepers any more.
  static void SetWatched(Ability& ability);
  static void SetRank(Ability& ability, int64_t rank);
  // Wakes up to `count` sleepers of `function`. If all are to be woken, it
  // stops when the turn is over.
  void WakeSleepers(Function& function, size_t count, Wake wake);
  // Wakes a sleeper by a NOOP for work of `function`.
  void WakeUp(EngineWorker& worker, Function& function, Wake wake);
  // Takes the worker out of the lists of sleepers.
  void Unlist(EngineWorker& worker);

  const WorkerTableOptions options_;
  JobQueue* const queue_;
  // Functions whose sleepers are all to be woken.
  IntrusiveList<Function, WakingTag> waking_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_
