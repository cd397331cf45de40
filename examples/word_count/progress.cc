#include "gearman/examples/word_count/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace word_count {

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) != 0),
      start_(absl::Now()),
      next_(start_ + absl::Milliseconds(100)) {}

absl::Duration Progress::elapsed() const { return absl::Now() - start_; }

void Progress::Show(const ProgressNumbers& numbers) {
  const absl::Time now = absl::Now();
  if (now < next_) return;
  next_ = now + (terminal_ ? absl::Milliseconds(100) : absl::Seconds(1));
  Write(numbers);
}

void Progress::Finish(const ProgressNumbers& numbers) {
  Write(numbers);
  if (terminal_) std::fputc('\n', stderr);
}

void Progress::Write(const ProgressNumbers& numbers) const {
  const double seconds = absl::ToDoubleSeconds(elapsed());
  const std::string text = absl::StrFormat(
      "%d of %d jobs done, %d failed, %.1f of %.1f MB, %.0f jobs/s",
      numbers.jobs_done, numbers.jobs_submitted, numbers.jobs_failed,
      numbers.bytes_read / 1e6, numbers.total_bytes / 1e6,
      seconds > 0 ? numbers.jobs_done / seconds : 0);
  // "\r" goes to the start of the line; "\x1b[K" clears the rest of an earlier
  // one.
  if (terminal_) {
    absl::FPrintF(stderr, "\r%s\x1b[K", text);
  } else {
    absl::FPrintF(stderr, "%s\n", text);
  }
  std::fflush(stderr);
}

}  // namespace word_count
