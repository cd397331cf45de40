#include "gearman/sdk/embedded/job_queue.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace embedded {
namespace {

// The highest priority first.
constexpr std::array<Priority, kPriorities> kBestFirst = {
    Priority::kHigh, Priority::kNone, Priority::kLow};

constexpr size_t kMaxSpares = 1024;
// kJobOverhead: the bytes that tables and malloc add to a job's record.
// kWaiterMemory: a waiter with the bytes that malloc adds.
constexpr size_t kJobOverhead = 96;
constexpr size_t kWaiterMemory = sizeof(JobWaiter) + 16;

// How often the queue looks at the wall clock while jobs are delayed: it may be
// set.
constexpr absl::Duration kLookAtWallClock = absl::Seconds(1);

// Clears a string of a recycled record. The string keeps its memory unless that
// is large.
void ClearText(std::string& text) {
  constexpr size_t kKept = 64;
  if (text.capacity() > kKept) {
    text = std::string();
  } else {
    text.clear();
  }
}

}  // namespace

JobQueue::JobQueue(const JobQueueOptions& options, ByteAccount* account)
    : options_(options),
      handle_start_(absl::StrCat(absl::string_view(options.handle_prefix)
                                     .substr(0, kMaxHandlePrefixBytes),
                                 ":")),
      account_(account) {
  spare_jobs_.reserve(kMaxSpares);
  spare_waiters_.reserve(kMaxSpares);
}

JobQueue::~JobQueue() { Clear(); }

void JobQueue::Clear() {
  JobWalker walker;
  StartWalk(&walker);
  size_t steps = 0;
  while (QueuedJob* const job = walker.Next(&steps)) Remove(*job);
  meter_.StartTurn(std::numeric_limits<int64_t>::max());
  FreeRemoved();
  while (!dropped_.empty()) ForgetDropped(dropped_.front());
}

// --- submitting --------------------------------------------------------------

QueuedJob* JobQueue::FindToJoin(Function& function, absl::string_view unique,
                                absl::string_view data) {
  if (unique.empty()) return nullptr;
  const bool by_data = unique == "-";
  if (by_data && data.empty()) return nullptr;
  const QueuedJob::Key key =
      by_data ? QueuedJob::Key::kData : QueuedJob::Key::kUnique;
  const absl::string_view text = by_data ? data : unique;
  KeyIndex& index = IndexOfKey(key);
  const auto found = index.find(text);
  if (!found) return nullptr;
  QueuedJob* const newest = found->second;
  if (newest->function == &function && !newest->cancelled) return newest;
  if (newest->key_next == nullptr) return nullptr;
  const auto crowded = crowded_.find(JoinKey(&function, key, text));
  return crowded ? crowded->second : nullptr;
}

JobQueue::Submitted JobQueue::Submit(Submission submission, absl::Time wall) {
  // A submission that is refused must leave no function behind.
  Function* function = FindFunction(submission.function);
  Party* const party = submission.waiter;
  std::unique_ptr<JobWaiter> waiter;
  if (party != nullptr) waiter = NewWaiter();
  Outcome outcome = Outcome::kJoined;
  QueuedJob* job =
      function == nullptr
          ? nullptr
          : FindToJoin(*function, submission.unique, submission.data.view());
  if (job == nullptr) {
    const uint32_t limit =
        function == nullptr ? 0
                            : function->max_queue[IndexOf(submission.priority)];
    if ((limit > 0 && function->total() >= limit) ||
        (options_.max_jobs > 0 && size() >= options_.max_jobs) ||
        (options_.max_bytes > 0 &&
         bytes_ + submission.data.size() > options_.max_bytes)) {
      return {Outcome::kFull, nullptr};
    }
    if (Exceeds(sizeof(QueuedJob) + kJobOverhead + submission.unique.size() +
                submission.reducer.size() + submission.data.size())) {
      return {Outcome::kFull, nullptr};
    }
    // Exceeds may have forgotten the function to make room.
    function = FindFunction(submission.function);
    if (function == nullptr) function = GetFunction(submission.function);
    if (function == nullptr) return {Outcome::kTooManyFunctions, nullptr};
    outcome = Outcome::kNew;
    job = &NewJob(*function, std::move(submission), wall);
  } else if (waiter != nullptr && options_.max_jobs > 0 &&
             waiters_ >= size() + options_.max_jobs) {
    return {Outcome::kFull, nullptr};
  }
  // In gearmand an abandoned job stays abandoned when a client joins it, and
  // the client waits forever. When a foreground client leaves, gearmand also
  // abandons a background job that the client has joined. This server loses or
  // hangs no job in these cases.
  job->abandoned = false;
  if (waiter == nullptr) {
    job->background = true;
  } else {
    AddWaiter(std::move(waiter), *job, *party);
  }
  return {outcome, job};
}

