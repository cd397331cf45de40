#include "gearman/sdk/embedded/job_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace embedded {
namespace {

// The best first.
constexpr std::array<Priority, kPriorities> kBestFirst = {
    Priority::kHigh, Priority::kNone, Priority::kLow};

constexpr size_t kMaxSpares = 1024;
// Of names that nobody uses so many bytes are kept, to be seen in `status`.
constexpr size_t kMaxIdleNameBytes = 32 << 20;
// What a job and a waiter take besides themselves: tables, and malloc's own.
constexpr size_t kJobOverhead = 96;
constexpr size_t kWaiterMemory = sizeof(Waiter) + 16;

// A recycled record's strings keep their memory, but not that of a long one.
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
  for (auto next = by_number_.begin(); next != by_number_.end();) {
    Job& job = *next->second;
    ++next;
    Remove(job);
  }
}

// --- functions ---------------------------------------------------------------

Function* JobQueue::GetFunction(absl::string_view name) {
  if (Function* const known = FindFunction(name)) return known;
  if (options_.max_functions > 0 &&
      functions_.size() >= options_.max_functions) {
    if (idle_functions_.empty()) return nullptr;
    RemoveFunction(idle_functions_.front());
  }
  auto function = std::make_unique<Function>(name);
  Function& made = *function;
  if (Exceeds(made.memory())) return nullptr;
  functions_.emplace(absl::string_view(made.name), std::move(function));
  account_.Add(made.memory());
  NoteUse(made);
  return &made;
}

bool JobQueue::Exceeds(size_t bytes) {
  if (options_.max_memory == 0) return false;
  while (account_.bytes() + bytes > options_.max_memory) {
    if (idle_functions_.empty()) return true;
    RemoveFunction(idle_functions_.front());
  }
  return false;
}

Function* JobQueue::FindFunction(absl::string_view name) {
  if (last_found_ != nullptr && last_found_->name == name) return last_found_;
  const auto found = functions_.find(name);
  if (found == functions_.end()) return nullptr;
  last_found_ = found->second.get();
  return last_found_;
}

void JobQueue::RemoveFunction(Function& function) {
  if (last_found_ == &function) last_found_ = nullptr;
  if (function.linked()) idle_name_bytes_ -= function.name.size();
  account_.Remove(function.memory());
  const auto found = functions_.find(absl::string_view(function.name));
  // The key lies in it.
  const std::unique_ptr<Function> owned = std::move(found->second);
  functions_.erase(found);
}

void JobQueue::NoteUse(Function& function) {
  const bool idle = function.total() == 0 && function.workers == 0 &&
                    function.max_queue == decltype(function.max_queue)();
  if (idle == function.linked()) return;
  if (!idle) {
    function.Unlink();
    idle_name_bytes_ -= function.name.size();
    return;
  }
  idle_functions_.PushBack(function);
  idle_name_bytes_ += function.name.size();
  while (idle_name_bytes_ > kMaxIdleNameBytes &&
         &idle_functions_.front() != &function) {
    RemoveFunction(idle_functions_.front());
  }
}

void JobQueue::AddRegistration(Function& function) {
  ++function.workers;
  NoteUse(function);
}

void JobQueue::RemoveRegistrations(Function& function, size_t count) {
  function.workers -= count;
  NoteUse(function);
}

void JobQueue::SetMaxQueue(Function& function, uint32_t high, uint32_t normal,
                           uint32_t low) {
  function.max_queue[IndexOf(Priority::kHigh)] = high;
  function.max_queue[IndexOf(Priority::kNone)] = normal;
  function.max_queue[IndexOf(Priority::kLow)] = low;
  NoteUse(function);
}

std::vector<Function*> JobQueue::Functions() {
  std::vector<Function*> functions;
  functions.reserve(functions_.size());
  for (auto& entry : functions_) functions.push_back(entry.second.get());
  std::sort(
      functions.begin(), functions.end(),
      [](const Function* a, const Function* b) { return a->name < b->name; });
  return functions;
}

// --- submitting --------------------------------------------------------------

