// Subcommand: a word of gearctl's command line and what it does. Help, shell
// completion and the man page are all made of a table of them.
//
// One thread, before others are started: flags are global.
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

// What was given beside flags.
struct Arguments {
  std::vector<std::string> words;
  // What follows "--", of a subcommand whose usage has "-- COMMAND"; of others
  // these are words, even if they begin with "-".
  std::vector<std::string> command;
  // The flags that were given, by their names in Abseil: an empty --data is
  // not the same as none.
  std::set<std::string> flags;
  // --help was given. Nothing behind it was looked at, and nothing is checked.
  bool help = false;
};

struct Subcommand {
  absl::string_view name;
  absl::string_view usage;    // its arguments: "TASK [-]"
  absl::string_view summary;  // one line, without a full stop
  absl::string_view description;
  // Of its own, beside the common ones. Abseil flags, by their names there.
  std::vector<absl::string_view> flags;
  absl::string_view examples;  // one a line
  size_t min_words = 0;
  size_t max_words = 0;
  ExitCode (*run)(const Arguments& arguments) = nullptr;
  // Common flags that mean nothing to it, and are refused.
  std::vector<absl::string_view> without = {};
};

// The flags that most of them take.
absl::Span<const absl::string_view> CommonFlags();
// Those that it takes and its own, its own first.
std::vector<std::string> FlagsOf(const Subcommand& subcommand);

// Sets the flags that `words` name and returns the rest. INVALID_ARGUMENT: a
// flag that the subcommand does not take, a bad value, an empty one or an empty
// argument (only a payload may be empty), too few or too many arguments; the
// message says what there is.
absl::StatusOr<Arguments> ParseArguments(const Subcommand& subcommand,
                                         absl::Span<const std::string> words);

// Whether `word`, which `behind` others follow, asks for help: --help, or -h as
// the last word. (gearman's and gearadmin's -h has a host behind it.)
bool AsksForHelp(absl::string_view word, size_t behind);

// Flags may stand before the subcommand, too: moves those behind it. All words
// are flags: they stay.
std::vector<std::string> WithSubcommandFirst(std::vector<std::string> words);

// How a flag is written: "in-flight" for in_flight.
std::string FlagName(absl::string_view flag);
// What stands for its value in help: "FILE", "N"; empty: it takes none.
std::string FlagValue(absl::string_view flag);
// What it does.
std::string FlagHelp(absl::string_view flag);

// The text of `gearctl help`, and that of one subcommand.
std::string HelpText(absl::Span<const Subcommand> subcommands);
std::string HelpText(const Subcommand& subcommand);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SUBCOMMAND_H_
