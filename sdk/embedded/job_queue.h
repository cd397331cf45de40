// JobQueue: the jobs of the embedded job server, and the rules of what becomes
// of them: priorities, uniques, delays, limits, lost workers.
//
// Pure: no I/O, no clock, no threads. ServerEngine tells clients and workers
// what happens here. Every call is O(1), or O(log n) where a job is delayed or
// has a time limit and where a function is made or removed. Longer work (lists,
// jobs to be dropped) is done in steps that cost units of the WorkMeter, so
// that the caller can stop and go on later.
//
// Memory: Submit, GetFunction, GetFunctionFor, SpellingAfter, PopDue,
// SetTimeLimit and the lists throw std::bad_alloc when there is none. Then
// nothing has changed, except for unused functions. No other call allocates.
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
#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/growing_map.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {

struct JobQueueOptions {
  // Handles are "PREFIX:n", n from 1. At most kMaxHandlePrefixBytes, no NUL.
  std::string handle_prefix = "H:embedded";
  // How often a job may run in all: it is dropped when it loses its worker for
  // the N-th time. 0: no limit.
  uint32_t max_runs = 0;
  // Limits of the jobs held at once and of the bytes of their data. As many
  // submissions as max_jobs may have joined jobs, too. 0: no limit.
  size_t max_jobs = 0;
  size_t max_bytes = 0;
  // Limit of the functions known at once. Workers with few functions may
  // register a quarter more (see GetFunctionFor). 0: no limit.
  size_t max_functions = 0;
  // Limit of the bytes of memory for jobs, their records and functions. 0: no
  // limit.
  size_t max_memory = 0;
};

// The queue keeps the names of unused functions for lists, up to this many
// bytes.
inline constexpr size_t kMaxIdleNameBytes = 32 << 20;
// Beyond max_functions, a worker with n functions may register one more while
// at least n + 1 times this many places of the reserve are free. So workers
// with many functions leave room for workers with few, however many there are.
inline constexpr size_t kReserveShare = 64;

// 63 bytes of a handle, less a colon and the largest number.
inline constexpr size_t kMaxHandlePrefixBytes = 42;

// A submission of a client.
struct Submission {
  absl::string_view function;
  // Empty: never joined. "-": joined by equal data.
  absl::string_view unique;
  absl::string_view reducer;
  Priority priority = Priority::kNone;
  // The job must not run before this time.
  absl::Time not_before = absl::InfinitePast();
  Payload data;
  // The client that waits for the job; null: submitted in the background.
  Party* waiter = nullptr;
};

class JobQueue {
 public:
  enum class Outcome : unsigned char {
    kNew,
    kJoined,            // a job with the same function and unique exists
    kFull,              // a limit is reached: there is no job
    kTooManyFunctions,  // no place for the function: no job
  };
  struct Submitted {
    Outcome outcome;
    QueuedJob* job;
  };
  // A timer that has fired.
  struct Due {
    QueuedJob* job;
    // True: the job was delayed and is queued now. False: its worker's time is
    // up.
    bool was_delayed;
  };
  enum class Runnable : unsigned char {
    kNo,
    kYes,
    kUnknown,  // the turn is over, and more abandoned jobs are to be removed
  };
  // A place in the list of all jobs.
  using JobWalker = ListWalker<QueuedJob, AllJobsTag>;

  // `account` also counts the queue's bytes. It may be null.
  explicit JobQueue(const JobQueueOptions& options,
                    ByteAccount* account = nullptr);
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // Measures the cost of the calls.
  WorkMeter& meter() { return meter_; }

  // --- functions ---
  // Returns the function of this name, and makes it if there is none. At
  // max_functions it replaces the function that has been unused for longest:
  // that has no jobs, workers and limits of its own. Null: all functions are in
  // use, or max_memory has no room for the name.
  Function* GetFunction(absl::string_view name);
  // Like GetFunction, for a worker that has registered `registered` functions.
  // Such a worker may get a place of the reserve (kReserveShare).
  Function* GetFunctionFor(absl::string_view name, size_t registered);
  // Null: there is no function of this name.
  Function* FindFunction(absl::string_view name);
  // The first function whose name is greater than `*name`; null `name`: the
  // first of all. Null: there is none.
  Function* FunctionAfter(const std::string* name);
  // The first function whose name equals `name` in any case and is greater than
  // `*last`; null `last`: the first of them. Null: there is none.
  Function* SpellingAfter(absl::string_view name, const std::string* last);
  // Call AddRegistration once for each registration. RemoveRegistrations
  // removes all `count` registrations of one worker together.
  void AddRegistration(Function& function);
  void RemoveRegistrations(Function& function, size_t count);
  // Sets the limits of the function's queue (Function::max_queue).
  void SetMaxQueue(Function& function, uint32_t high, uint32_t normal,
                   uint32_t low);
  // Removes at once a function that has neither jobs nor workers.
  void RemoveFunction(Function& function);
  // Drops a function without workers: its name no longer finds it and is free.
  // The caller ends the function's jobs and then calls ForgetDropped.
  void DropFunction(Function& function);
  void ForgetDropped(Function& function);
  // All functions, by name. For tests.
  std::vector<Function*> Functions();

