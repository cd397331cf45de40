// CommandRunner: runs commands, as many at once as the system has room for.
//
// If a command can't be started for lack of descriptors, processes or memory,
// the runner tries it again: when another command has ended or, if none runs,
// after a pause. Meanwhile fewer commands run at once, and then slowly more
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

// Thread-safe: each thread runs a command of its own.
class CommandRunner {
 public:
  // Is told that a command couldn't be started and is tried again, and how many
  // commands may run at once now. It is called at most once in 30 s, with no
  // lock held.
  using OnShortage = std::function<void(const absl::Status&, int64_t at_once)>;

  // `reaper` must outlive this.
  CommandRunner(ChildReaper* reaper, OnShortage on_shortage);

  // Waits for room, for as long as it takes. Then runs `command` to its end, as
  // ChildProcess::Run does. Errors: those of ChildProcess::Run, and those of
  // ChildProcess::Start that are no shortage. CANCELLED: stopped, perhaps
  // before the command began. `*started` becomes true if the command has begun.
  absl::Status Run(const ChildCommand& command, absl::string_view input,
                   const std::function<absl::Status(std::string)>& on_output,
                   const std::function<bool()>& stopped, bool* started);

 private:
  // Takes room for one command. False: stopped before there was room.
  bool Enter(const std::function<bool()>& stopped);
  void Leave();
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void OnStarted();
  // Gives the room of a command back that couldn't be started.
  void OnRefused(const absl::Status& status);

  ChildReaper* const reaper_;
  const OnShortage on_shortage_;

  absl::Mutex mutex_;
  int64_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  // How many commands may run at once. There is no limit before the first
  // shortage.
  int64_t limit_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<int64_t>::max();
  // When the limit grows.
  absl::Time growth_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  // No command is started before this time; and how long the next such pause
  // is.
  absl::Time not_before_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
  // When on_shortage_ may be called again.
  absl::Time silent_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_COMMAND_RUNNER_H_
