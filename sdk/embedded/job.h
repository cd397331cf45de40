// What the embedded job server knows of a job, of a function and of who waits
// for whom: plain records, linked to each other. JobQueue keeps their rules,
// WorkerTable those of the workers.
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
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/counted_payload.h"
#include "gearman/sdk/embedded/intrusive_list.h"

namespace gearman {
namespace embedded {

struct Ability;
struct Function;
struct Job;
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
struct IdleTag;        // functions that nobody uses
struct WakingTag;      // functions with sleepers to be woken
struct OfFunctionTag;  // a function's jobs
struct AllJobsTag;     // all jobs, in the order of their submission

// One foreground submission that waits for its job. A client that submitted a
// unique twice waits twice, and is told everything twice, as by gearmand.
struct Waiter;

// A connection, as far as jobs know it.
struct Party {
  IntrusiveList<Waiter, OfPartyTag> waiting;
  // Grabbed by this worker, the newest first.
  IntrusiveList<Job, HeldTag> held;
  // Bytes of its waiters, and of the functions that it has registered.
  size_t memory = 0;
};

struct Waiter : ListLink<OfJobTag>, ListLink<OfPartyTag> {
  Job* job = nullptr;
  Party* party = nullptr;
  // The last update (Job::updates) that it has been told.
  uint32_t told = 0;
};

// A job's data. What is small lies in memory that the next job uses again; what
// is large is one string, shared with the packets that carry it.
class JobData {
 public:
  // A large string is in `account` for as long as anybody keeps it. Throws
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
  // Bytes that no account has: those of small data.
  size_t uncounted_bytes() const {
    return large_ == nullptr ? small_.size() : 0;
  }
  // For a packet that is encoded before the job changes.
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

struct Job : ListLink<QueueTag>,
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
  // Somebody submitted it in the background: it lives without waiters.
  bool background = false;
  // Nobody wants it any more: it stays known and counted until a worker that
  // grabs or goes to sleep comes upon it (gearmand's flag "ignore").
  bool abandoned = false;
  // By an administrator: abandoned for good, joined by no further submit.
  bool cancelled = false;
  uint32_t retries = 0;
  // How often its time was up: its next limit is longer.
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
  // Bytes of it that are in the queue's account.
  size_t memory = 0;

  // Place among the jobs of its function: lower is served first.
  uint64_t place = 0;
  // When its worker's time is up (kRunning); when it is due, by the wall clock
  // (kDelayed).
  absl::Time timer = absl::InfiniteFuture();

  Party* holder = nullptr;
  // While an update is on its way, those that have been told it are behind
  // those that have not.
  IntrusiveList<Waiter, OfJobTag> waiters;
  size_t waiter_count = 0;
  uint32_t updates = 0;           // counts them
  UpdateOfJob* update = nullptr;  // on its way

  // The index of uniques that it is in: which text, and its neighbours there.
  enum class Key : unsigned char { kNone, kUnique, kData };
  Key key = Key::kNone;
  Job* key_next = nullptr;
  Job* key_previous = nullptr;
  // It is in the queue's index of jobs that are not alone with their key.
  bool crowded = false;
};

// An update of a job that is on its way to those who wait for it, in slices.
struct UpdateOfJob {
  Job* job = nullptr;          // null: it has reached all
  std::unique_ptr<Job> ended;  // `job`, if it was removed meanwhile
};

// A function (task) that somebody has submitted to, registered or created. It
// stays until an administrator drops it, or its place is needed for another one
// while nobody uses it.
struct Function : ListLink<IdleTag>, ListLink<WakingTag> {
  explicit Function(absl::string_view function_name)
      : name(function_name.data(), function_name.size()) {}

  const std::string name;
  // Bytes of memory that a function takes, its place in tables included.
  size_t memory() const { return sizeof(Function) + 64 + name.size(); }
  // Of the name in lower case: spellings of one name have one hash.
  size_t caseless_hash = 0;
  // It has been dropped and no name leads to it: its jobs are being removed.
  bool dropped = false;

  IntrusiveList<Job, OfFunctionTag> jobs;  // all of them
  // Jobs that may run, by priority, each first in, first out.
  std::array<IntrusiveList<Job, QueueTag>, kPriorities> queues;
  // Delayed jobs that have come due, by their place in the normal queue, which
  // they keep.
  std::map<uint64_t, Job*> due;
  // Jobs that don't run, delayed and abandoned ones included.
  std::array<size_t, kPriorities> queued{};
  size_t running = 0;
  size_t total() const { return queued[0] + queued[1] + queued[2] + running; }

  // A submit of this priority is refused while `total` has reached it; 0: no
  // limit. Each is compared with all jobs of the function, as by gearmand.
  std::array<uint32_t, kPriorities> max_queue{};

  // Registrations: as by gearmand, one worker's repeated ones count.
  size_t workers = 0;
  // Those who have looked and found no work; none while there is some.
  IntrusiveList<Ability, WatchTag> watchers;
  // Sleepers that have not been woken for the work that there is.
  IntrusiveList<Ability, SleepTag> sleepers;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_JOB_H_
