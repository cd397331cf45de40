// CommandRunner runs commands, as many at once as the system has room for.
//
// If a command can't be started for lack of descriptors, processes or memory,
// the runner tries it again: when another command has ended or, if none runs,
// after a pause. Until then fewer commands run at once, and then slowly more
// again.
#ifndef GEARMAN_TOOLS_GEARCTL_COMMAND_RUNNER_H_
#define GEARMAN_TOOLS_GEARCTL_COMMAND_RUNNER_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/tools/gearctl/child_process.h"
#include "gearman/tools/gearctl/child_reaper.h"

namespace gearman {
namespace gearctl {

// Thread-safe: each thread runs its own command.
class CommandRunner {
 public:
  // Called when a command could not be started and will be tried again.
  // `at_once` is the number of commands that may now run at once. Called at
  // most once in 30 s, with no lock held.
  using OnShortage = std::function<void(const absl::Status&, int64_t at_once)>;

  // `reaper` must outlive this.
  CommandRunner(ChildReaper* reaper, OnShortage on_shortage);

  // Waits for room without limit. Then runs `command` to its end, like
  // ChildProcess::Run. Errors: those of ChildProcess::Run, and those of
  // ChildProcess::Start that are no shortage. CANCELLED: stopped, perhaps
  // before the command began. Sets `*started` to true if the command has begun.
  absl::Status Run(const ChildCommand& command, absl::string_view input,
                   const std::function<absl::Status(std::string)>& on_output,
                   const std::function<bool()>& stopped, bool* started);

 private:
  // Takes room for one command. Returns false if it was stopped before there
  // was room.
  bool Enter(const std::function<bool()>& stopped);
  void Leave();
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void OnStarted();
  // Gives back the room of a command that could not be started.
  void OnRefused(const absl::Status& status);

  ChildReaper* const reaper_;
  const OnShortage on_shortage_;

  absl::Mutex mutex_;
  int64_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  // The number of commands that may run at once. There is no limit before the
  // first shortage.
  int64_t limit_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<int64_t>::max();
  // The time at which the limit grows.
  absl::Time growth_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  // No command is started before this time. `pause_` is the length of the next
  // such pause.
  absl::Time not_before_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
  // The time at which on_shortage_ may be called again.
  absl::Time silent_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_COMMAND_RUNNER_H_
