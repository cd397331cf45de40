// TerminalProcess: a program that a test runs on a pseudo-terminal of its own,
// typed at and looked at as by a person.
//
// The program leads a session whose terminal it is, so that a typed Ctrl-C and
// a changed size reach it as signals. It is killed with the object; when the
// test program dies the terminal hangs up. Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_TERMINAL_PROCESS_H_
#define GEARMAN_TESTS_SUPPORT_TERMINAL_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/subprocess.h"

namespace gearman {
namespace support {

class TerminalProcess {
 public:
  // Starts the program (a path, or a name looked up in PATH) on a terminal of
  // this size.
  static absl::StatusOr<std::unique_ptr<TerminalProcess>> Start(
      std::vector<std::string> argv, int columns = 80, int rows = 24);
  ~TerminalProcess();
  TerminalProcess(const TerminalProcess&) = delete;
  TerminalProcess& operator=(const TerminalProcess&) = delete;

  // Types these bytes. "\x03" is Ctrl-C.
  void Type(absl::string_view keys);
  // Changes the terminal's size; the kernel tells the program.
  void Resize(int columns, int rows);

  // Waits until the terminal shows `text`, after what was waited for before. An
  // error, with what it has shown, when the program ends without it or the
  // bound is reached.
  absl::Status Expect(absl::string_view text, absl::Duration bound = kBound);
  // Waits for the program's end. DEADLINE_EXCEEDED: it still runs.
  absl::StatusOr<ExitStatus> Wait(absl::Duration bound = kBound);

  pid_t pid() const { return pid_; }
  // All that was sent to the terminal so far, control sequences included.
  const std::string& output() const { return output_; }

 private:
  TerminalProcess() = default;
  // Reads what there is, or waits for more, or for the program's end. False:
  // the deadline came first.
  bool Read(absl::Time deadline);

  int terminal_ = -1;  // the test's end
  int end_ = -1;       // readable once the program has ended
  pid_t pid_ = -1;
  bool ended_ = false;
  std::string output_;
  size_t expected_ = 0;  // of the output
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_TERMINAL_PROCESS_H_
