// Subcommand is a word of gearctl's command line and its action. Help, shell
// completion and the man page are all made from a table of subcommands.
//
// One thread, before others are started, because flags are global.
#ifndef GEARMAN_TOOLS_GEARCTL_SUBCOMMAND_H_
#define GEARMAN_TOOLS_GEARCTL_SUBCOMMAND_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/tools/gearctl/exit_code.h"

namespace gearman {
namespace gearctl {

// The arguments that are not flags.
struct Arguments {
  std::vector<std::string> words;
  // The words after "--", for a subcommand whose usage has "-- COMMAND". For
  // other subcommands these are in `words`, even if they begin with "-".
  std::vector<std::string> command;
  // The flags that were given, by their Abseil names. An empty --data differs
  // from none.
  std::set<std::string> flags;
  // --help was given. No word after it was read, and nothing is checked.
  bool help = false;
};

struct Subcommand {
  absl::string_view name;
  absl::string_view usage;    // its arguments: "TASK [-]"
  absl::string_view summary;  // one line, without a full stop
  absl::string_view description;
  // The subcommand's own flags, beside the common ones, by their Abseil names.
  std::vector<absl::string_view> flags;
  absl::string_view examples;  // one a line
  size_t min_words = 0;
  size_t max_words = 0;
  ExitCode (*run)(const Arguments& arguments) = nullptr;
  // Common flags that mean nothing to it and are refused.
  std::vector<absl::string_view> without = {};
};

// The flags that most subcommands take.
absl::Span<const absl::string_view> CommonFlags();
// The flags that the subcommand takes: its own first, then the common ones.
std::vector<std::string> FlagsOf(const Subcommand& subcommand);

// Sets the flags that `words` name and returns the rest. INVALID_ARGUMENT: the
// subcommand does not take a flag; a value is bad; a value or argument is empty
// (only a payload may be empty); or there are too few or too many arguments.
// The message says what is allowed.
absl::StatusOr<Arguments> ParseArguments(const Subcommand& subcommand,
                                         absl::Span<const std::string> words);

// True if `word`, which `behind` other words follow, asks for help: --help, or
// -h as the last word. The -h of gearman and gearadmin has a host after it.
bool AsksForHelp(absl::string_view word, size_t behind);

// Flags may come before the subcommand. Moves them behind it. If all words are
// flags, they stay.
std::vector<std::string> WithSubcommandFirst(std::vector<std::string> words);

// Returns the written form of a flag: "in-flight" for in_flight.
std::string FlagName(absl::string_view flag);
// Returns the placeholder for its value in help: "FILE", "N". Empty: the flag
// takes no value.
std::string FlagValue(absl::string_view flag);
// Returns the description of the flag.
std::string FlagHelp(absl::string_view flag);

// Return the text of `gearctl help`, and the help of one subcommand.
std::string HelpText(absl::Span<const Subcommand> subcommands);
std::string HelpText(const Subcommand& subcommand);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SUBCOMMAND_H_
