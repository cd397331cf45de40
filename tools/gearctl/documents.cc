#include "gearman/tools/gearctl/documents.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/sdk/version.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/subcommand.h"
#include "gearman/tools/gearctl/subcommands.h"

namespace gearman {
namespace gearctl {
namespace {

// Returns the possible values of an argument: "bash|zsh" in a usage.
std::vector<std::string> Choices(absl::string_view usage) {
  if (!absl::StrContains(usage, '|')) return {};
  return absl::StrSplit(usage, '|');
}

// True for a usage whose argument is a file.
bool TakesFile(absl::string_view usage) { return usage == "FILE"; }

// Returns the possible values of a flag that has only a few.
absl::string_view ChoicesOfFlag(absl::string_view flag) {
  return flag == "priority" ? "high normal low" : "";
}

std::vector<std::string> NamesOf(absl::Span<const Subcommand> subcommands) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : subcommands) {
    names.emplace_back(subcommand.name);
  }
  return names;
}

// --- bash --------------------------------------------------------------------

std::string FlagWords(absl::Span<const std::string> flags) {
  return absl::StrJoin(flags, " ", [](std::string* out, const auto& flag) {
    absl::StrAppend(out, "--", FlagName(flag));
  });
}

// Offers files.
constexpr absl::string_view kBashFiles =
    "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "
    "\"$word\")); return";

// Returns the cases of flags that need a value.
std::string BashValueCases(absl::Span<const Subcommand> subcommands) {
  std::vector<std::string> files;
  std::vector<std::string> others;
  std::string cases;
  std::set<std::string> seen;
  for (const Subcommand& subcommand : subcommands) {
    for (const std::string& flag : FlagsOf(subcommand)) {
      if (FlagValue(flag).empty() || seen.count(flag) > 0) {
        continue;
      }
      seen.insert(flag);
      const std::string name = absl::StrCat("--", FlagName(flag));
      if (!ChoicesOfFlag(flag).empty()) {
        absl::StrAppend(&cases, "    ", name, ") COMPREPLY=($(compgen -W '",
                        ChoicesOfFlag(flag), "' -- \"$word\")); return ;;\n");
      } else {
        (FlagValue(flag) == "FILE" ? files : others).push_back(name);
      }
    }
  }
  return absl::StrCat(cases, "    ", absl::StrJoin(files, "|"), ") ",
                      kBashFiles, " ;;\n    ", absl::StrJoin(others, "|"),
                      ") return ;;\n");
}

// --- zsh ---------------------------------------------------------------------

// Escapes text between single quotes, in a specification of _arguments.
std::string ZshText(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string ZshFlag(absl::string_view flag) {
  const std::string value = FlagValue(flag);
  std::string action = value == "FILE" ? "_files" : " ";
  if (!ChoicesOfFlag(flag).empty()) {
    action = absl::StrCat("(", ChoicesOfFlag(flag), ")");
  }
  return absl::StrCat(
      "'", flag == "server" || flag == "listen" ? "*" : "", "--",
      FlagName(flag), value.empty() ? "" : "=", "[", ZshText(FlagHelp(flag)),
      "]", value.empty() ? "" : absl::StrCat(":", value, ":", action), "'");
}

// --- man ---------------------------------------------------------------------

// Escapes text of a man page, so that no line is taken for a request.
std::string ManText(absl::string_view text) {
  std::string escaped =
      absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  if (absl::StartsWith(escaped, ".") || absl::StartsWith(escaped, "'")) {
    escaped.insert(0, "\\&");
  }
  return escaped;
}

std::string ManFlag(absl::string_view flag) {
  const std::string value = FlagValue(flag);
  return absl::StrCat(
      ".TP\n\\fB\\-\\-", ManText(FlagName(flag)), "\\fR",
      value.empty() ? "" : absl::StrCat(" \\fI", ManText(value), "\\fR"), "\n",
      ManText(FlagHelp(flag)), ".\n");
}

std::string ManSubcommand(const Subcommand& subcommand) {
  std::string text = absl::StrCat(
      ".SS \"gearctl ", subcommand.name, subcommand.usage.empty() ? "" : " ",
      ManText(subcommand.usage), "\"\n", ManText(subcommand.summary), ".\n");
  // The summary begins like a sentence.
  const size_t begin = text.find("\"\n") + 2;
  text[begin] = absl::ascii_toupper(text[begin]);
  if (!subcommand.description.empty()) {
    absl::StrAppend(&text, ".PP\n", ManText(subcommand.description), "\n");
  }
  for (const absl::string_view flag : subcommand.flags) {
    absl::StrAppend(&text, ManFlag(flag));
  }
  absl::StrAppend(&text, ".PP\n.nf\n.RS\n");
  for (const absl::string_view example :
       absl::StrSplit(subcommand.examples, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, ManText(example), "\n");
  }
  return text + ".RE\n.fi\n";
}

}  // namespace

std::string BashCompletion(absl::Span<const Subcommand> subcommands) {
  std::string text = absl::StrCat(
      "# Completes gearctl in bash: source it.\n"
      "_gearctl() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} "
      "before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local subcommand= flags='",
      FlagWords(
          std::vector<std::string>(CommonFlags().begin(), CommonFlags().end())),
      "' words=\n"
      "  local i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n"
      // A worker's command is completed like any other command.
      "    --) _command_offset $((i + 1)) 2>/dev/null; return ;;\n"
      "    -*) ;;\n"
      "    *) if [[ -z $subcommand && ' ",
      absl::StrJoin(NamesOf(subcommands), " "),
      " help ' == *\" ${COMP_WORDS[i]} \"* ]]; then "
      "subcommand=${COMP_WORDS[i]}; fi ;;\n"
      "    esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      // Bash splits --flag=value into three words.
      "  if [[ $word == = ]]; then word=\n"
      "  elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  case $before in\n",
      BashValueCases(subcommands),
      "  esac\n"
      "  case $subcommand in\n"
      "    '') words='",
      absl::StrJoin(NamesOf(subcommands), " "),
      " help' ;;\n"
      "    help) words='",
      absl::StrJoin(NamesOf(subcommands), " "), "' flags= ;;\n");
  for (const Subcommand& subcommand : subcommands) {
    absl::StrAppend(
        &text, "    ", subcommand.name, ") flags='",
        FlagWords(FlagsOf(subcommand)), " --help' words='",
        absl::StrJoin(Choices(subcommand.usage), " "), "'",
        TakesFile(subcommand.usage)
            ? absl::StrCat("; if [[ $word != -* ]]; then ", kBashFiles, "; fi")
            : "",
        " ;;\n");
  }
  return absl::StrCat(text,
                      "  esac\n"
                      "  if [[ $word == -* ]]; then words=$flags; fi\n"
                      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                      "}\n"
                      "complete -F _gearctl gearctl\n");
}

std::string ZshCompletion(absl::Span<const Subcommand> subcommands) {
  std::string text =
      "#compdef gearctl\n"
      "# Completes gearctl in zsh: _gearctl in a folder of $fpath.\n"
      "_gearctl() {\n"
      "  local -a subcommands\n"
      "  subcommands=(\n";
  for (const Subcommand& subcommand : subcommands) {
    absl::StrAppend(&text, "    '", subcommand.name, ":",
                    ZshText(subcommand.summary), "'\n");
  }
  absl::StrAppend(&text,
                  "    'help:tells how a subcommand is used'\n"
                  "  )\n"
                  "  if ((CURRENT == 2)); then\n"
                  "    _describe subcommand subcommands\n"
                  "    return\n"
                  "  fi\n"
                  "  local subcommand=$words[2]\n"
                  "  shift words\n"
                  "  ((CURRENT--))\n"
                  "  case $subcommand in\n"
                  "    help) _describe subcommand subcommands ;;\n");
  for (const Subcommand& subcommand : subcommands) {
    absl::StrAppend(&text, "    ", subcommand.name, ")\n      _arguments \\\n");
    for (const std::string& flag : FlagsOf(subcommand)) {
      absl::StrAppend(&text, "        ", ZshFlag(flag), " \\\n");
    }
    const std::vector<std::string> choices = Choices(subcommand.usage);
    const absl::string_view others =
        TakesFile(subcommand.usage) ? "_files" : " ";
    absl::StrAppend(
        &text,
        "        '--help[tells how it is used]' \\\n        '*:argument:",
        choices.empty() ? std::string(others)
                        : absl::StrCat("(", absl::StrJoin(choices, " "), ")"),
        "' ;;\n");
  }
  return absl::StrCat(text,
                      "  esac\n"
                      "}\n"
                      // The script is autoloaded by compinit, or sourced.
                      "if [[ $funcstack[1] == _gearctl ]]; then\n"
                      "  _gearctl \"$@\"\n"
                      "else\n"
                      "  compdef _gearctl gearctl\n"
                      "fi\n");
}

std::string ManPage(absl::Span<const Subcommand> subcommands) {
  std::string text = absl::StrCat(
      ".\\\" Made by: gearctl man\n"
      ".TH GEARCTL 1 \"\" \"gearman_sdk ",
      kVersion,
      "\" \"User Commands\"\n"
      ".SH NAME\n"
      "gearctl \\- submits, does and watches Gearman jobs\n"
      ".SH SYNOPSIS\n"
      "\\fBgearctl\\fR \\fISUBCOMMAND\\fR [\\fIARGUMENT\\fR...] "
      "[\\fB\\-\\-FLAG\\fR...]\n"
      ".PP\n"
      "\\fBgearctl help\\fR [\\fISUBCOMMAND\\fR]\n"
      ".PP\n"
      "\\fBgearctl \\-\\-version\\fR\n"
      ".SH DESCRIPTION\n"
      "One tool for Gearman job servers: it submits jobs, does them with any "
      "command, and shows and steers servers. Results go to standard output, "
      "everything else to standard error.\n"
      ".PP\n"
      "The servers are those of \\-\\-server, else those of \\-\\-config, else "
      "those of the environment variable GEARMAN_SERVERS (addresses separated "
      "by commas), else those of GEARMAN_SERVER, else localhost:4730.\n"
      ".SH SUBCOMMANDS\n");
  for (const Subcommand& subcommand : subcommands) {
    text += ManSubcommand(subcommand);
  }
  absl::StrAppend(&text,
                  ".SH FLAGS OF MOST SUBCOMMANDS\n"
                  "gearctl help SUBCOMMAND lists those that it takes. "
                  "Flags may stand anywhere before \"\\-\\-\", as "
                  "\\-\\-flag value or \\-\\-flag=value.\n");
  for (const absl::string_view flag : CommonFlags()) {
    absl::StrAppend(&text, ManFlag(flag));
  }
  absl::StrAppend(&text, ".SH EXIT STATUS\n");
  for (const ExitCodeMeaning& meaning : ExitCodes()) {
    absl::StrAppend(&text, ".TP\n\\fB", static_cast<int>(meaning.code),
                    "\\fR\n", ManText(meaning.meaning), ".\n");
  }
  return absl::StrCat(text,
                      ".SH ENVIRONMENT\n"
                      ".TP\n"
                      "\\fBGEARMAN_SERVERS\\fR\n"
                      "Addresses of servers, separated by commas.\n"
                      ".TP\n"
                      "\\fBGEARMAN_SERVER\\fR\n"
                      "The same, where GEARMAN_SERVERS is empty or not set. "
                      "gearman reads it, too.\n"
                      ".SH SEE ALSO\n"
                      "\\fBgearmand\\fR(8), \\fBgearman\\fR(1), "
                      "\\fBgearadmin\\fR(1)\n");
}

ExitCode RunCompletion(const Arguments& arguments) {
  const std::string& shell = arguments.words[0];
  if (shell == "bash") return Print(BashCompletion(Subcommands()));
  if (shell == "zsh") return Print(ZshCompletion(Subcommands()));
  return Report(absl::InvalidArgumentError(
      absl::StrCat("\"", shell, "\" is neither bash nor zsh")));
}

ExitCode RunMan(const Arguments& /*arguments*/) {
  return Print(ManPage(Subcommands()));
}

}  // namespace gearctl
}  // namespace gearman
