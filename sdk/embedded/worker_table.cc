#include "gearman/sdk/embedded/worker_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gearman/base/intrusive_list.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {
namespace {

// A job's limit is doubled each time that it has been exceeded, at most so
// often.
constexpr uint32_t kMaxDoublings = 20;

}  // namespace

WorkerTable::Added WorkerTable::Add(EngineWorker& worker,
                                    absl::string_view name,
                                    absl::Duration limit, Wake wake) {
  queue_->meter().Spend(cost::kAbility);
  const auto known = worker.by_function.find(queue_->FindFunction(name));
  Ability* ability = nullptr;
  if (known) {
    ability = known->second.get();
  } else {
    if (options_.max_abilities > 0 &&
        worker.by_function.size() >= options_.max_abilities) {
      return Added::kTooManyAbilities;
    }
    Function* const function =
        queue_->GetFunctionFor(name, worker.by_function.size());
    if (function == nullptr) return Added::kTooManyFunctions;
    auto made = std::make_unique<Ability>();
    ability = made.get();
    ability->worker = &worker;
    ability->function = function;
    // Allocate everything first. The ability's rank, 0, is that of no other
    // ability.
    worker.by_function.Reserve(1);
    worker.ready.emplace(ability->rank, ability);
    ability = worker.by_function.emplace(function, std::move(made))
                  .first->second.get();
    worker.memory += ability->memory();
  }
  Function& function = *ability->function;
  ability->limit = limit;
  ++ability->registrations;
  queue_->AddRegistration(function);
  ability->ListLink<OfWorkerTag>::Unlink();
  worker.abilities.PushFront(*ability);
  SetRank(*ability, --worker.first_rank);
  if (worker.sleep != EngineWorker::Sleep::kAsleep) return Added::kYes;
  // gearmand lets the worker sleep until the next submission.
  if (queue_->HasRunnable(function)) {
    WakeUp(worker, function, wake);
  } else if (IsReady(*ability)) {
    SetWatched(*ability);
    function.watchers.PushBack(*ability);
  }
  return Added::kYes;
}

void WorkerTable::Remove(EngineWorker& worker, absl::string_view name,
                         Wake wake) {
  Function* const function = queue_->FindFunction(name);
  const auto found = worker.by_function.find(function);
  if (!found) return;
  queue_->meter().Spend(cost::kAbility);
  const size_t registrations = found->second->registrations;
  worker.memory -= found->second->memory();
  SetWatched(*found->second);
  worker.by_function.erase(found);
  if (worker.woken_for == function) worker.woken_for = nullptr;
  if (worker.sleep == EngineWorker::Sleep::kWoken &&
      queue_->HasRunnable(*function)) {
    WakeFor(*function, wake);
  }
  queue_->RemoveRegistrations(*function, registrations);
}

bool WorkerTable::RemoveAll(EngineWorker& worker, Wake wake) {
  worker.woken_for = nullptr;
  while (!worker.by_function.empty()) {
    if (queue_->meter().UsedUp()) return false;
    queue_->meter().Spend(cost::kAbility);
    // front() might be a walker.
    ListWalker<Ability, OfWorkerTag> walker;
    walker.Start(&worker.abilities);
    size_t steps = 0;
    Ability& ability = *walker.Next(&steps);
    Function& function = *ability.function;
    const size_t registrations = ability.registrations;
    worker.memory -= ability.memory();
    SetWatched(ability);
    worker.by_function.erase(&function);
    if (worker.sleep == EngineWorker::Sleep::kWoken &&
        queue_->HasRunnable(function)) {
      WakeFor(function, wake);
    }
    queue_->RemoveRegistrations(function, registrations);
  }
  return true;
}

void WorkerTable::SetReady(Ability& ability) {
  ability.ListLink<WatchTag>::Unlink();
  if (IsReady(ability)) return;
  ability.place.key() = ability.rank;
  ability.worker->ready.insert(std::move(ability.place));
}

void WorkerTable::SetWatched(Ability& ability) {
  if (!IsReady(ability)) return;
  ability.ListLink<SleepTag>::Unlink();
  ability.place = ability.worker->ready.extract(ability.rank);
}

void WorkerTable::SetRank(Ability& ability, int64_t rank) {
  auto& ready = ability.worker->ready;
  if (!IsReady(ability)) {
    ability.rank = rank;
    return;
  }
  auto place = ready.extract(ability.rank);
  ability.rank = rank;
  place.key() = rank;
  ready.insert(std::move(place));
}

