// Progress: one line that is rewritten on a terminal, and separate lines
// elsewhere.
#ifndef GEARMAN_EXAMPLES_WORD_COUNT_PROGRESS_H_
#define GEARMAN_EXAMPLES_WORD_COUNT_PROGRESS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace word_count {

struct ProgressNumbers {
  int64_t jobs_submitted = 0;
  int64_t jobs_done = 0;
  int64_t jobs_failed = 0;
  uint64_t bytes_read = 0;
  uint64_t total_bytes = 0;
};

class Progress {
 public:
  // Writes to standard error.
  Progress();

  // Shows the numbers, but not too often.
  void Show(const ProgressNumbers& numbers);
  // Shows the final numbers.
  void Finish(const ProgressNumbers& numbers);

  // The time since the start.
  absl::Duration elapsed() const;

 private:
  void Write(const ProgressNumbers& numbers) const;

  const bool terminal_;
  const absl::Time start_;
  absl::Time next_;
};

}  // namespace word_count

#endif  // GEARMAN_EXAMPLES_WORD_COUNT_PROGRESS_H_
