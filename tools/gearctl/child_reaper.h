// ChildReaper: tells when child processes have ended.
//
// One thread waits for SIGCHLD. Everything that is needed to wait for a child
// exists before the child, so no shortage can lose the child's end.
#ifndef GEARMAN_TOOLS_GEARCTL_CHILD_REAPER_H_
#define GEARMAN_TOOLS_GEARCTL_CHILD_REAPER_H_

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gearman/tools/gearctl/command_guard.h"

namespace gearman {
namespace gearctl {

// Thread-safe. It reaps every child of the process. So the process must have
// only one ChildReaper, and no other code that waits for children.
class ChildReaper {
 public:
  // Blocks SIGCHLD for the calling thread and the threads that it starts later,
  // and starts a CommandGuard, unless the system refuses that. So call it
  // before any thread is started. RESOURCE_EXHAUSTED: the system refuses a
  // thread.
  static absl::StatusOr<std::unique_ptr<ChildReaper>> Create();
  // Why there is no guard; OK: there is one. Without a guard the kernel still
  // kills each command at the end of this process, but not what the command has
  // started.
  const absl::Status& guarded() const { return guarded_; }
  // Before this, every child must have ended or been forgotten.
  ~ChildReaper();
  ChildReaper(const ChildReaper&) = delete;
  ChildReaper& operator=(const ChildReaper&) = delete;

  // Returns what `spawn` returns: the number of the child that it has started,
  // or an error. `event` is an eventfd that becomes readable at the child's
  // end. The caller keeps it open until Forget. The functions below know the
  // child by it, because the kernel may give the number of a child that has
  // ended to another one.
  absl::StatusOr<pid_t> Start(int event,
                              absl::FunctionRef<absl::StatusOr<pid_t>()> spawn);
  // Returns the status that waitpid gave for a child that has ended. nullopt:
  // the child still runs.
  std::optional<int> StatusOf(int event) const;
  // Sends `signal` to the child's process group, unless the child has ended.
  void Signal(int event, int signal);
  // Says that the caller will not ask for this child any more. Call it once for
  // each child.
  void Forget(int event);
  // The guard to which a child adds itself; -1: there is none. The child is
  // removed from the guard when it has ended or was forgotten.
  int guard() const { return guard_ == nullptr ? -1 : guard_->descriptor(); }

 private:
  struct Child {
    pid_t number = -1;
    std::optional<int> status;
  };

  ChildReaper() = default;
  void Work();
  void Reap();
  // Notes the end of the child, and tells its owner.
  void End(int event, int status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  // By their events.
  absl::flat_hash_map<int, Child> children_ ABSL_GUARDED_BY(mutex_);
  // The events of the children that have not ended, by number.
  absl::flat_hash_map<pid_t, int> running_ ABSL_GUARDED_BY(mutex_);
  // The number of running calls of Start, and the children that have ended
  // before their numbers were known.
  int starting_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<pid_t, int> early_ ABSL_GUARDED_BY(mutex_);
  absl::Status guarded_;
  std::unique_ptr<CommandGuard> guard_;  // null: none
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_CHILD_REAPER_H_