  // --- jobs ---
  // `wall` is the wall clock's time, by which delayed jobs come due.
  Submitted Submit(Submission submission, absl::Time wall);
  QueuedJob* FindByHandle(absl::string_view handle);
  // Returns the newest job with this unique, of whichever function. Empty and
  // "-" find none.
  QueuedJob* FindByUnique(absl::string_view unique);
  // Places the walker before the first job. Jobs come in the order of their
  // submission.
  void StartWalk(JobWalker* walker) { walker->Start(&all_jobs_); }
  // The number of the newest job that there ever was.
  uint64_t last_number() const { return last_number_; }
  // All jobs, in the order of their submission. For tests.
  std::vector<QueuedJob*> Jobs();
  size_t size() const { return by_number_.size(); }
  size_t bytes() const { return bytes_; }
  // Bytes of the queue's memory, functions included. Party::memory counts
  // waiters and registrations.
  size_t memory() const { return account_.bytes(); }

  // Tells whether the function has a job that may run now. Removes abandoned
  // jobs that are next in its queue, as many as the turn allows. With kYes sets
  // `runnable`, unless it is null.
  Runnable FindRunnable(Function& function, QueuedJob** runnable = nullptr);
  // Like FindRunnable, but true also while the answer is unknown.
  bool HasRunnable(Function& function) {
    return FindRunnable(function) != Runnable::kNo;
  }
  // Takes the function's next job, which `holder` holds from now on. Null: none
  // may run now, or the turn is over.
  QueuedJob* Take(Function& function, Party& holder);
  // PopDue reports the running job once `limit` is reached.
  void SetTimeLimit(QueuedJob& job, absl::Time limit);
  // The job's worker is gone: the job goes to the end of its queue. False: the
  // job has been lost too often. The caller must tell its waiters and Remove
  // it.
  bool Requeue(QueuedJob& job);
  // Forgets an ended job and its waiters, whatever the job's state.
  void Remove(QueuedJob& job);
  // Like Remove, but the waiters stay. The caller owns the job. It must tell
  // and Free each waiter and then Recycle the job.
  std::unique_ptr<QueuedJob> End(QueuedJob& job);
  void Free(JobWaiter& waiter);
  void Recycle(std::unique_ptr<QueuedJob> job);
  // Frees an ended job and its remaining waiters later (see FreeRemoved).
  void FreeLater(std::unique_ptr<QueuedJob> job) {
    removed_.PushBack(*job.release());
  }
  // True: removed jobs and their waiters are still to be freed. FreeRemoved
  // frees as many as the turn allows.
  bool has_removed() { return !removed_.empty(); }
  void FreeRemoved();
  // Removes all jobs.
  void Clear();
  // The job will not run, and no submission may join it.
  void Cancel(QueuedJob& job);
  // A client's submission no longer waits for its job. A foreground job without
  // waiters is abandoned.
  void Leave(JobWaiter& waiter);

  // --- time ---
  // When to call PopDue next; InfiniteFuture: never. While jobs are delayed
  // this is at most a second ahead, as the wall clock may be set.
  absl::Time next_deadline() const;
  // Returns a job whose timer has fired, one for each call; null job: there are
  // no more. Time limits go by `now`, which never goes backwards. Delayed jobs
  // go by `wall`.
  Due PopDue(absl::Time now, absl::Time wall);

 private:
  // Jobs that share a key, linked by key_next, the newest first. The key is a
  // view of text in one of them.
  using KeyIndex = GrowingMap<absl::string_view, QueuedJob*>;
  // The key by which a submission joins a job. The text is stored in the job.
  using JoinKey =
      std::tuple<const Function*, QueuedJob::Key, absl::string_view>;
  // Time, the job's number (which orders jobs of one time), job.
  using Timer = std::tuple<absl::Time, uint64_t, QueuedJob*>;

