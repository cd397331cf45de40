// ChildReaper: tells when child processes have ended.
//
// One thread waits for SIGCHLD. All that the wait for a child needs exists
// before the child does, so no shortage can lose its end.
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
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace gearman {
namespace gearctl {

// Thread-safe. It reaps every child of the process, so the process must have
// one only, and no other code that waits for children.
class ChildReaper {
 public:
  // Blocks SIGCHLD for the calling thread and those that it starts later. So
  // call it before any thread is started. RESOURCE_EXHAUSTED: the system has no
  // thread to give.
  static absl::StatusOr<std::unique_ptr<ChildReaper>> Create();
  // Every child has ended or was forgotten.
  ~ChildReaper();
  ChildReaper(const ChildReaper&) = delete;
  ChildReaper& operator=(const ChildReaper&) = delete;

  // Returns what `spawn` returns: the number of a child that it has started, or
  // an error. At the child's end `event`, an eventfd that the caller keeps open
  // until Forget, becomes readable.
  absl::StatusOr<pid_t> Start(int event,
                              absl::FunctionRef<absl::StatusOr<pid_t>()> spawn);
  // What waitpid says of a child that has ended; none: it still runs.
  std::optional<int> StatusOf(pid_t child) const;
  // Sends `signal` to the child's process group, unless the child has ended:
  // its number may be another process' then.
  void Signal(pid_t child, int signal);
  // Nobody asks for this child any more. Call it once for each child.
  void Forget(pid_t child);

 private:
  struct Child {
    int event = -1;
    std::optional<int> status;
  };

  ChildReaper() = default;
  void Work();
  void Reap();

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<pid_t, Child> children_ ABSL_GUARDED_BY(mutex_);
  // Calls of Start that are under way, and children that have ended before
  // their numbers were known.
  int starting_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<pid_t, int> early_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_CHILD_REAPER_H_
