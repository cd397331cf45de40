// Terminal: what differs when a person looks. Any thread.
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
// Whether it is a terminal that control sequences move the cursor of: not one
// whose TERM is "dumb", as an editor's shell has it.
bool CanDraw(int descriptor);
// In columns and rows; 80 by 24 where it can't be known.
struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
TerminalSize SizeOfTerminal(int descriptor);

// "[#####     ]  50% label", at most `columns` wide, the last one kept free
// (it would wrap). A denominator of 0 or less: "numerator label". Never more
// than 100 %.
std::string ProgressBar(int64_t numerator, int64_t denominator,
                        absl::string_view label, int columns);

// A line on standard error that is drawn over itself; nothing where standard
// error is no terminal that can draw.
class ProgressLine {
 public:
  ProgressLine();
  // Takes it away.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(int64_t numerator, int64_t denominator, absl::string_view label);
  // The terminal has another size now.
  void Redraw();
  // Takes it away before something else is written, until it is shown again.
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

// Replaces what a terminal shows by `text`, cut to its size.
std::string ScreenOf(absl::string_view text, TerminalSize size);

// Standard output as a screen that is drawn again and again; what the terminal
// showed before comes back at the end. One thread.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // As Print.
  ExitCode Draw(absl::string_view text);
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_TERMINAL_H_