  // Makes a function that does not exist yet. Null: max_memory has no room for
  // it. Throws std::bad_alloc; then no function has been added.
  Function* NewFunction(absl::string_view name);
  // Takes the function out of all indexes and returns it.
  std::unique_ptr<Function> TakeOut(Function& function);
  // Forgets the function that has been unused for longest. False: all are used.
  bool ForgetIdle();
  // The function's jobs, workers or limits have changed.
  void NoteUse(Function& function);
  QueuedJob* FindToJoin(Function& function, absl::string_view unique,
                        absl::string_view data);
  QueuedJob& NewJob(Function& function, Submission submission, absl::Time wall);
  std::unique_ptr<JobWaiter> NewWaiter();
  void AddWaiter(std::unique_ptr<JobWaiter> owned, QueuedJob& job,
                 Party& party);
  // Forgets unused functions until max_memory has room for `bytes` more. True:
  // it has none even then.
  bool Exceeds(size_t bytes);
  // The function's next job, which stays in its queue; null: there is none.
  QueuedJob* Front(Function& function);
  // Takes the job out of its queue, delayed or not.
  void Dequeue(QueuedJob& job);
  // The latest time for the next look at the wall clock.
  absl::Time LatestLook() const;
  void SetTimer(QueuedJob& job, absl::Time time);
  void ClearTimer(QueuedJob& job);
  std::set<Timer>& TimersOf(const QueuedJob& job) {
    return job.state == QueuedJob::State::kDelayed ? delayed_ : timers_;
  }
  KeyIndex& IndexOfKey(QueuedJob::Key key) {
    return key == QueuedJob::Key::kUnique ? by_unique_ : by_data_;
  }
  static absl::string_view KeyText(const QueuedJob& job);
  void AddKey(QueuedJob& job, QueuedJob::Key key);
  void RemoveKey(QueuedJob& job);
  void JoinCrowd(QueuedJob& job);
  void LeaveCrowd(QueuedJob& job);

  const JobQueueOptions options_;
  const std::string handle_start_;  // "PREFIX:"
  // Must outlive the jobs whose data it counts.
  ByteAccount account_;
  WorkMeter meter_;
  GrowingMap<absl::string_view, std::unique_ptr<Function>> functions_;
  // All functions by name, and by Function::caseless_hash and name, which keeps
  // the spellings of one name together.
  std::map<absl::string_view, Function*> by_name_;
  std::map<std::pair<size_t, absl::string_view>, Function*> by_spelling_;
  // The list owns its functions, so that dropping one allocates nothing.
  IntrusiveList<Function, IdleTag> dropped_;
  // The next call is mostly for the same function.
  Function* last_found_ = nullptr;
  // Unused functions, the one that has been unused for longest first.
  IntrusiveList<Function, IdleTag> idle_functions_;
  size_t idle_name_bytes_ = 0;
  GrowingMap<uint64_t, std::unique_ptr<QueuedJob>> by_number_;
  IntrusiveList<QueuedJob, AllJobsTag> all_jobs_;
  // Removed jobs whose waiters are still to be freed. The list owns these jobs,
  // so that removing a job allocates nothing.
  IntrusiveList<QueuedJob, QueueTag> removed_;
  KeyIndex by_unique_;
  KeyIndex by_data_;  // of jobs whose unique is "-"
  // Jobs that may be joined and that have shared their key with another job at
  // some time. So no call searches the jobs of a key that many functions or
  // cancelled jobs share. Nearly always empty: a key is hardly ever shared.
  GrowingMap<JoinKey, QueuedJob*> crowded_;
  // Sets of nodes: an insertion that throws changes nothing.
  std::set<Timer> timers_;   // ends of time limits
  std::set<Timer> delayed_;  // by the wall clock
  // When to look at the wall clock next for delayed jobs, by the clock that
  // never goes backwards.
  absl::Time look_at_delayed_ = absl::InfiniteFuture();
  // Both values are as of the last PopDue.
  absl::Time now_ = absl::InfinitePast();
  absl::Duration wall_minus_now_ = absl::ZeroDuration();
  uint64_t last_number_ = 0;
  uint64_t last_place_ = 0;
  size_t bytes_ = 0;

  // Records for reuse, so that a server in steady state allocates nothing.
  std::vector<std::unique_ptr<QueuedJob>> spare_jobs_;
  std::vector<std::unique_ptr<JobWaiter>> spare_waiters_;
  size_t waiters_ = 0;  // of all jobs
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_JOB_QUEUE_H_
