// Handles the differences of output for a person at a terminal. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_TERMINAL_H_
#define GEARMAN_TOOLS_GEARCTL_TERMINAL_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/tools/gearctl/exit_code.h"

namespace gearman {
namespace gearctl {

bool IsTerminal(int descriptor);
// True if control sequences move the cursor of this terminal. False if TERM is
// "dumb", as in an editor's shell.
bool CanDraw(int descriptor);
// The size in columns and rows; 80 by 24 if it is unknown.
struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
TerminalSize SizeOfTerminal(int descriptor);

// Returns "[##### ] 50% label", at most `columns` wide. The last column stays
// free, because it would wrap. With a denominator of 0 or less: "numerator
// label". Never more than 100 %.
std::string ProgressBar(int64_t numerator, int64_t denominator,
                        absl::string_view label, int columns);

// A line on standard error that is drawn over itself. It does nothing if
// standard error is no terminal that can draw.
class ProgressLine {
 public:
  ProgressLine();
  // Removes the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(int64_t numerator, int64_t denominator, absl::string_view label);
  // Draws again, because the terminal has another size.
  void Redraw();
  // Removes the line before other output, until the next Show.
  void Clear();

 private:
  void Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool can_draw_;
  absl::Mutex mutex_;
  bool shown_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t numerator_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t denominator_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string label_ ABSL_GUARDED_BY(mutex_);
};

// Returns a text that replaces the terminal's content by `text`, cut to its
// size.
std::string ScreenOf(absl::string_view text, TerminalSize size);

// Standard output as a screen that is drawn repeatedly. At the end the terminal
// shows its former content again. One thread.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Shows the former content again. The destructor does so, too.
  static void Leave();
  // Writes like Print.
  ExitCode Draw(absl::string_view text);
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_TERMINAL_H_
