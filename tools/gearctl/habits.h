// Habits are the flags that users of Debian's gearman and gearadmin type, with
// their spelling here. Gearctl never takes one of them in another meaning, and
// ignores none. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_HABITS_H_
#define GEARMAN_TOOLS_GEARCTL_HABITS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {
namespace gearctl {

struct Habit {
  absl::string_view flag;   // "-f", "--status"
  absl::string_view value;  // "TASK"; empty: the flag takes no value
  absl::string_view here;   // the right spelling here
};
// Every flag that the help of gearman and gearadmin 1.1 has.
absl::Span<const Habit> Habits();

// Tells how to spell the flags of gearman or gearadmin in `word`, with a line
// for each. "--status", "--status=x", "-f", "-fTASK" and "-nb" are such words.
// Empty: the word has no such flag.
std::string SpellingOf(absl::string_view word);

// Applies SpellingOf to all words up to "--". If the first word is a command's
// name without its dashes ("show-jobs"), it is included.
std::string SpellingOfAll(absl::Span<const std::string> words);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_HABITS_H_
