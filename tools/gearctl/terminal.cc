#include "gearman/tools/gearctl/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/text.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {
namespace {

// Control sequences that all current terminals know.
constexpr char kEraseLine[] = "\r\x1b[K";
constexpr char kEnterScreen[] = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr char kLeaveScreen[] = "\x1b[?25h\x1b[?1049l";

}  // namespace

bool IsTerminal(int descriptor) { return isatty(descriptor) == 1; }

bool CanDraw(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return IsTerminal(descriptor) &&
         (kind == nullptr || absl::string_view(kind) != "dumb");
}

TerminalSize SizeOfTerminal(int descriptor) {
  TerminalSize size;
  winsize window{};
  if (ioctl(descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size.columns = window.ws_col;
    size.rows = std::max<int>(window.ws_row, 1);
  }
  return size;
}

std::string ProgressBar(int64_t numerator, int64_t denominator,
                        absl::string_view label, int columns) {
  const int width = std::max(columns - 1, 1);
  std::string line;
  if (denominator <= 0) {
    line = absl::StrCat(numerator, " ", label);
  } else {
    const double part = std::clamp(
        static_cast<double>(numerator) / static_cast<double>(denominator), 0.0,
        1.0);
    const std::string text =
        absl::StrFormat(" %3d%% %s", static_cast<int>(part * 100), label);
    const int bar = std::min(width - 2 - DisplayWidth(text), 40);
    if (bar >= 5) {
      const int full = static_cast<int>(part * bar);
      line =
          absl::StrCat("[", std::string(static_cast<size_t>(full), '#'),
                       std::string(static_cast<size_t>(bar - full), ' '), "]");
    }
    absl::StrAppend(&line, text);
  }
  return std::string(CutToWidth(line, width));
}

ProgressLine::ProgressLine() : can_draw_(CanDraw(STDERR_FILENO)) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(int64_t numerator, int64_t denominator,
                        absl::string_view label) {
  if (!can_draw_) return;
  absl::MutexLock lock(&mutex_);
  numerator_ = numerator;
  denominator_ = denominator;
  label_ = Printable(label);
  shown_ = true;
  Draw();
}

void ProgressLine::Redraw() {
  absl::MutexLock lock(&mutex_);
  if (shown_) Draw();
}

void ProgressLine::Clear() {
  absl::MutexLock lock(&mutex_);
  if (shown_) PrintError(kEraseLine);
  shown_ = false;
}

void ProgressLine::Draw() {
  PrintError(absl::StrCat(kEraseLine,
                          ProgressBar(numerator_, denominator_, label_,
                                      SizeOfTerminal(STDERR_FILENO).columns)));
}

std::string ScreenOf(absl::string_view text, TerminalSize size) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (lines.size() > static_cast<size_t>(size.rows)) {
    lines.resize(static_cast<size_t>(size.rows));
  }
  std::string screen = "\x1b[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&screen, i == 0 ? "" : "\r\n",
                    CutToWidth(lines[i], size.columns), "\x1b[K");
  }
  return screen + "\x1b[J";
}

Screen::Screen() { Print(kEnterScreen); }

Screen::~Screen() { Leave(); }

void Screen::Leave() { Print(kLeaveScreen); }

ExitCode Screen::Draw(absl::string_view text) {
  return Print(ScreenOf(text, SizeOfTerminal(STDOUT_FILENO)));
}

}  // namespace gearctl
}  // namespace gearman
