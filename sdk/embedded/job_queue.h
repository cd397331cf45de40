// JobQueue: the jobs of the embedded job server, and the rules of what becomes
// of them: priorities, uniques, delays, limits, lost workers.
//
// Pure: no I/O, no clock, no threads; whoever must be told of what happens here
// is told by ServerEngine. Every call is O(1), O(log n) where a job is delayed
// or has a time limit.
//
// Memory: Submit, GetFunction, PopDue, SetTimeLimit and the lists throw
// std::bad_alloc when there is none; then nothing has changed. Nothing else
// allocates.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_JOB_QUEUE_H_
#define GEARMAN_SDK_EMBEDDED_JOB_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/growing_map.h"
#include "gearman/sdk/embedded/job.h"

namespace gearman {
namespace embedded {

struct JobQueueOptions {
  // Handles are "PREFIX:n", n from 1. At most kMaxHandlePrefixBytes, no NUL.
  std::string handle_prefix = "H:embedded";
  // How often a job may run in all: at its N-th loss it is dropped. 0: no
  // limit.
  uint32_t max_runs = 0;
  // Jobs, and bytes of their data, held at once; so many submissions may have
  // joined jobs, too. 0: no limit.
  size_t max_jobs = 0;
  size_t max_bytes = 0;
  // Functions known at once. 0: no limit.
  size_t max_functions = 0;
  // Bytes of all memory: of jobs with their records, and of functions. 0: no
  // limit.
  size_t max_memory = 0;
};

// 63 bytes of a handle, less a colon and the largest number.
inline constexpr size_t kMaxHandlePrefixBytes = 42;

// What a client submits.
struct Submission {
  absl::string_view function;
  // Empty: never joined. "-": joined by equal data.
  absl::string_view unique;
  absl::string_view reducer;
  Priority priority = Priority::kNone;
  // Not before this time.
  absl::Time not_before = absl::InfinitePast();
  Payload data;
  // Who waits for it; null: submitted in the background.
  Party* waiter = nullptr;
};

class JobQueue {
 public:
  enum class Outcome : unsigned char {
    kNew,
    kJoined,            // a job with the same function and unique exists
    kFull,              // a limit: there is no job
    kTooManyFunctions,  // the same, for max_functions
  };
  struct Submitted {
    Outcome outcome;
    Job* job;
  };
  // A timer that has fired.
  struct Due {
    Job* job;
    // It was delayed and now is queued; else its worker's time is up.
    bool was_delayed;
  };

  // The queue's bytes are in `account`, too, which may be null.
  explicit JobQueue(const JobQueueOptions& options,
                    ByteAccount* account = nullptr);
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // --- functions ---
  // The function of a name, made if need be. At max_functions the one that
  // nobody has used for the longest time is forgotten for it: without jobs,
  // workers and limits of its own it is a mere name. Null: there is none such.
  Function* GetFunction(absl::string_view name);
  // Null: nobody has named it yet.
  Function* FindFunction(absl::string_view name);
  // Once for each registration; all of one worker's end together.
  void AddRegistration(Function& function);
  void RemoveRegistrations(Function& function, size_t count);
  // Sets the limits of its queue (Function::max_queue).
  void SetMaxQueue(Function& function, uint32_t high, uint32_t normal,
                   uint32_t low);
  // Removes a function that has neither jobs nor workers.
  void RemoveFunction(Function& function);
  // All functions, by name.
  std::vector<Function*> Functions();

  // --- jobs ---
  Submitted Submit(Submission submission, absl::Time now);
  Job* FindByHandle(absl::string_view handle);
  // Of several functions' jobs the newest. Empty and "-" find none.
  Job* FindByUnique(absl::string_view unique);
  // All jobs, in the order of their submission.
  std::vector<Job*> Jobs();
  size_t size() const { return by_number_.size(); }
  size_t bytes() const { return bytes_; }
  // Bytes of all memory, functions included; waiters and registrations are
  // their party's.
  size_t memory() const { return account_.bytes(); }

