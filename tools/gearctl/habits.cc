#include "gearman/tools/gearctl/habits.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr absl::string_view kTls = "--server tls://HOST, or a --config";

constexpr Habit kHabits[] = {
    {"-f", "TASK", "gearctl submit TASK, or gearctl work TASK -- COMMAND"},
    {"-w", "", "gearctl work TASK -- COMMAND"},
    {"-h", "HOST", "--server HOST (help: gearctl help)"},
    {"--host", "HOST", "--server HOST"},
    {"-p", "PORT", "--server HOST:PORT"},
    {"--port", "PORT", "--server HOST:PORT"},
    {"-S", "", kTls},
    {"--ssl", "", kTls},
    {"-H", "", "gearctl help"},
    {"-v", "", "--verbose"},
    {"-t", "TIME", "--timeout TIME, with a unit: 500ms"},
    {"-i", "FILE", "nothing: let the shell write it, echo $! >FILE"},
    {"-b", "", "--background"},
    {"-I", "", "--priority high"},
    {"-L", "", "--priority low"},
    {"-n", "", "--lines, of a worker --stream"},
    {"-N", "", "--lines, of a worker --stream"},
    {"-P", "", "--json, which has the task"},
    {"-s", "", "--data ''"},
    {"-u", "KEY", "--unique KEY"},
    {"-c", "N", "--count N"},
    {"--status", "", "gearctl status"},
    {"--priority-status", "", "gearctl status --priorities"},
    {"--workers", "", "gearctl workers"},
    {"--show-jobs", "", "gearctl jobs"},
    {"--show-unique-jobs", "", "gearctl jobs --uniques"},
    {"--cancel-job", "HANDLE", "gearctl cancel HANDLE"},
    {"--create-function", "TASK", "gearctl create TASK"},
    {"--drop-function", "TASK", "gearctl drop TASK"},
    {"--server-version", "", "gearctl version"},
    {"--server-verbose", "", "gearctl version, column LOG"},
    {"--getpid", "", "gearctl version, column PID"},
    {"--shutdown", "", "gearctl shutdown"},
};

const Habit* Find(absl::string_view flag) {
  const auto* const found =
      std::find_if(std::begin(kHabits), std::end(kHabits),
                   [flag](const Habit& habit) { return habit.flag == flag; });
  return found == std::end(kHabits) ? nullptr : found;
}

std::string LineOf(const Habit& habit) {
  return absl::StrFormat(
      "  %-22s  is here  %s\n",
      absl::StrCat(habit.flag, habit.value.empty() ? "" : " ", habit.value),
      habit.here);
}

}  // namespace

absl::Span<const Habit> Habits() { return kHabits; }

std::string SpellingOf(absl::string_view word) {
  if (absl::StartsWith(word, "--")) {
    const Habit* const habit = Find(word.substr(0, word.find('=')));
    return habit == nullptr ? "" : LineOf(*habit);
  }
  if (word.size() < 2 || word[0] != '-') return "";
  std::string lines;
  for (const char letter : word.substr(1)) {
    const char flag[] = {'-', letter};
    const Habit* const habit = Find(absl::string_view(flag, 2));
    if (habit == nullptr) return "";
    lines += LineOf(*habit);
    if (!habit->value.empty()) break;  // the rest is its value
  }
  return lines;
}

std::string SpellingOfAll(absl::Span<const std::string> words) {
  std::string lines;
  if (!words.empty() && !absl::StartsWith(words[0], "-")) {
    lines = SpellingOf(absl::StrCat("--", words[0]));
  }
  for (const std::string& word : words) {
    if (word == "--") break;
    lines += SpellingOf(word);
  }
  return lines;
}

}  // namespace gearctl
}  // namespace gearman