Job* JobQueue::FindToJoin(Function& function, absl::string_view unique,
                          absl::string_view data) {
  if (unique.empty()) return nullptr;
  const bool by_data = unique == "-";
  if (by_data && data.empty()) return nullptr;
  const Job::Key key = by_data ? Job::Key::kData : Job::Key::kUnique;
  const absl::string_view text = by_data ? data : unique;
  KeyIndex& index = IndexOfKey(key);
  const auto found = index.find(text);
  if (found == index.end()) return nullptr;
  Job* const newest = found->second;
  if (newest->function == &function && !newest->cancelled) return newest;
  if (newest->key_next == nullptr) return nullptr;
  const auto crowded = crowded_.find(JoinKey(&function, key, text));
  return crowded == crowded_.end() ? nullptr : crowded->second;
}

JobQueue::Submitted JobQueue::Submit(Submission submission, absl::Time now) {
  // What is refused leaves no function behind.
  Function* function = FindFunction(submission.function);
  Party* const party = submission.waiter;
  std::unique_ptr<Waiter> waiter;
  if (party != nullptr) waiter = NewWaiter();
  Outcome outcome = Outcome::kJoined;
  Job* job = function == nullptr ? nullptr
                                 : FindToJoin(*function, submission.unique,
                                              submission.data.view());
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
    if (Exceeds(sizeof(Job) + kJobOverhead + submission.unique.size() +
                submission.reducer.size() + submission.data.size())) {
      return {Outcome::kFull, nullptr};
    }
    // It may have been forgotten to make room.
    function = FindFunction(submission.function);
    if (function == nullptr) function = GetFunction(submission.function);
    if (function == nullptr) return {Outcome::kTooManyFunctions, nullptr};
    outcome = Outcome::kNew;
    job = &NewJob(*function, std::move(submission), now);
  } else if (waiter != nullptr && options_.max_jobs > 0 &&
             waiters_ >= size() + options_.max_jobs) {
    return {Outcome::kFull, nullptr};
  }
  // gearmand leaves an abandoned job abandoned, so that who joins it waits for
  // ever, and lets a foreground client that leaves take a background job with
  // it. Neither loses or hangs a job here.
  job->abandoned = false;
  if (waiter == nullptr) {
    job->background = true;
  } else {
    AddWaiter(std::move(waiter), *job, *party);
  }
  return {outcome, job};
}

Job& JobQueue::NewJob(Function& function, Submission submission,
                      absl::Time now) {
  std::unique_ptr<Job> owned;
  if (spare_jobs_.empty()) {
    owned = std::make_unique<Job>();
  } else {
    owned = std::move(spare_jobs_.back());
    spare_jobs_.pop_back();
  }
  Job& job = *owned;
  // First all that needs memory.
  job.unique.assign(submission.unique.data(), submission.unique.size());
  job.reducer.assign(submission.reducer.data(), submission.reducer.size());
  by_number_.Reserve(1);
  by_unique_.Reserve(1);
  by_data_.Reserve(1);
  crowded_.Reserve(2);
  const size_t data_bytes = submission.data.size();
  job.data.Assign(std::move(submission.data), &account_);
  const bool delayed = submission.not_before > now;
  job.number = last_number_ + 1;
  if (delayed) SetTimer(job, submission.not_before);

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
  job.priority = submission.priority;
  bytes_ += data_bytes;
  job.memory = sizeof(Job) + kJobOverhead + job.unique.size() +
               job.reducer.size() + job.data.uncounted_bytes();
  account_.Add(job.memory);
  if (submission.unique == "-") {
    if (job.data.size() > 0) AddKey(job, Job::Key::kData);
  } else if (!submission.unique.empty()) {
    AddKey(job, Job::Key::kUnique);
  }

  ++function.queued[IndexOf(job.priority)];
  NoteUse(function);
  job.place = ++last_place_;
  if (delayed) {
    job.state = Job::State::kDelayed;
  } else {
    job.state = Job::State::kQueued;
    function.queues[IndexOf(job.priority)].PushBack(job);
  }
  return job;
}

std::unique_ptr<Waiter> JobQueue::NewWaiter() {
  if (spare_waiters_.empty()) return std::make_unique<Waiter>();
  std::unique_ptr<Waiter> spare = std::move(spare_waiters_.back());
  spare_waiters_.pop_back();
  return spare;
}

