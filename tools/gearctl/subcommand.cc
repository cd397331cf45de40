#include "gearman/tools/gearctl/subcommand.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "gearman/plugins/suggest.h"
#include "gearman/tools/gearctl/habits.h"

namespace gearman {
namespace gearctl {
namespace {

bool Takes(const Subcommand& subcommand, absl::string_view flag) {
  const std::vector<std::string> flags = FlagsOf(subcommand);
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

bool TakesCommand(const Subcommand& subcommand) {
  return absl::StrContains(subcommand.usage, "-- COMMAND");
}

std::string UsageLine(const Subcommand& subcommand) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(subcommand.usage, absl::MaxSplits(" -- ", 1));
  return absl::StrCat("Usage: gearctl ", subcommand.name,
                      parts.first.empty() ? "" : " ", parts.first,
                      " [--FLAG...]", TakesCommand(subcommand) ? " -- " : "",
                      parts.second);
}

absl::Status UsageError(const Subcommand& subcommand, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, "\n", UsageLine(subcommand), "\nMore: gearctl help ",
                   subcommand.name));
}

// Explains why `flag` has refused a value with `error`.
std::string WhyNot(const absl::CommandLineFlag& flag,
                   const std::string& error) {
  if (flag.IsOfType<bool>()) return "expected true or false";
  if (flag.IsOfType<double>()) return "expected a number";
  if (error.empty()) return flag.Help();
  // Abseil puts a sentence and a semicolon in front of the type's message.
  const size_t semicolon = error.rfind("; ");
  return semicolon == std::string::npos ? error : error.substr(semicolon + 2);
}

absl::Status SetFlag(const Subcommand& subcommand, absl::CommandLineFlag& flag,
                     absl::string_view value) {
  std::string whole(value);
  const bool list = flag.IsOfType<std::vector<std::string>>();
  // An unset variable of a script must not mean that the flag is missing. Only
  // a payload may be empty.
  const std::vector<absl::string_view> items =
      list ? absl::StrSplit(value, ',') : std::vector<absl::string_view>{value};
  if (flag.Name() != "data" &&
      std::find(items.begin(), items.end(), "") != items.end()) {
    return UsageError(subcommand,
                      absl::StrCat("--", FlagName(flag.Name()), ": ",
                                   value.empty() ? "its value is empty"
                                                 : "an item of it is empty"));
  }
  // A list grows with each mention of its flag.
  if (list && !flag.CurrentValue().empty()) {
    whole = absl::StrCat(flag.CurrentValue(), ",", value);
  }
  std::string error;
  if (!flag.ParseFrom(whole, &error)) {
    return UsageError(
        subcommand,
        absl::StrCat("--", FlagName(flag.Name()), ": \"", value,
                     "\" is no value for it: ", WhyNot(flag, error)));
  }
  return absl::OkStatus();
}

// The parts of a word that is a flag.
struct FlagWord {
  std::string name;  // the Abseil name
  bool has_value = false;
  absl::string_view value;
};

// A negative number is no flag.
bool IsFlag(absl::string_view word) {
  return word.size() > 1 && word[0] == '-' && word != "--" &&
         !absl::ascii_isdigit(static_cast<unsigned char>(word[1]));
}

FlagWord TakeApart(absl::string_view word) {
  word.remove_prefix(absl::StartsWith(word, "--") ? 2 : 1);
  const size_t equals = word.find('=');
  FlagWord flag;
  flag.name = absl::StrReplaceAll(word.substr(0, equals), {{"-", "_"}});
  flag.has_value = equals != absl::string_view::npos;
  if (flag.has_value) flag.value = word.substr(equals + 1);
  return flag;
}

// `name` is the Abseil name of the flag in `word`.
absl::Status UnknownFlag(const Subcommand& subcommand, const std::string& word,
                         absl::string_view name) {
  const std::string what =
      absl::StrCat("\"", word, "\" is no flag of gearctl ", subcommand.name);
  const std::string habit = SpellingOf(word);
  if (!habit.empty()) {
    return UsageError(
        subcommand, absl::StrCat(what, ":\n", absl::StripSuffix(habit, "\n")));
  }
  std::vector<std::string> known = FlagsOf(subcommand);
  for (std::string& flag : known) flag = absl::StrCat("--", FlagName(flag));
  return UsageError(subcommand,
                    absl::StrCat(what, ": ",
                                 Suggest(absl::StrCat("--", FlagName(name)),
                                         std::move(known))));
}

// Returns the usage's name of the argument at `place`: "TASK [-]" has TASK
// first.
absl::string_view ArgumentName(const Subcommand& subcommand, size_t place) {
  const std::vector<absl::string_view> all =
      absl::StrSplit(subcommand.usage, ' ');
  return place < all.size() ? all[place] : all[0];
}

// Wraps text into lines of at most 78 columns.
std::string Wrapped(absl::string_view text, absl::string_view indent) {
  std::string wrapped;
  std::string line;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (!line.empty() && indent.size() + line.size() + word.size() + 1 > 78) {
      absl::StrAppend(&wrapped, wrapped.empty() ? "" : indent, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  absl::StrAppend(&wrapped, wrapped.empty() ? "" : indent, line, "\n");
  return wrapped;
}

std::string DescribeFlag(absl::string_view flag) {
  const std::string value = FlagValue(flag);
  const std::string name =
      absl::StrCat("--", FlagName(flag), value.empty() ? "" : " ", value);
  return absl::StrFormat("  %-20s %s", name,
                         Wrapped(FlagHelp(flag), std::string(23, ' ')));
}

}  // namespace

absl::Span<const absl::string_view> CommonFlags() {
  static constexpr absl::string_view kFlags[] = {"server", "config", "json",
                                                 "timeout", "verbose"};
  return kFlags;
}

std::vector<std::string> FlagsOf(const Subcommand& subcommand) {
  std::vector<std::string> flags(subcommand.flags.begin(),
                                 subcommand.flags.end());
  for (const absl::string_view flag : CommonFlags()) {
    if (std::find(subcommand.without.begin(), subcommand.without.end(), flag) ==
        subcommand.without.end()) {
      flags.emplace_back(flag);
    }
  }
  return flags;
}

absl::StatusOr<Arguments> ParseArguments(const Subcommand& subcommand,
                                         absl::Span<const std::string> words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      std::vector<std::string>& rest =
          TakesCommand(subcommand) ? arguments.command : arguments.words;
      rest.insert(rest.end(), words.begin() + i + 1, words.end());
      break;
    }
    if (!IsFlag(words[i])) {
      arguments.words.push_back(words[i]);
      continue;
    }
    if (AsksForHelp(words[i], words.size() - i - 1)) {
      arguments.help = true;
      return arguments;
    }
    FlagWord word = TakeApart(words[i]);
    bool negated = false;
    if (!Takes(subcommand, word.name) && absl::StartsWith(word.name, "no") &&
        Takes(subcommand, absl::string_view(word.name).substr(2))) {
      negated = true;
      word.name.erase(0, 2);
    }
    absl::CommandLineFlag* const flag =
        Takes(subcommand, word.name) ? absl::FindCommandLineFlag(word.name)
                                     : nullptr;
    if (flag == nullptr || (negated && !flag->IsOfType<bool>())) {
      return UnknownFlag(subcommand, words[i], word.name);
    }
    if (!word.has_value) {
      if (flag->IsOfType<bool>()) {
        word.value = negated ? "false" : "true";
      } else if (i + 1 < words.size()) {
        word.value = words[++i];
      } else {
        return UsageError(
            subcommand,
            absl::StrCat(words[i], " lacks its value: ", FlagValue(word.name)));
      }
    }
    absl::Status status = SetFlag(subcommand, *flag, word.value);
    if (!status.ok()) return status;
    arguments.flags.insert(word.name);
  }
  for (size_t i = 0; i < arguments.words.size(); ++i) {
    if (!arguments.words[i].empty()) continue;
    return UsageError(subcommand,
                      absl::StrCat(ArgumentName(subcommand, i), " is empty"));
  }
  if (arguments.words.size() < subcommand.min_words) {
    return UsageError(
        subcommand,
        absl::StrCat(ArgumentName(subcommand, arguments.words.size()),
                     " is missing"));
  }
  if (TakesCommand(subcommand) && arguments.command.empty()) {
    return UsageError(subcommand, "-- COMMAND is missing");
  }
  if (arguments.words.size() > subcommand.max_words) {
    return UsageError(subcommand,
                      absl::StrCat("\"", arguments.words[subcommand.max_words],
                                   "\" is too much"));
  }
  return arguments;
}