  // The function has a job that may run now. Abandoned ones that come up are
  // removed.
  bool HasRunnable(Function& function);
  // The job that is next, held by `holder` from now on, until `limit` (a time
  // out is then reported by PopDue); null: none may run now.
  Job* Take(Function& function, Party& holder);
  void SetTimeLimit(Job& job, absl::Time limit);
  // A running job's worker is gone: the job goes to the end of its queue.
  // False: it has been lost too often; tell its waiters and Remove it.
  bool Requeue(Job& job);
  // The job has ended, whatever its state: it is forgotten, and its waiters
  // with it.
  void Remove(Job& job);
  // Removes all jobs.
  void Clear();
  // It shall not run, and nobody may join it.
  void Cancel(Job& job);
  // A client's submission no longer waits. A foreground job that nobody waits
  // for is abandoned.
  void Leave(Waiter& waiter);

  // --- time ---
  // When PopDue next has something; InfiniteFuture: never.
  absl::Time next_deadline() const;
  // A job whose timer has fired at `now`, one for each call; null job: no more.
  Due PopDue(absl::Time now);

 private:
  // Jobs that share a key, linked by key_next, the newest first. The key lies
  // in one of them.
  using KeyIndex = GrowingMap<absl::string_view, Job*>;
  // What a submission joins by. The text lies in the job.
  using JoinKey = std::tuple<const Function*, Job::Key, absl::string_view>;
  // Time, number (to tell jobs of one time apart, in order), job.
  using Timer = std::tuple<absl::Time, uint64_t, Job*>;

  // Its jobs, workers or limits have changed.
  void NoteUse(Function& function);
  Job* FindToJoin(Function& function, absl::string_view unique,
                  absl::string_view data);
  Job& NewJob(Function& function, Submission submission, absl::Time now);
  std::unique_ptr<Waiter> NewWaiter();
  void AddWaiter(std::unique_ptr<Waiter> owned, Job& job, Party& party);
  // So many more bytes would be more than max_memory, whatever is forgotten.
  bool Exceeds(size_t bytes);
  void FreeWaiter(Waiter& waiter);
  // The next job in the queues, not taken out; null: none may run now.
  Job* Front(Function& function);
  void Enqueue(Job& job);
  // Out of the queue that it waits in, delayed or not.
  void Dequeue(Job& job);
  void SetTimer(Job& job, absl::Time time);
  void ClearTimer(Job& job);
  KeyIndex& IndexOfKey(Job::Key key) {
    return key == Job::Key::kUnique ? by_unique_ : by_data_;
  }
  static absl::string_view KeyText(const Job& job);
  void AddKey(Job& job, Job::Key key);
  void RemoveKey(Job& job);
  void JoinCrowd(Job& job);
  void LeaveCrowd(Job& job);

  const JobQueueOptions options_;
  const std::string handle_start_;  // "PREFIX:"
  // Outlives what is in it.
  ByteAccount account_;
  GrowingMap<absl::string_view, std::unique_ptr<Function>> functions_;
  // What comes next is mostly of the same function.
  Function* last_found_ = nullptr;
  // Those that nobody uses, the one unused for the longest time first.
  IntrusiveList<Function, IdleTag> idle_functions_;
  size_t idle_name_bytes_ = 0;
  GrowingMap<uint64_t, std::unique_ptr<Job>> by_number_;
  KeyIndex by_unique_;
  KeyIndex by_data_;  // of jobs whose unique is "-"
  // The joinable ones of those that once were not alone with their key, so that
  // a key of many functions or cancelled jobs makes nobody search. Nearly
  // always empty: a key is hardly ever shared.
  GrowingMap<JoinKey, Job*> crowded_;
  // A node set: its insertion does nothing or all.
  std::set<Timer> timers_;
  uint64_t last_number_ = 0;
  uint64_t last_place_ = 0;
  size_t bytes_ = 0;

  // Records to use again, so that a server in steady state allocates nothing.
  std::vector<std::unique_ptr<Job>> spare_jobs_;
  std::vector<std::unique_ptr<Waiter>> spare_waiters_;
  size_t waiters_ = 0;  // of all jobs
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_JOB_QUEUE_H_