void JobQueue::AddWaiter(std::unique_ptr<Waiter> owned, Job& job,
                         Party& party) {
  // Its lists own it.
  Waiter* const waiter = owned.release();
  waiter->job = &job;
  waiter->party = &party;
  job.waiters.PushBack(*waiter);
  ++job.waiter_count;
  ++waiters_;
  party.waiting.PushBack(*waiter);
  party.memory += kWaiterMemory;
}

void JobQueue::FreeWaiter(Waiter& waiter) {
  waiter.ListLink<OfJobTag>::Unlink();
  waiter.ListLink<OfPartyTag>::Unlink();
  --waiter.job->waiter_count;
  --waiters_;
  waiter.party->memory -= kWaiterMemory;
  std::unique_ptr<Waiter> spare(&waiter);
  if (spare_waiters_.size() < kMaxSpares) {
    spare_waiters_.push_back(std::move(spare));
  }
}

void JobQueue::Leave(Waiter& waiter) {
  Job& job = *waiter.job;
  FreeWaiter(waiter);
  if (job.waiter_count == 0 && !job.background) job.abandoned = true;
}

// --- finding -----------------------------------------------------------------

Job* JobQueue::FindByHandle(absl::string_view handle) {
  uint64_t number = 0;
  if (!absl::StartsWith(handle, handle_start_) ||
      !absl::SimpleAtoi(handle.substr(handle_start_.size()), &number)) {
    return nullptr;
  }
  const auto found = by_number_.find(number);
  // SimpleAtoi also takes spaces, signs and zeros.
  return found == by_number_.end() || found->second->handle() != handle
             ? nullptr
             : found->second.get();
}

Job* JobQueue::FindByUnique(absl::string_view unique) {
  const auto found = by_unique_.find(unique);
  return found == by_unique_.end() ? nullptr : found->second;
}

std::vector<Job*> JobQueue::Jobs() {
  std::vector<Job*> jobs;
  jobs.reserve(by_number_.size());
  for (auto& entry : by_number_) jobs.push_back(entry.second.get());
  std::sort(jobs.begin(), jobs.end(),
            [](const Job* a, const Job* b) { return a->number < b->number; });
  return jobs;
}

// --- running -----------------------------------------------------------------

Job* JobQueue::Front(Function& function) {
  for (const Priority priority : kBestFirst) {
    IntrusiveList<Job, QueueTag>& queue = function.queues[IndexOf(priority)];
    Job* const first = queue.empty() ? nullptr : &queue.front();
    // A delayed job has kept its place while it was not due.
    if (priority == Priority::kNone && !function.due.empty() &&
        (first == nullptr || function.due.begin()->first < first->place)) {
      return function.due.begin()->second;
    }
    if (first != nullptr) return first;
  }
  return nullptr;
}

bool JobQueue::HasRunnable(Function& function) {
  for (;;) {
    Job* const job = Front(function);
    if (job == nullptr) return false;
    if (!job->abandoned) return true;
    Remove(*job);
  }
}

Job* JobQueue::Take(Function& function, Party& holder) {
  if (!HasRunnable(function)) return nullptr;
  Job* const job = Front(function);
  Dequeue(*job);
  job->state = Job::State::kRunning;
  ++function.running;
  job->holder = &holder;
  holder.held.PushFront(*job);
  return job;
}

void JobQueue::SetTimeLimit(Job& job, absl::Time limit) {
  SetTimer(job, limit);
}

bool JobQueue::Requeue(Job& job) {
  ClearTimer(job);
  ++job.retries;
  if (options_.max_runs > 0 && job.retries >= options_.max_runs) return false;
  job.ListLink<HeldTag>::Unlink();
  job.holder = nullptr;
  --job.function->running;
  job.numerator = 0;
  job.denominator = 0;
  job.state = Job::State::kQueued;
  job.place = ++last_place_;
  ++job.function->queued[IndexOf(job.priority)];
  job.function->queues[IndexOf(job.priority)].PushBack(job);
  return true;
}

void JobQueue::Dequeue(Job& job) {
  --job.function->queued[IndexOf(job.priority)];
  if (job.ListLink<QueueTag>::linked()) {
    job.ListLink<QueueTag>::Unlink();
  } else {
    job.function->due.erase(job.place);
  }
}

