// Subprocess: a program that a test runs, fed and watched without a shell.
//
// Its standard input, output and error are pipes. What it prints is collected
// by a thread of the object, so it never blocks on a full pipe, and its end is
// awaited by another; no wait here polls. It leads a process group of its own.
// When it ends, what is left of the group is killed; when the object is
// destroyed, or the test program dies however it may, the program is killed. So
// no process outlives the test.
//
// Thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_SUBPROCESS_H_
#define GEARMAN_TESTS_SUPPORT_SUBPROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"

namespace gearman {
namespace support {

struct SubprocessOptions {
  // The program (a path, or a name looked up in PATH) and its arguments.
  std::vector<std::string> argv;
  // Written to its standard input, which is then closed unless keep_input_open.
  std::string input;
  bool keep_input_open = false;
  // Set in its environment beside the test's own.
  std::map<std::string, std::string> environment;
  // The working directory of the program. Empty means the test's own.
  std::string directory;
};

struct ExitStatus {
  int code = -1;   // of a program that ended by itself
  int signal = 0;  // that ended it, else 0

  bool ok() const { return code == 0; }
  std::string ToString() const;  // "exit code 1", "signal 9"
};

class Subprocess {
 public:
  // Returns when the program runs. NOT_FOUND and the like when it cannot be
  // executed.
  static absl::StatusOr<std::unique_ptr<Subprocess>> Start(
      SubprocessOptions options);
  // Kills the program if it still runs, and waits for its end.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }

  // Appends to what its standard input is given. Never blocks.
  void Write(absl::string_view data);
  // Closes its standard input once all of it is written.
  void CloseInput();

  // Waits for its end and the end of its output. DEADLINE_EXCEEDED, with what
  // it has printed, when it still runs at the end of the bound.
  absl::StatusOr<ExitStatus> Wait(absl::Duration bound = kBound);
  // Waits until its output (or error output) holds `text`. An error, with what
  // it has printed, when it ends without it or the bound is reached.
  absl::Status WaitForOutput(absl::string_view text,
                             absl::Duration bound = kBound);
  absl::Status WaitForErrorOutput(absl::string_view text,
                                  absl::Duration bound = kBound);

  // Sends a signal to the program; nothing when it has ended.
  void Signal(int signal);
  // Kills the whole process group.
  void Kill();
  bool running() const;

  // The output of the process so far.
  std::string output() const;
  std::string error_output() const;

 private:
  explicit Subprocess(SubprocessOptions options);

  // The thread that forks the program and awaits its end. It must be one
  // thread: the kernel's "signal at the parent's death" means the forking
  // thread's.
  void ForkAndAwait(int in, int out, int error, absl::StatusOr<pid_t>* started);
  // The thread that moves bytes in and out.
  void Pump();
  void WakePump();
  using Stream = std::string Subprocess::*;
  absl::Status WaitForText(Stream stream, absl::string_view text,
                           absl::Duration bound);
  std::string Printed() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool Ended() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return exited_ && output_fd_ < 0 && error_fd_ < 0;
  }

  const SubprocessOptions options_;
  pid_t pid_ = -1;
  int wake_fd_ = -1;

  mutable absl::Mutex mutex_;
  // The parent's ends of the pipes. -1: closed. Only the pump closes them.
  int input_fd_ ABSL_GUARDED_BY(mutex_) = -1;
  int output_fd_ ABSL_GUARDED_BY(mutex_) = -1;
  int error_fd_ ABSL_GUARDED_BY(mutex_) = -1;
  std::string input_ ABSL_GUARDED_BY(mutex_);
  size_t input_written_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes of input_
  bool close_input_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_pump_ ABSL_GUARDED_BY(mutex_) = false;
  bool fork_done_ ABSL_GUARDED_BY(mutex_) = false;
  bool exited_ ABSL_GUARDED_BY(mutex_) = false;
  ExitStatus status_ ABSL_GUARDED_BY(mutex_);
  std::string output_ ABSL_GUARDED_BY(mutex_);
  std::string error_output_ ABSL_GUARDED_BY(mutex_);

  std::thread awaiter_;
  std::thread pump_;
};

// A program's whole run.
struct ProgramResult {
  ExitStatus status;
  std::string output;
  std::string error_output;
};

// Starts the program and waits for its end.
absl::StatusOr<ProgramResult> RunProgram(SubprocessOptions options,
                                         absl::Duration bound = kBound);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_SUBPROCESS_H_