bool AsksForHelp(absl::string_view word, size_t behind) {
  return word == "--help" || (word == "-h" && behind == 0);
}

std::vector<std::string> WithSubcommandFirst(std::vector<std::string> words) {
  size_t i = 0;
  while (i < words.size() && IsFlag(words[i])) {
    const FlagWord word = TakeApart(words[i]);
    const absl::CommandLineFlag* const flag =
        absl::FindCommandLineFlag(word.name);
    const bool alone =
        word.has_value || flag == nullptr || flag->IsOfType<bool>();
    i += alone ? 1 : 2;
  }
  if (i < words.size()) {
    std::rotate(words.begin(), words.begin() + static_cast<ptrdiff_t>(i),
                words.begin() + static_cast<ptrdiff_t>(i) + 1);
  }
  return words;
}

std::string FlagName(absl::string_view flag) {
  return absl::StrReplaceAll(flag, {{"_", "-"}});
}

std::string FlagValue(absl::string_view flag) {
  const absl::CommandLineFlag* const found = absl::FindCommandLineFlag(flag);
  if (found == nullptr || found->IsOfType<bool>()) return "";
  // If the help begins with a word in capitals, that word describes the value.
  const std::string help = found->Help();
  const std::string first = help.substr(0, help.find_first_of(" ,:"));
  if (std::all_of(first.begin(), first.end(), absl::ascii_isupper)) {
    return first;
  }
  return found->IsOfType<std::string>() ? "TEXT" : "N";
}