void JobQueue::Remove(Job& job) {
  ClearTimer(job);
  if (job.state == Job::State::kRunning) {
    job.ListLink<HeldTag>::Unlink();
    --job.function->running;
  } else {
    Dequeue(job);
  }
  NoteUse(*job.function);
  RemoveKey(job);
  while (!job.waiters.empty()) FreeWaiter(job.waiters.front());
  bytes_ -= job.data.size();
  account_.Remove(job.memory);

  const auto found = by_number_.find(job.number);
  std::unique_ptr<Job> owned = std::move(found->second);
  by_number_.erase(found);
  if (spare_jobs_.size() >= kMaxSpares) return;
  job.background = false;
  job.abandoned = false;
  job.cancelled = false;
  job.retries = 0;
  job.numerator = 0;
  job.denominator = 0;
  job.function = nullptr;
  job.holder = nullptr;
  ClearText(job.unique);
  ClearText(job.reducer);
  job.data.Clear();
  spare_jobs_.push_back(std::move(owned));
}

void JobQueue::Cancel(Job& job) {
  LeaveCrowd(job);
  job.abandoned = true;
  job.cancelled = true;
  job.background = false;
}

// --- time --------------------------------------------------------------------

void JobQueue::SetTimer(Job& job, absl::Time time) {
  ClearTimer(job);
  if (time == absl::InfiniteFuture()) return;
  timers_.insert({time, job.number, &job});
  job.timer = time;
}

void JobQueue::ClearTimer(Job& job) {
  if (job.timer == absl::InfiniteFuture()) return;
  timers_.erase({job.timer, job.number, &job});
  job.timer = absl::InfiniteFuture();
}

absl::Time JobQueue::next_deadline() const {
  return timers_.empty() ? absl::InfiniteFuture()
                         : std::get<absl::Time>(*timers_.begin());
}

JobQueue::Due JobQueue::PopDue(absl::Time now) {
  if (next_deadline() > now || timers_.empty()) return {nullptr, false};
  Job& job = *std::get<Job*>(*timers_.begin());
  const bool was_delayed = job.state == Job::State::kDelayed;
  // Before it has lost its timer, as it may throw.
  if (was_delayed) job.function->due.emplace(job.place, &job);
  ClearTimer(job);
  if (was_delayed) job.state = Job::State::kQueued;
  return {&job, was_delayed};
}

// --- uniques -----------------------------------------------------------------

absl::string_view JobQueue::KeyText(const Job& job) {
  return job.key == Job::Key::kUnique
             ? absl::string_view(job.unique.data(), job.unique.size())
             : job.data.view();
}

void JobQueue::AddKey(Job& job, Job::Key key) {
  job.key = key;
  Job*& newest = IndexOfKey(key).emplace(KeyText(job), nullptr).first->second;
  Job* const next = newest;
  job.key_next = next;
  job.key_previous = nullptr;
  newest = &job;
  if (next == nullptr) return;
  next->key_previous = &job;
  // All beyond it have been there since they were not alone.
  JoinCrowd(*next);
  JoinCrowd(job);
}

void JobQueue::RemoveKey(Job& job) {
  if (job.key == Job::Key::kNone) return;
  LeaveCrowd(job);
  KeyIndex& index = IndexOfKey(job.key);
  const auto found = index.find(KeyText(job));
  if (job.key_next != nullptr) job.key_next->key_previous = job.key_previous;
  if (job.key_previous != nullptr) job.key_previous->key_next = job.key_next;
  Job* const newest = found->second == &job ? job.key_next : found->second;
  if (newest == nullptr) {
    index.erase(found);
  } else if (found->first.data() == KeyText(job).data()) {
    // The key lies in the job that goes.
    index.erase(found);
    index.emplace(KeyText(*newest), newest);
  } else {
    found->second = newest;
  }
  job.key = Job::Key::kNone;
  job.key_next = nullptr;
  job.key_previous = nullptr;
}

void JobQueue::JoinCrowd(Job& job) {
  if (job.crowded || job.cancelled) return;
  job.crowded = true;
  crowded_.emplace(JoinKey(job.function, job.key, KeyText(job)), &job);
}

void JobQueue::LeaveCrowd(Job& job) {
  if (!job.crowded) return;
  job.crowded = false;
  crowded_.erase(JoinKey(job.function, job.key, KeyText(job)));
}

}  // namespace embedded
}  // namespace gearman
