// Habits: what users of Debian's gearman and gearadmin type, and how it is
// spelled here. None of their flags is taken in another meaning, and none is
// ignored. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_HABITS_H_
#define GEARMAN_TOOLS_GEARCTL_HABITS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {
namespace gearctl {

struct Habit {
  absl::string_view flag;   // "-f", "--status"
  absl::string_view value;  // "TASK"; empty: it takes none
  absl::string_view here;   // what to type instead
};
// Every flag that the help of gearman and gearadmin 1.1 has.
absl::Span<const Habit> Habits();

// How to spell the flags of gearman or gearadmin that `word` has, a line each:
// "--status", "--status=x", "-f", "-fTASK" and "-nb" are such words. Empty: it
// has others.
std::string SpellingOf(absl::string_view word);

// SpellingOf all words, up to "--"; and of the first one if it is a command's
// name without its dashes ("show-jobs").
std::string SpellingOfAll(absl::Span<const std::string> words);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_HABITS_H_