QueuedJob& JobQueue::NewJob(Function& function, Submission submission,
                            absl::Time wall) {
  meter_.Spend(cost::kJob);
  std::unique_ptr<QueuedJob> owned;
  if (spare_jobs_.empty()) {
    owned = std::make_unique<QueuedJob>();
  } else {
    owned = std::move(spare_jobs_.back());
    spare_jobs_.pop_back();
  }
  QueuedJob& job = *owned;
  // Allocate everything first.
  job.unique.assign(submission.unique.data(), submission.unique.size());
  if (!submission.reducer.empty()) {
    job.reducer.assign(submission.reducer.data(), submission.reducer.size());
  }
  by_number_.Reserve(1);
  by_unique_.Reserve(1);
  by_data_.Reserve(1);
  crowded_.Reserve(2);
  const size_t data_bytes = submission.data.size();
  job.data.Assign(std::move(submission.data), &account_);
  const bool delayed = submission.not_before > wall;
  job.number = last_number_ + 1;
  job.state = delayed ? QueuedJob::State::kDelayed : QueuedJob::State::kQueued;
  if (delayed) {
    SetTimer(job, submission.not_before);
    if (delayed_.size() == 1) look_at_delayed_ = LatestLook();
    look_at_delayed_ =
        std::min(look_at_delayed_, submission.not_before - wall_minus_now_);
  }

  ++last_number_;
  by_number_.emplace(job.number, std::move(owned));
  std::memcpy(job.handle_bytes.data(), handle_start_.data(),
              handle_start_.size());
  const absl::AlphaNum number(job.number);
  std::memcpy(job.handle_bytes.data() + handle_start_.size(), number.data(),
              number.size());
  job.handle_size =
      static_cast<unsigned char>(handle_start_.size() + number.size());

  job.function = &function;
  function.jobs.PushBack(job);
  all_jobs_.PushBack(job);
  job.priority = submission.priority;
  bytes_ += data_bytes;
  job.memory = sizeof(QueuedJob) + kJobOverhead + job.unique.size() +
               job.reducer.size() + job.data.uncounted_bytes();
  account_.Add(job.memory);
  if (submission.unique == "-") {
    if (job.data.size() > 0) AddKey(job, QueuedJob::Key::kData);
  } else if (!submission.unique.empty()) {
    AddKey(job, QueuedJob::Key::kUnique);
  }

  ++function.queued[IndexOf(job.priority)];
  NoteUse(function);
  job.place = ++last_place_;
  if (!delayed) function.queues[IndexOf(job.priority)].PushBack(job);
  return job;
}

std::unique_ptr<JobWaiter> JobQueue::NewWaiter() {
  if (spare_waiters_.empty()) return std::make_unique<JobWaiter>();
  std::unique_ptr<JobWaiter> spare = std::move(spare_waiters_.back());
  spare_waiters_.pop_back();
  return spare;
}

void JobQueue::AddWaiter(std::unique_ptr<JobWaiter> owned, QueuedJob& job,
                         Party& party) {
  // The lists own the waiter.
  JobWaiter* const waiter = owned.release();
  waiter->job = &job;
  waiter->party = &party;
  // An update that is being sent is older than the waiter.
  waiter->told = job.updates;
  job.waiters.PushBack(*waiter);
  ++job.waiter_count;
  ++waiters_;
  party.waiting.PushBack(*waiter);
  party.memory += kWaiterMemory;
}

