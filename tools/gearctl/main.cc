// gearctl is Gearman at the command line.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/plugins/suggest.h"
#include "gearman/sdk/version.h"
#include "gearman/tools/gearctl/exit_code.h"
#include "gearman/tools/gearctl/habits.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/subcommand.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/text.h"

namespace gearman {
namespace gearctl {
namespace {

ExitCode NoSuchSubcommand(const std::string& name) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : Subcommands()) {
    names.emplace_back(subcommand.name);
  }
  return Report(absl::InvalidArgumentError(absl::StrCat(
      "there is no subcommand \"", name,
      "\": ", Suggest(name, std::move(names)), "\nMore: gearctl help")));
}

// True if these words ask for help about all subcommands or about one.
bool BeginsWithHelp(absl::Span<const std::string> words) {
  if (words[0] == "help" || words[0] == "--help") return true;
  return words[0] == "-h" &&
         (words.size() == 1 ||
          (words.size() == 2 && FindSubcommand(words[1]) != nullptr));
}

ExitCode Main(std::vector<std::string> words) {
  if (words.empty()) {
    std::fputs(HelpText(Subcommands()).c_str(), stderr);
    return kUsage;
  }
  if (words[0] == "--version") {
    return Print(absl::StrCat("gearctl ", kVersion, "\n"));
  }
  const bool help = BeginsWithHelp(words);
  if (help && words.size() == 1) return Print(HelpText(Subcommands()));
  if (help) words.erase(words.begin());
  const std::vector<std::string> typed = words;
  words = WithSubcommandFirst(std::move(words));
  const std::string name = words[0];
  words.erase(words.begin());
  const Subcommand* const subcommand = FindSubcommand(name);
  if (subcommand == nullptr) {
    const std::string habits = SpellingOfAll(typed);
    return habits.empty()
               ? NoSuchSubcommand(name)
               : Report(absl::InvalidArgumentError(absl::StrCat(
                     "this is how gearman and gearadmin are called:\n", habits,
                     "More: gearctl help")));
  }
  if (help) return Print(HelpText(*subcommand));
  absl::StatusOr<Arguments> arguments = ParseArguments(*subcommand, words);
  if (!arguments.ok()) return Report(arguments.status());
  if (arguments->help) return Print(HelpText(*subcommand));
  return subcommand->run(*arguments);
}

// If a standard descriptor is closed, a socket would get its number, and output
// would go to a server. With these descriptors reading and writing fail
// instead.
void OccupyStandardDescriptors() {
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) {
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman

int main(int argc, char** argv) {
  gearman::gearctl::OccupyStandardDescriptors();
  // A pipe that nobody reads any more ends the program quietly, even if the
  // parent process ignores the signal.
  signal(SIGPIPE, SIG_DFL);
  gearman::gearctl::UseUtf8();
  return gearman::gearctl::Main(
      std::vector<std::string>(argv + 1, argv + argc));
}
