// TaskTable has the tasks of a worker in the order of their registration.
// TaskChanges has the names whose registration has changed since the last look.
// TaskGates has the gates of tasks, also of those that were unregistered.
//
// Each function but TaskTable::AsChanges and TaskChanges::Take costs O(1). Not
// thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_JOB_TASK_TABLE_H_
#define GEARMAN_SDK_INTERNAL_JOB_TASK_TABLE_H_

#include <cstddef>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/internal/job/task_gate.h"

namespace gearman {
namespace internal {

// A task that has been registered, or null if `function` has been unregistered.
struct TaskChange {
  std::string function;
  std::shared_ptr<Task> task;
  // For a connection that offers the task no more: its other tasks do not wait
  // for the jobs of this one.
  bool gives_way = false;
};

// A task is found by its `Task::function`.
class TaskTable {
 public:
  using Tasks = std::list<std::shared_ptr<Task>>;

  // Returns the task, or null if there is none.
  std::shared_ptr<Task> Find(absl::string_view function) const {
    const auto found = by_function_.find(function);
    return found == by_function_.end() ? nullptr : *found->second;
  }
  // Adds a task, or replaces the task with the same function, which is
  // returned.
  std::shared_ptr<Task> Put(std::shared_ptr<Task> task) {
    const auto found = by_function_.find(task->function);
    if (found == by_function_.end()) {
      tasks_.push_back(std::move(task));
      by_function_.emplace(tasks_.back()->function, std::prev(tasks_.end()));
      return nullptr;
    }
    // The key is a view of the old task's function.
    const Tasks::iterator place = found->second;
    by_function_.erase(found);
    std::shared_ptr<Task> before = std::exchange(*place, std::move(task));
    by_function_.emplace((*place)->function, place);
    return before;
  }
  // Returns the task that was removed, or null if there was none.
  std::shared_ptr<Task> Remove(absl::string_view function) {
    const auto found = by_function_.find(function);
    if (found == by_function_.end()) return nullptr;
    const Tasks::iterator place = found->second;
    by_function_.erase(found);
    std::shared_ptr<Task> removed = std::move(*place);
    tasks_.erase(place);
    return removed;
  }
  const Tasks& tasks() const { return tasks_; }
  // The changes that make an empty table equal to this one.
  std::vector<TaskChange> AsChanges() const {
    std::vector<TaskChange> changes;
    changes.reserve(tasks_.size());
    for (const auto& task : tasks_)
      changes.push_back({task->function, task, false});
    return changes;
  }

 private:
  Tasks tasks_;
  absl::flat_hash_map<absl::string_view, Tasks::iterator> by_function_;
};

// A task that is unregistered and registered again has the same gate as long as
// jobs of it are held.
class TaskGates {
 public:
  // Gives the task the gate of its earlier registrations. Otherwise it keeps
  // its own.
  void Share(Task* task) {
    std::weak_ptr<TaskGate>& known = gates_[task->function];
    const std::shared_ptr<TaskGate> gate = known.lock();
    if (gate != nullptr) {
      task->gate = gate;
    } else {
      known = task->gate;
    }
    if (gates_.size() < next_look_) return;
    absl::erase_if(gates_,
                   [](const auto& entry) { return entry.second.expired(); });
    next_look_ = 2 * gates_.size() + 16;
  }
  // The number of gates known. Tests read it.
  size_t size() const { return gates_.size(); }

 private:
  absl::flat_hash_map<std::string, std::weak_ptr<TaskGate>> gates_;
  // At this size the gates that are gone are forgotten.
  size_t next_look_ = 16;
};

class TaskChanges {
 public:
  void Note(absl::string_view function) {
    if (known_.emplace(function).second) functions_.emplace_back(function);
  }
  // Returns the changes since the last call, with the tasks that `table` has
  // now. They are in the order in which each function changed first.
  std::vector<TaskChange> Take(const TaskTable& table) {
    std::vector<TaskChange> changes;
    changes.reserve(functions_.size());
    for (std::string& function : functions_) {
      std::shared_ptr<Task> task = table.Find(function);
      changes.push_back({std::move(function), std::move(task), false});
    }
    functions_.clear();
    known_.clear();
    return changes;
  }

 private:
  std::vector<std::string> functions_;
  absl::flat_hash_set<std::string> known_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_TASK_TABLE_H_
