// The embedded job server's records of jobs, functions and waiters, linked to
// each other. JobQueue keeps the rules of jobs and functions, WorkerTable those
// of workers.
//
// Not thread-safe: owned by the JobQueue and guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_JOB_H_
#define GEARMAN_SDK_EMBEDDED_JOB_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/counted_payload.h"

namespace gearman {
namespace embedded {

struct Ability;
struct Function;
struct QueuedJob;
struct UpdateOfJob;

inline constexpr size_t kPriorities = 3;
inline size_t IndexOf(Priority priority) {
  return static_cast<size_t>(priority);
}

// Tags of the lists that the records are linked in.
struct QueueTag;       // a function's queued jobs of one priority
struct HeldTag;        // the jobs that a worker holds
struct OfJobTag;       // a job's waiters
struct OfPartyTag;     // a client's waiters
struct WatchTag;       // a function's workers that saw it without work
struct SleepTag;       // a function's sleeping workers
struct IdleTag;        // unused functions
struct WakingTag;      // functions with sleepers to be woken
struct OfFunctionTag;  // a function's jobs
struct AllJobsTag;     // all jobs, in the order of their submission

// One foreground submission that waits for its job. A client that submitted a
// unique twice waits twice and gets every update twice, as with gearmand.
struct JobWaiter;

// A connection, as far as jobs know it.
struct Party {
  IntrusiveList<JobWaiter, OfPartyTag> waiting;
  // The jobs that this worker has grabbed, the newest first.
  IntrusiveList<QueuedJob, HeldTag> held;
  // Bytes of the party's waiters and of the functions that it has registered.
  size_t memory = 0;
};

struct JobWaiter : ListLink<OfJobTag>, ListLink<OfPartyTag> {
  QueuedJob* job = nullptr;
  Party* party = nullptr;
  // The last update (QueuedJob::updates) that this waiter has got or was too
  // late for.
  uint32_t told = 0;
};

// A job's data. Small data is stored in memory that the next job uses again.
// Large data is one string, shared with the packets that carry it.
class JobData {
 public:
  // `account` counts a large string until its last owner releases it. Throws
  // std::bad_alloc.
  void Assign(Payload data, ByteAccount* account) {
    if (data.size() <= kSmallBytes) {
      const absl::string_view bytes = data.view();
      small_.assign(bytes.data(), bytes.size());
    } else {
      large_ = CountedPayload(std::move(data), account);
    }
  }
  absl::string_view view() const {
    return large_ == nullptr
               ? absl::string_view(small_.data(), small_.size())
               : absl::string_view(large_->data(), large_->size());
  }
  size_t size() const { return view().size(); }
  // The bytes that CountedPayload does not count: those of small data.
  size_t uncounted_bytes() const {
    return large_ == nullptr ? small_.size() : 0;
  }
  // The data for a packet, which must be encoded before the job changes.
  Payload payload() const {
    return large_ == nullptr ? Payload::View(view()) : Payload(large_);
  }
  void Clear() {
    small_.clear();
    large_ = nullptr;
  }

 private:
  static constexpr size_t kSmallBytes = 512;

  std::string small_;
  std::shared_ptr<const std::string> large_;
};

struct QueuedJob : ListLink<QueueTag>,
                   ListLink<HeldTag>,
                   ListLink<OfFunctionTag>,
                   WalkedLink<AllJobsTag> {
  enum class State : unsigned char {
    kDelayed,  // not due yet: in the function's count, in no queue
    kQueued,
    kRunning,  // held by `holder`
  };

  State state = State::kQueued;
  Priority priority = Priority::kNone;
  // A client submitted the job in the background: it needs no waiters.
  bool background = false;
  // No client wants the job any more. It stays known and counted until a worker
  // that grabs or goes to sleep finds it (gearmand's flag "ignore").
  bool abandoned = false;
  // An administrator has cancelled the job: it stays abandoned, and no
  // submission joins it.
  bool cancelled = false;
  uint32_t retries = 0;
  // How often the job's time was up. Each time makes its next limit longer.
  uint32_t timeouts = 0;
  uint32_t numerator = 0;
  uint32_t denominator = 0;

  // The n of its handle "PREFIX:n".
  uint64_t number = 0;
  absl::string_view handle() const {
    return absl::string_view(handle_bytes.data(), handle_size);
  }
  std::array<char, 63> handle_bytes{};
  unsigned char handle_size = 0;

  Function* function = nullptr;
  std::string unique;
  std::string reducer;
  JobData data;
  // Bytes that the queue's account counts for the job, except for large data.
  size_t memory = 0;

  // The job's place among those of its function. The lowest is served first.
  uint64_t place = 0;
  // kRunning: when the worker's time is up. kDelayed: when the job is due, by
  // the wall clock.
  absl::Time timer = absl::InfiniteFuture();

  Party* holder = nullptr;
  // While an update is being sent, the waiters that have got it are behind
  // those that have not.
  IntrusiveList<JobWaiter, OfJobTag> waiters;
  size_t waiter_count = 0;
  uint32_t updates = 0;           // counts those to several waiters
  UpdateOfJob* update = nullptr;  // being sent

  // The index of uniques that holds the job: the kind of key, and the
  // neighbours in the list of that key.
  enum class Key : unsigned char { kNone, kUnique, kData };
  Key key = Key::kNone;
  QueuedJob* key_next = nullptr;
  QueuedJob* key_previous = nullptr;
  // The job is in JobQueue's index of jobs that share their key.
  bool crowded = false;
};

// An update of a job that is sent to the job's waiters over several turns.
struct UpdateOfJob {
  QueuedJob* job = nullptr;          // null: all waiters have it
  std::unique_ptr<QueuedJob> ended;  // owns `job` once it is removed
};

// A function (task) that a peer has submitted to, registered or created. It
// stays until an administrator drops it, or until it is unused and its place or
// memory is needed.
struct Function : ListLink<IdleTag>, ListLink<WakingTag> {
  explicit Function(absl::string_view function_name)
      : name(function_name.data(), function_name.size()) {}

  const std::string name;
  // Bytes that a function takes, its entries in tables included.
  size_t memory() const { return sizeof(Function) + 64 + name.size(); }
  // The hash of the name in lower case: all spellings of a name share it.
  size_t caseless_hash = 0;
  // The function has been dropped: its name no longer finds it, and its jobs
  // are being removed.
  bool dropped = false;

  IntrusiveList<QueuedJob, OfFunctionTag> jobs;  // all of them
  // Jobs that may run: one queue for each priority, first in, first out.
  std::array<IntrusiveList<QueuedJob, QueueTag>, kPriorities> queues;
  // Delayed jobs that have come due, by place. Each keeps the place in the
  // normal queue that it got when it was submitted.
  std::map<uint64_t, QueuedJob*> due;
  // Jobs that are not running, delayed and abandoned ones included.
  std::array<size_t, kPriorities> queued{};
  size_t running = 0;
  size_t total() const { return queued[0] + queued[1] + queued[2] + running; }

  // A new job of this priority is refused while `total` has reached the limit;
  // 0: no limit. Like gearmand, the server compares each limit with all jobs of
  // the function.
  std::array<uint32_t, kPriorities> max_queue{};

  // Registrations. Like gearmand, the server counts repeated ones of a worker.
  size_t workers = 0;
  // Workers that have looked and found no work. Empty while there is work.
  IntrusiveList<Ability, WatchTag> watchers;
  // Sleeping workers that have not been woken yet for the work that there is.
  IntrusiveList<Ability, SleepTag> sleepers;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_JOB_H_
