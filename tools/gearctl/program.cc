#include "gearman/tools/gearctl/program.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {
namespace {

// The kernel reads so many bytes of a file to find out its kind.
constexpr size_t kBeginning = 256;

// True if the kernel has been told of other kinds of programs than its own.
bool KernelKnowsOtherKinds() {
  DIR* const folder = opendir("/proc/sys/fs/binfmt_misc");
  if (folder == nullptr) return false;
  bool others = false;
  while (const dirent* const entry = readdir(folder)) {
    const absl::string_view name = entry->d_name;
    others = others || (name != "." && name != ".." && name != "register" &&
                        name != "status");
  }
  closedir(folder);
  return others;
}

// True for a file that is no directory and that this process may execute.
bool IsExecutableFile(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

absl::Status CheckInterpreter(const std::string& path,
                              absl::string_view beginning) {
  absl::string_view line = beginning.substr(2);
  line = line.substr(0, line.find('\n'));
  const std::vector<std::string> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (!words.empty() && IsExecutableFile(words[0])) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the script \"", path, "\" can't be executed: its \"#!\" ",
      words.empty()
          ? "names no interpreter"
          : absl::StrCat("names \"", words[0], "\", which can't be")));
}

absl::Status CheckContent(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::OkStatus();  // it may be executed, though not read
  std::string beginning(kBeginning, '\0');
  file.read(&beginning[0], kBeginning);
  beginning.resize(static_cast<size_t>(file.gcount()));
  if (beginning.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" is an empty file, and no program"));
  }
  if (absl::StartsWith(beginning, "#!")) {
    return CheckInterpreter(path, beginning);
  }
  // The shell gets only files that are text.
  if (absl::StartsWith(beginning,
                       "\x7f"
                       "ELF") ||
      !absl::StrContains(beginning, '\0') || KernelKnowsOtherKinds()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", path, "\" is no program of this system"));
}

absl::Status CheckPath(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) {
    return absl::NotFoundError(
        absl::StrCat("there is no program \"", path, "\""));
  }
  if (S_ISDIR(file.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" is a directory, and no program"));
  }
  if (!IsExecutableFile(path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", path,
        "\" can't be executed: it lacks the permission (chmod +x)"));
  }
  return CheckContent(path);
}

}  // namespace

absl::Status CheckProgram(const std::string& name) {
  if (name.empty()) {
    return absl::InvalidArgumentError("the command's name is empty");
  }
  if (absl::StrContains(name, '/')) return CheckPath(name);
  const char* const path = std::getenv("PATH");
  absl::Status status = absl::NotFoundError(
      absl::StrCat("there is no program \"", name, "\" in PATH"));
  for (const absl::string_view folder :
       absl::StrSplit(path == nullptr ? "/bin:/usr/bin" : path, ':')) {
    absl::Status found =
        CheckPath(absl::StrCat(folder.empty() ? "." : folder, "/", name));
    // A later folder may have a better file. A shell searches so, too.
    if (found.ok()) return found;
    if (absl::IsNotFound(status)) {
      if (!absl::IsNotFound(found)) status = std::move(found);
    }
  }
  return status;
}

}  // namespace gearctl
}  // namespace gearman