std::string FlagHelp(absl::string_view flag) {
  const absl::CommandLineFlag* const found = absl::FindCommandLineFlag(flag);
  return found == nullptr ? "" : found->Help();
}

std::string HelpText(absl::Span<const Subcommand> subcommands) {
  std::string text =
      "gearctl: submits, does and watches Gearman jobs.\n\n"
      "Usage: gearctl SUBCOMMAND [ARGUMENT...] [--FLAG...]\n\n";
  for (const Subcommand& subcommand : subcommands) {
    absl::StrAppendFormat(&text, "  %-11s %s\n", subcommand.name,
                          subcommand.summary);
  }
  absl::StrAppend(&text, "\nFlags of most subcommands:\n");
  for (const absl::string_view flag : CommonFlags()) {
    absl::StrAppend(&text, DescribeFlag(flag));
  }
  absl::StrAppend(&text,
                  "\nServers: --server, else those of --config, else "
                  "GEARMAN_SERVERS, else\nGEARMAN_SERVER, else "
                  "localhost:4730.\n\nExit codes:\n");
  for (const ExitCodeMeaning& meaning : ExitCodes()) {
    absl::StrAppendFormat(&text, "  %3d  %s\n", meaning.code, meaning.meaning);
  }
  absl::StrAppend(&text, "\nMore: gearctl help SUBCOMMAND\n");
  return text;
}

std::string HelpText(const Subcommand& subcommand) {
  std::string text =
      absl::StrCat("gearctl ", subcommand.name, ": ", subcommand.summary,
                   ".\n\n", UsageLine(subcommand), "\n");
  if (!subcommand.description.empty()) {
    absl::StrAppend(&text, "\n", Wrapped(subcommand.description, ""));
  }
  const std::vector<std::string> flags = FlagsOf(subcommand);
  if (!flags.empty()) absl::StrAppend(&text, "\nFlags:\n");
  for (const std::string& flag : flags) {
    absl::StrAppend(&text, DescribeFlag(flag));
  }
  absl::StrAppend(&text, "\nExamples:\n");
  for (const absl::string_view example :
       absl::StrSplit(subcommand.examples, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, "  ", example, "\n");
  }
  return text;
}

}  // namespace gearctl
}  // namespace gearman