void JobQueue::Free(JobWaiter& waiter) {
  waiter.ListLink<OfJobTag>::Unlink();
  waiter.ListLink<OfPartyTag>::Unlink();
  --waiter.job->waiter_count;
  --waiters_;
  waiter.party->memory -= kWaiterMemory;
  std::unique_ptr<JobWaiter> spare(&waiter);
  if (spare_waiters_.size() < kMaxSpares) {
    spare_waiters_.push_back(std::move(spare));
  }
}

void JobQueue::Leave(JobWaiter& waiter) {
  QueuedJob& job = *waiter.job;
  Free(waiter);
  if (job.waiter_count == 0 && !job.background) job.abandoned = true;
}

// --- finding -----------------------------------------------------------------

QueuedJob* JobQueue::FindByHandle(absl::string_view handle) {
  uint64_t number = 0;
  if (!absl::StartsWith(handle, handle_start_) ||
      !absl::SimpleAtoi(handle.substr(handle_start_.size()), &number)) {
    return nullptr;
  }
  const auto found = by_number_.find(number);
  // SimpleAtoi also accepts spaces, signs and leading zeros.
  return found && found->second->handle() == handle ? found->second.get()
                                                    : nullptr;
}

QueuedJob* JobQueue::FindByUnique(absl::string_view unique) {
  const auto found = by_unique_.find(unique);
  return found ? found->second : nullptr;
}

std::vector<QueuedJob*> JobQueue::Jobs() {
  std::vector<QueuedJob*> jobs;
  JobWalker walker;
  StartWalk(&walker);
  size_t steps = 0;
  while (QueuedJob* const job = walker.Next(&steps)) jobs.push_back(job);
  return jobs;
}

// --- running -----------------------------------------------------------------

QueuedJob* JobQueue::Front(Function& function) {
  for (const Priority priority : kBestFirst) {
    IntrusiveList<QueuedJob, QueueTag>& queue =
        function.queues[IndexOf(priority)];
    QueuedJob* const first = queue.empty() ? nullptr : &queue.front();
    // A delayed job has kept its place while it was not due.
    if (priority == Priority::kNone && !function.due.empty() &&
        (first == nullptr || function.due.begin()->first < first->place)) {
      return function.due.begin()->second;
    }
    if (first != nullptr) return first;
  }
  return nullptr;
}

JobQueue::Runnable JobQueue::FindRunnable(Function& function,
                                          QueuedJob** runnable) {
  meter_.Spend(cost::kLook);
  for (;;) {
    QueuedJob* const job = Front(function);
    if (job == nullptr) return Runnable::kNo;
    if (!job->abandoned) {
      if (runnable != nullptr) *runnable = job;
      return Runnable::kYes;
    }
    Remove(*job);
    if (meter_.UsedUp()) return Runnable::kUnknown;
  }
}

QueuedJob* JobQueue::Take(Function& function, Party& holder) {
  QueuedJob* job = nullptr;
  if (FindRunnable(function, &job) != Runnable::kYes) return nullptr;
  Dequeue(*job);
  job->state = QueuedJob::State::kRunning;
  ++function.running;
  job->holder = &holder;
  holder.held.PushFront(*job);
  return job;
}

void JobQueue::SetTimeLimit(QueuedJob& job, absl::Time limit) {
  SetTimer(job, limit);
}

bool JobQueue::Requeue(QueuedJob& job) {
  meter_.Spend(cost::kJob);
  ClearTimer(job);
  ++job.retries;
  if (options_.max_runs > 0 && job.retries >= options_.max_runs) return false;
  job.ListLink<HeldTag>::Unlink();
  job.holder = nullptr;
  --job.function->running;
  job.numerator = 0;
  job.denominator = 0;
  job.state = QueuedJob::State::kQueued;
  job.place = ++last_place_;
  ++job.function->queued[IndexOf(job.priority)];
  job.function->queues[IndexOf(job.priority)].PushBack(job);
  return true;
}

void JobQueue::Dequeue(QueuedJob& job) {
  --job.function->queued[IndexOf(job.priority)];
  if (job.ListLink<QueueTag>::linked()) {
    job.ListLink<QueueTag>::Unlink();
  } else {
    job.function->due.erase(job.place);
  }
}

