// WorkerTable: which connection can do which functions, which of them sleep,
// and who is woken when there is work.
//
// Pure, as JobQueue. A worker's functions are either ready (they had work when
// this worker last looked, or it has not looked yet) or watched: the worker has
// found them empty, and is in the function's list of watchers until there is
// work. So a grab looks at what may have work only, however many functions the
// worker has: each look is paid for by the job, grab or registration that made
// the function ready. What takes longer than a turn (JobQueue::meter) goes on
// in the next one.
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
struct Ability : ListLink<WatchTag>,
                 ListLink<SleepTag>,
                 WalkedLink<OfWorkerTag> {
  Worker* worker = nullptr;
  Function* function = nullptr;
  // How often, since it was last taken back. Only `status` shows it.
  size_t registrations = 0;
  // How long a job of it may run; InfiniteDuration: for ever.
  absl::Duration limit = absl::InfiniteDuration();
  // Bytes that it takes of its worker's memory: with the name, which is there
  // because of it.
  size_t memory() const { return sizeof(Ability) + 160 + function->memory(); }
  // Its place in the order of the worker's abilities: lower is tried first.
  int64_t rank = 0;
  // Its place in Worker::ready, kept while it is not there, so that becoming
  // ready allocates nothing.
  std::map<int64_t, Ability*>::node_type place;
};

// A connection, as far as it works.
struct Worker : Party {
  enum class Sleep : unsigned char {
    kAwake,
    kAsleep,  // nothing is ready but what others have been woken for
    kWoken,   // has been sent a NOOP; until its next grab there is no other
  };

  // In the order in which they are tried: the newest first.
  IntrusiveList<Ability, OfWorkerTag> abilities;
  // Owns them.
  GrowingMap<const Function*, std::unique_ptr<Ability>> by_function;
  // Those that are ready, by rank. All others are watchers of their functions.
  std::map<int64_t, Ability*> ready;
  int64_t first_rank = 0;  // the lowest of all
  int64_t last_rank = 0;   // the highest of all
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
  // RESET_ABILITIES, or the worker is gone. False: the turn is over, and more
  // are to be removed by a further call.
  bool RemoveAll(Worker& worker, Wake wake);

  // GRAB_JOB: the next job for this worker, which now holds it and has its time
  // limit; null: none. Ends its sleep. If it gets another function's job than
  // the one it was woken for, others are woken for that. `again`: the turn is
  // over before this is known; null, and to be asked again.
  Job* Grab(Worker& worker, absl::Time now, Wake wake, bool* again = nullptr);
  // PRE_SLEEP. False: there is work, so that it is not put to sleep. `again` as
  // above; then it is not asleep.
  bool GoToSleep(Worker& worker, bool* again = nullptr);
  // Some job of `function` may run: wakes sleepers who can do it, all or as
  // many as it may; what is left when the turn is over, WakeMore does.
  void WakeFor(Function& function, Wake wake);
  bool has_more_to_wake() const { return !waking_.empty(); }
  void WakeMore(Wake wake);

 private:
  // The first ability whose function has a job; null: none has.
  Ability* FindWork(Worker& worker, bool* again);
  static bool IsReady(const Ability& ability) { return ability.place.empty(); }
  static void SetReady(Ability& ability);
  // Neither ready nor asleep for its function.
  static void SetWatched(Ability& ability);
  static void SetRank(Ability& ability, int64_t rank);
  // Wakes `function`'s sleepers: so many, or until the turn is over.
  void WakeSleepers(Function& function, size_t count, Wake wake);
  // A sleeper is to get a NOOP for work of `function`.
  void WakeUp(Worker& worker, Function& function, Wake wake);
  // Out of the lists of sleepers.
  void Unlist(Worker& worker);

  const WorkerOptions options_;
  JobQueue* const queue_;
  // Functions with sleepers all of whom are to be woken.
  IntrusiveList<Function, WakingTag> waking_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_WORKER_TABLE_H_
