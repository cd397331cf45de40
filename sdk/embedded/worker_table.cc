#include "gearman/sdk/embedded/worker_table.h"

#include <algorithm>
#include <utility>

namespace gearman {
namespace embedded {

void WorkerTable::Add(Worker& worker, Function& function, absl::Duration limit,
                      Wake wake) {
  auto ability = std::make_unique<Ability>();
  ability->worker = &worker;
  ability->function = &function;
  ability->limit = limit;
  ++function.workers;
  if (worker.sleep == Worker::Sleep::kAsleep) {
    function.sleepers.PushBack(*ability);
  }
  worker.abilities.push_back(std::move(ability));
  // gearmand lets it sleep until the next submit.
  if (worker.sleep == Worker::Sleep::kAsleep && queue_->HasRunnable(function)) {
    WakeUp(worker, function, wake);
  }
}

void WorkerTable::Remove(Worker& worker, absl::string_view function,
                         Wake wake) {
  Function* removed = nullptr;
  const auto end =
      std::remove_if(worker.abilities.begin(), worker.abilities.end(),
                     [&removed, function](const std::unique_ptr<Ability>& any) {
                       if (any->function->name != function) return false;
                       removed = any->function;
                       --removed->workers;
                       return true;
                     });
  worker.abilities.erase(end, worker.abilities.end());
  if (worker.woken_for == removed) worker.woken_for = nullptr;
  if (removed != nullptr && worker.sleep == Worker::Sleep::kWoken &&
      queue_->HasRunnable(*removed)) {
    WakeFor(*removed, wake);
  }
}

void WorkerTable::RemoveAll(Worker& worker, Wake wake) {
  const std::vector<std::unique_ptr<Ability>> removed =
      std::move(worker.abilities);
  worker.abilities.clear();
  worker.woken_for = nullptr;
  for (const std::unique_ptr<Ability>& ability : removed) {
    ability->Unlink();
    --ability->function->workers;
  }
  if (worker.sleep != Worker::Sleep::kWoken) return;
  for (const std::unique_ptr<Ability>& ability : removed) {
    if (queue_->HasRunnable(*ability->function)) {
      WakeFor(*ability->function, wake);
    }
  }
}

Job* WorkerTable::Grab(Worker& worker, absl::Time now, Wake wake) {
  if (worker.sleep == Worker::Sleep::kAsleep) Unlist(worker);
  worker.sleep = Worker::Sleep::kAwake;
  Function* const woken_for = std::exchange(worker.woken_for, nullptr);
  for (size_t i = worker.abilities.size(); i-- > 0;) {
    const Ability& ability = *worker.abilities[i];
    Job* const job = queue_->Take(*ability.function, worker);
    if (job == nullptr) continue;
    if (ability.limit != absl::InfiniteDuration()) {
      queue_->SetTimeLimit(*job, now + ability.limit);
    }
    if (options_.round_robin) {
      std::rotate(worker.abilities.begin(), worker.abilities.begin() + i,
                  worker.abilities.begin() + i + 1);
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
  for (const std::unique_ptr<Ability>& ability : worker.abilities) {
    ability->function->sleepers.PushBack(*ability);
  }
  return true;
}

bool WorkerTable::HasWork(Worker& worker) {
  for (size_t i = worker.abilities.size(); i-- > 0;) {
    if (queue_->HasRunnable(*worker.abilities[i]->function)) return true;
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
  for (const std::unique_ptr<Ability>& ability : worker.abilities) {
    ability->Unlink();
  }
}

}  // namespace embedded
}  // namespace gearman
