// JobQueue: the jobs of the embedded job server, and the rules of what becomes
// of them: priorities, uniques, delays, limits, lost workers.
//
// Pure: no I/O, no clock, no threads; whoever must be told of what happens here
// is told by ServerEngine. Every call is O(1), or O(log n) where a job is
// delayed or has a time limit and where a function is made or removed. What
// takes longer (lists, jobs that are to be dropped) is done in steps, and costs
// units of the WorkMeter, so that the caller can stop and go on later.
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
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/growing_map.h"
#include "gearman/sdk/embedded/intrusive_list.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/work_meter.h"

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
  // Functions known at once. A quarter more may be registered by workers that
  // have few (see GetFunctionFor). 0: no limit.
  size_t max_functions = 0;
  // Bytes of all memory: of jobs with their records, and of functions. 0: no
  // limit.
  size_t max_memory = 0;
};

// Names of functions that nobody uses are kept, to be listed, up to so many
// bytes.
inline constexpr size_t kMaxIdleNameBytes = 32 << 20;
// A worker with n functions may register one more beyond max_functions while
// more than n times this many places of the reserve are free: so those who have
// many leave room for those who have few, however many they are.
inline constexpr size_t kReserveShare = 64;

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
  enum class Runnable : unsigned char {
    kNo,
    kYes,
    kUnknown,  // the turn is over, and more abandoned jobs are to be removed
  };
  // A place in the list of all jobs.
  using JobWalker = ListWalker<Job, AllJobsTag>;

  // The queue's bytes are in `account`, too, which may be null.
  explicit JobQueue(const JobQueueOptions& options,
                    ByteAccount* account = nullptr);
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // What the calls have cost.
  WorkMeter& meter() { return meter_; }

  // --- functions ---
  // The function of a name, made if need be. At max_functions the one that
  // nobody has used for the longest time is forgotten for it: without jobs,
  // workers and limits of its own it is a mere name. Null: there is none such,
  // or the name is too much for max_memory.
  Function* GetFunction(absl::string_view name);
  // The same for a worker that has registered so many, which may get a place of
  // the reserve.
  Function* GetFunctionFor(absl::string_view name, size_t registered);
  // Null: nobody has named it yet.
  Function* FindFunction(absl::string_view name);
  // The first function whose name is greater than `name`; null name: the first
  // of all. Null: there is none.
  Function* FunctionAfter(const std::string* name);
  // The first function that `name` is a spelling of, whatever the case, and
  // whose name is greater than `last`; null: as above.
  Function* SpellingAfter(absl::string_view name, const std::string* last);
  // Once for each registration; all of one worker's end together.
  void AddRegistration(Function& function);
  void RemoveRegistrations(Function& function, size_t count);
  // Sets the limits of its queue (Function::max_queue).
  void SetMaxQueue(Function& function, uint32_t high, uint32_t normal,
                   uint32_t low);
  // Removes a function that has neither jobs nor workers, at once.
  void RemoveFunction(Function& function);
  // A function without workers is not found any more: its name is free. The
  // caller ends its jobs and then calls ForgetDropped.
  void DropFunction(Function& function);
  void ForgetDropped(Function& function);
  // All functions, by name. For tests.
  std::vector<Function*> Functions();

  // --- jobs ---
  // `wall` is the wall clock's time, which a delayed job waits for.
  Submitted Submit(Submission submission, absl::Time wall);
  Job* FindByHandle(absl::string_view handle);
  // Of several functions' jobs the newest. Empty and "-" find none.
  Job* FindByUnique(absl::string_view unique);
  // The walker stands before the first job; jobs come in the order of their
  // submission.
  void StartWalk(JobWalker* walker) { walker->Start(&all_jobs_); }
  // Of the newest job that there ever was.
  uint64_t last_number() const { return last_number_; }
  // All jobs, in the order of their submission. For tests.
  std::vector<Job*> Jobs();
  size_t size() const { return by_number_.size(); }
  size_t bytes() const { return bytes_; }
  // Bytes of all memory, functions included; waiters and registrations are
  // their party's.
  size_t memory() const { return account_.bytes(); }

  // Whether the function has a job that may run now. Abandoned ones that come
  // up are removed, as many as the turn allows.
  Runnable FindRunnable(Function& function);
  // The same; it may have one while that is unknown.
  bool HasRunnable(Function& function) {
    return FindRunnable(function) != Runnable::kNo;
  }
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
  // The same, but those who wait for it still do: it is the caller's, who tells
  // them, frees each, and gives the job back.
  std::unique_ptr<Job> End(Job& job);
  void Free(Waiter& waiter);
  void Recycle(std::unique_ptr<Job> job);
  // The same, whoever still waits.
  void FreeLater(std::unique_ptr<Job> job) {
    removed_.PushBack(*job.release());
  }
  // Waiters of removed jobs are left to be freed; FreeRemoved frees some.
  bool has_removed() { return !removed_.empty(); }
  void FreeRemoved();
  // Removes all jobs.
  void Clear();
  // It shall not run, and nobody may join it.
  void Cancel(Job& job);
  // A client's submission no longer waits. A foreground job that nobody waits
  // for is abandoned.
  void Leave(Waiter& waiter);

  // --- time ---
  // When PopDue next wants to be called; InfiniteFuture: never. While jobs are
  // delayed it is once a second at least, as the wall clock may be set.
  absl::Time next_deadline() const;
  // A job whose timer has fired, one for each call; null job: no more. Time
  // limits go by `now`, which never goes backwards, delayed jobs by `wall`.
  Due PopDue(absl::Time now, absl::Time wall);

 private:
  // Jobs that share a key, linked by key_next, the newest first. The key lies
  // in one of them.
  using KeyIndex = GrowingMap<absl::string_view, Job*>;
  // What a submission joins by. The text lies in the job.
  using JoinKey = std::tuple<const Function*, Job::Key, absl::string_view>;
  // Time, number (to tell jobs of one time apart, in order), job.
  using Timer = std::tuple<absl::Time, uint64_t, Job*>;

  // Makes a function, of which there is none yet. Null: there is no memory for
  // it. Throws std::bad_alloc; then nothing has changed.
  Function* NewFunction(absl::string_view name);
  // The function is in no index any more.
  std::unique_ptr<Function> TakeOut(Function& function);
  // Forgets an unused function. False: all are used.
  bool ForgetIdle();
  // Its jobs, workers or limits have changed.
  void NoteUse(Function& function);
  Job* FindToJoin(Function& function, absl::string_view unique,
                  absl::string_view data);
  Job& NewJob(Function& function, Submission submission, absl::Time wall);
  std::unique_ptr<Waiter> NewWaiter();
  void AddWaiter(std::unique_ptr<Waiter> owned, Job& job, Party& party);
  // So many more bytes would be more than max_memory, whatever is forgotten.
  bool Exceeds(size_t bytes);
  // The next job in the queues, not taken out; null: none may run now.
  Job* Front(Function& function);
  void Enqueue(Job& job);
  // Out of the queue that it waits in, delayed or not.
  void Dequeue(Job& job);
  // The wall clock is looked at again by then.
  absl::Time LatestLook() const;
  void SetTimer(Job& job, absl::Time time);
  void ClearTimer(Job& job);
  std::set<Timer>& TimersOf(const Job& job) {
    return job.state == Job::State::kDelayed ? delayed_ : timers_;
  }
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
  WorkMeter meter_;
  GrowingMap<absl::string_view, std::unique_ptr<Function>> functions_;
  // The same in the order of the names, and those of one name in any case
  // together (by Function::caseless_hash, then name).
  std::map<absl::string_view, Function*> by_name_;
  std::map<std::pair<size_t, absl::string_view>, Function*> by_spelling_;
  // Owned by the list, so that dropping a function allocates nothing.
  IntrusiveList<Function, IdleTag> dropped_;
  // What comes next is mostly of the same function.
  Function* last_found_ = nullptr;
  // Those that nobody uses, the one unused for the longest time first.
  IntrusiveList<Function, IdleTag> idle_functions_;
  size_t idle_name_bytes_ = 0;
  GrowingMap<uint64_t, std::unique_ptr<Job>> by_number_;
  IntrusiveList<Job, AllJobsTag> all_jobs_;
  // Forgotten; their waiters have to be freed. Owned by the list, so that
  // removing a job allocates nothing.
  IntrusiveList<Job, QueueTag> removed_;
  KeyIndex by_unique_;
  KeyIndex by_data_;  // of jobs whose unique is "-"
  // The joinable ones of those that once were not alone with their key, so that
  // a key of many functions or cancelled jobs makes nobody search. Nearly
  // always empty: a key is hardly ever shared.
  GrowingMap<JoinKey, Job*> crowded_;
  // Node sets: an insertion does nothing or all.
  std::set<Timer> timers_;   // ends of time limits
  std::set<Timer> delayed_;  // by the wall clock
  // When the wall clock is looked at next for delayed jobs, by the clock that
  // never goes backwards.
  absl::Time look_at_delayed_ = absl::InfiniteFuture();
  // At the last PopDue.
  absl::Time now_ = absl::InfinitePast();
  absl::Duration wall_minus_now_ = absl::ZeroDuration();
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