std::unique_ptr<QueuedJob> JobQueue::End(QueuedJob& job) {
  meter_.Spend(cost::kJob);
  ClearTimer(job);
  if (job.state == QueuedJob::State::kRunning) {
    job.ListLink<HeldTag>::Unlink();
    --job.function->running;
  } else {
    Dequeue(job);
  }
  job.ListLink<OfFunctionTag>::Unlink();
  job.ListLink<AllJobsTag>::Unlink();
  NoteUse(*job.function);
  RemoveKey(job);
  bytes_ -= job.data.size();
  account_.Remove(job.memory);
  job.function = nullptr;
  job.holder = nullptr;
  const auto found = by_number_.find(job.number);
  std::unique_ptr<QueuedJob> owned = std::move(found->second);
  by_number_.erase(found);
  return owned;
}

void JobQueue::Remove(QueuedJob& job) {
  if (job.update != nullptr) {
    // The remaining waiters are still to get the update.
    job.update->ended = End(job);
    return;
  }
  FreeLater(End(job));
  FreeRemoved();
}

void JobQueue::FreeRemoved() {
  while (!removed_.empty()) {
    QueuedJob& job = removed_.front();
    while (!job.waiters.empty()) {
      meter_.Spend(cost::kLook);
      Free(job.waiters.front());
      if (meter_.UsedUp() && !job.waiters.empty()) return;
    }
    job.ListLink<QueueTag>::Unlink();
    Recycle(std::unique_ptr<QueuedJob>(&job));
    if (meter_.UsedUp()) return;
  }
}

void JobQueue::Recycle(std::unique_ptr<QueuedJob> owned) {
  if (spare_jobs_.size() >= kMaxSpares) return;
  QueuedJob& job = *owned;
  job.background = false;
  job.abandoned = false;
  job.cancelled = false;
  job.retries = 0;
  job.timeouts = 0;
  job.numerator = 0;
  job.denominator = 0;
  ClearText(job.unique);
  ClearText(job.reducer);
  job.data.Clear();
  spare_jobs_.push_back(std::move(owned));
}

void JobQueue::Cancel(QueuedJob& job) {
  LeaveCrowd(job);
  job.abandoned = true;
  job.cancelled = true;
  job.background = false;
}

// --- time --------------------------------------------------------------------

void JobQueue::SetTimer(QueuedJob& job, absl::Time time) {
  ClearTimer(job);
  if (time == absl::InfiniteFuture()) return;
  TimersOf(job).insert({time, job.number, &job});
  job.timer = time;
}

void JobQueue::ClearTimer(QueuedJob& job) {
  if (job.timer == absl::InfiniteFuture()) return;
  TimersOf(job).erase({job.timer, job.number, &job});
  job.timer = absl::InfiniteFuture();
}

absl::Time JobQueue::LatestLook() const {
  return now_ == absl::InfinitePast() ? absl::InfiniteFuture()
                                      : now_ + kLookAtWallClock;
}

absl::Time JobQueue::next_deadline() const {
  absl::Time next = timers_.empty() ? absl::InfiniteFuture()
                                    : std::get<absl::Time>(*timers_.begin());
  if (!delayed_.empty()) next = std::min(next, look_at_delayed_);
  return next;
}

JobQueue::Due JobQueue::PopDue(absl::Time now, absl::Time wall) {
  now_ = now;
  wall_minus_now_ = wall - now;
  if (!timers_.empty() && std::get<absl::Time>(*timers_.begin()) <= now) {
    QueuedJob& job = *std::get<QueuedJob*>(*timers_.begin());
    ClearTimer(job);
    meter_.Spend(cost::kJob);
    return {&job, false};
  }
  if (!delayed_.empty()) {
    const absl::Time first = std::get<absl::Time>(*delayed_.begin());
    if (first <= wall) {
      QueuedJob& job = *std::get<QueuedJob*>(*delayed_.begin());
      // Insert this before the timer is cleared, as it may throw.
      job.function->due.emplace(job.place, &job);
      ClearTimer(job);
      job.state = QueuedJob::State::kQueued;
      meter_.Spend(cost::kJob);
      return {&job, true};
    }
    if (now >= look_at_delayed_) {
      look_at_delayed_ = std::min(first - wall_minus_now_, LatestLook());
    }
  }
  return {nullptr, false};
}

}  // namespace embedded
}  // namespace gearman
