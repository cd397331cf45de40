#include "gearman/sdk/embedded/worker_table.h"

#include <utility>

namespace gearman {
namespace embedded {

WorkerTable::Added WorkerTable::Add(Worker& worker, absl::string_view name,
                                    absl::Duration limit, Wake wake) {
  const auto known = worker.by_function.find(queue_->FindFunction(name));
  Ability* ability = nullptr;
  if (known != worker.by_function.end()) {
    ability = known->second.get();
  } else {
    if (options_.max_abilities > 0 &&
        worker.by_function.size() >= options_.max_abilities) {
      return Added::kTooManyAbilities;
    }
    Function* const function = queue_->GetFunction(name);
    if (function == nullptr) return Added::kTooManyFunctions;
    auto made = std::make_unique<Ability>();
    ability = made.get();
    ability->worker = &worker;
    ability->function = function;
    worker.by_function.emplace(function, std::move(made));
    worker.memory += ability->memory();
    if (worker.sleep == Worker::Sleep::kAsleep) {
      function->sleepers.PushBack(*ability);
    }
  }
  Function& function = *ability->function;
  ability->limit = limit;
  ++ability->registrations;
  queue_->AddRegistration(function);
  ability->ListLink<OfWorkerTag>::Unlink();
  worker.abilities.PushFront(*ability);
  // gearmand lets it sleep until the next submit.
  if (worker.sleep == Worker::Sleep::kAsleep && queue_->HasRunnable(function)) {
    WakeUp(worker, function, wake);
  }
  return Added::kYes;
}

void WorkerTable::Remove(Worker& worker, absl::string_view name, Wake wake) {
  Function* const function = queue_->FindFunction(name);
  const auto found = worker.by_function.find(function);
  if (found == worker.by_function.end()) return;
  const size_t registrations = found->second->registrations;
  worker.memory -= found->second->memory();
  worker.by_function.erase(found);
  if (worker.woken_for == function) worker.woken_for = nullptr;
  if (worker.sleep == Worker::Sleep::kWoken && queue_->HasRunnable(*function)) {
    WakeFor(*function, wake);
  }
  queue_->RemoveRegistrations(*function, registrations);
}

void WorkerTable::RemoveAll(Worker& worker, Wake wake) {
  // Those that go are no sleepers any more when others are woken.
  const auto removed = std::move(worker.by_function);
  worker.woken_for = nullptr;
  Unlist(worker);
  while (!worker.abilities.empty()) {
    Ability& ability = worker.abilities.front();
    Function& function = *ability.function;
    ability.ListLink<OfWorkerTag>::Unlink();
    worker.memory -= ability.memory();
    if (worker.sleep == Worker::Sleep::kWoken &&
        queue_->HasRunnable(function)) {
      WakeFor(function, wake);
    }
    queue_->RemoveRegistrations(function, ability.registrations);
  }
}

Job* WorkerTable::Grab(Worker& worker, absl::Time now, Wake wake) {
  if (worker.sleep == Worker::Sleep::kAsleep) Unlist(worker);
  worker.sleep = Worker::Sleep::kAwake;
  Function* const woken_for = std::exchange(worker.woken_for, nullptr);
  for (Ability& ability : worker.abilities) {
    Job* const job = queue_->Take(*ability.function, worker);
    if (job == nullptr) continue;
    if (ability.limit != absl::InfiniteDuration()) {
      queue_->SetTimeLimit(*job, now + ability.limit);
    }
    if (options_.round_robin) {
      ability.ListLink<OfWorkerTag>::Unlink();
      worker.abilities.PushBack(ability);
    }
    // By gearmand the job waits until this worker comes back, others sleeping.
    if (woken_for != nullptr && woken_for != job->function &&
        queue_->HasRunnable(*woken_for)) {
      WakeFor(*woken_for, wake);
    }
    return job;
  }
  return nullptr;
}

bool WorkerTable::GoToSleep(Worker& worker) {
  if (HasWork(worker)) return false;
  if (worker.sleep == Worker::Sleep::kAsleep) return true;
  // Also for one that was woken and did not grab, whom gearmand never wakes
  // again.
  worker.sleep = Worker::Sleep::kAsleep;
  worker.woken_for = nullptr;
  for (Ability& ability : worker.abilities) {
    ability.function->sleepers.PushBack(ability);
  }
  return true;
}

bool WorkerTable::HasWork(Worker& worker) {
  for (const Ability& ability : worker.abilities) {
    if (queue_->HasRunnable(*ability.function)) return true;
  }
  return false;
}

void WorkerTable::WakeFor(Function& function, Wake wake) {
  for (uint32_t woken = 0; !function.sleepers.empty() &&
                           (options_.wakeup == 0 || woken < options_.wakeup);
       ++woken) {
    WakeUp(*function.sleepers.front().worker, function, wake);
  }
}

void WorkerTable::WakeUp(Worker& worker, Function& function, Wake wake) {
  Unlist(worker);
  worker.sleep = Worker::Sleep::kWoken;
  worker.woken_for = &function;
  wake(worker);
}

void WorkerTable::Unlist(Worker& worker) {
  for (Ability& ability : worker.abilities) {
    ability.ListLink<SleepTag>::Unlink();
  }
}

}  // namespace embedded
}  // namespace gearman
