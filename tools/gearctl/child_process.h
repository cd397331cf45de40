// ChildProcess: a command that runs with a payload on its standard input.
#ifndef GEARMAN_TOOLS_GEARCTL_CHILD_PROCESS_H_
#define GEARMAN_TOOLS_GEARCTL_CHILD_PROCESS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/tools/gearctl/child_reaper.h"
#include "gearman/tools/gearctl/descriptor.h"
#include "gearman/tools/gearctl/start_command.h"

namespace gearman {
namespace gearctl {

// The command uses this process's standard error. It leads its own process
// group, so a Ctrl-C at the terminal does not reach it. It does not outlive the
// thread that has started it (StartCommand). Any thread, one at a time. SIGPIPE
// must be ignored.
class ChildProcess {
 public:
  // Starts the command. RESOURCE_EXHAUSTED: descriptors, processes or memory
  // have run out; nothing has begun, and the caller may try again later.
  // NOT_FOUND, PERMISSION_DENIED, ...: the command can't be started. `reaper`
  // must outlive this.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      ChildReaper* reaper, const ChildCommand& command);
  // Kills the command's group, if the command still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Runs the command to its end: feeds `input`, and hands each piece of its
  // standard output to `on_output` at the same time. So neither waits for the
  // other, however large they are. Call this once.
  //
  // `stopped` is asked at least every 50 ms; a worker's stop token moves bytes
  // when it is asked. When it returns true, or `on_output` fails, the group
  // gets SIGTERM, and SIGKILL 5 s later. A command that this process may not
  // kill is left alone 5 s after that.
  //
  // OK: the exit code is 0. ABORTED: it is another code, or a signal, which the
  // message tells. CANCELLED: stopped. Otherwise the error of `on_output`.
  absl::Status Run(absl::string_view input,
                   const std::function<absl::Status(std::string)>& on_output,
                   const std::function<bool()>& stopped);

 private:
  ChildProcess(ChildReaper* reaper, std::string name)
      : reaper_(reaper), name_(std::move(name)) {}
  void Feed();
  absl::Status ReadAll(
      const std::function<absl::Status(std::string)>& on_output);
  // Returns false if the command can't be ended.
  bool End();
  absl::Status Result(int status) const;

  ChildReaper* const reaper_;
  const std::string name_;
  bool started_ = false;
  Descriptor in_;
  Descriptor out_;
  // An eventfd that is readable at the command's end. The reaper knows the
  // command by it.
  Descriptor end_;
  absl::string_view input_;                       // input not yet written
  absl::Time ended_at_ = absl::InfiniteFuture();  // when SIGTERM was sent
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_CHILD_PROCESS_H_