Ability* WorkerTable::FindWork(EngineWorker& worker, bool* again) {
  while (!worker.ready.empty()) {
    Ability& ability = *worker.ready.begin()->second;
    switch (queue_->FindRunnable(*ability.function)) {
      case JobQueue::Runnable::kYes:
        return &ability;
      case JobQueue::Runnable::kUnknown:
        break;
      case JobQueue::Runnable::kNo:
        SetWatched(ability);
        ability.function->watchers.PushBack(ability);
        break;
    }
    if (again != nullptr && queue_->meter().UsedUp()) {
      *again = true;
      return nullptr;
    }
  }
  return nullptr;
}

QueuedJob* WorkerTable::Grab(EngineWorker& worker, absl::Time now, Wake wake,
                             bool* again) {
  if (worker.sleep == EngineWorker::Sleep::kAsleep) Unlist(worker);
  worker.sleep = EngineWorker::Sleep::kAwake;
  Ability* const ability = FindWork(worker, again);
  if (ability == nullptr && again != nullptr && *again) return nullptr;
  Function* const woken_for = std::exchange(worker.woken_for, nullptr);
  if (ability == nullptr) return nullptr;
  QueuedJob* const job = queue_->Take(*ability->function, worker);
  if (ability->limit != absl::InfiniteDuration()) {
    queue_->SetTimeLimit(
        *job,
        now + ability->limit * (1 << std::min(job->timeouts, kMaxDoublings)));
  }
  if (options_.round_robin) {
    ability->ListLink<OfWorkerTag>::Unlink();
    worker.abilities.PushBack(*ability);
    SetRank(*ability, ++worker.last_rank);
  }
  // With gearmand the job waits until this worker comes back, while others
  // sleep.
  if (woken_for != nullptr && woken_for != job->function &&
      queue_->HasRunnable(*woken_for)) {
    WakeFor(*woken_for, wake);
  }
  return job;
}

bool WorkerTable::GoToSleep(EngineWorker& worker, bool* again) {
  if (FindWork(worker, again) != nullptr) return false;
  if (again != nullptr && *again) return true;
  // A worker that was woken and did not grab goes to sleep, too. gearmand never
  // wakes such a worker again.
  worker.sleep = EngineWorker::Sleep::kAsleep;
  worker.woken_for = nullptr;
  return true;
}

void WorkerTable::WakeFor(Function& function, Wake wake) {
  // Sleepers for this work stay in the list until they are woken.
  while (!function.watchers.empty()) {
    queue_->meter().Spend(cost::kLook);
    Ability& ability = function.watchers.front();
    SetReady(ability);
    if (ability.worker->sleep == EngineWorker::Sleep::kAsleep) {
      function.sleepers.PushBack(ability);
    }
  }
  if (options_.wakeup > 0) {
    WakeSleepers(function, options_.wakeup, wake);
    return;
  }
  WakeSleepers(function, std::numeric_limits<size_t>::max(), wake);
  if (!function.sleepers.empty() && !function.ListLink<WakingTag>::linked()) {
    waking_.PushBack(function);
  }
}

void WorkerTable::WakeMore(Wake wake) {
  while (!waking_.empty() && !queue_->meter().UsedUp()) {
    Function& function = waking_.front();
    WakeSleepers(function, std::numeric_limits<size_t>::max(), wake);
    if (!function.sleepers.empty()) return;
    function.ListLink<WakingTag>::Unlink();
  }
}

void WorkerTable::WakeSleepers(Function& function, size_t count, Wake wake) {
  for (; count > 0 && !function.sleepers.empty(); --count) {
    WakeUp(*function.sleepers.front().worker, function, wake);
    if (options_.wakeup == 0 && queue_->meter().UsedUp()) return;
  }
}

void WorkerTable::WakeUp(EngineWorker& worker, Function& function, Wake wake) {
  Unlist(worker);
  worker.sleep = EngineWorker::Sleep::kWoken;
  worker.woken_for = &function;
  wake(worker);
}

void WorkerTable::Unlist(EngineWorker& worker) {
  for (const auto& entry : worker.ready) {
    queue_->meter().Spend(cost::kLook);
    entry.second->ListLink<SleepTag>::Unlink();
  }
}

}  // namespace embedded
}  // namespace gearman
