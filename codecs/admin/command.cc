#include "gearman/codecs/admin/command.h"

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/progress.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace admin {
namespace {

constexpr absl::string_view kLineEnd = "\r\n";

bool Is(absl::string_view word, absl::string_view name) {
  return absl::EqualsIgnoreCase(word, name);
}

// --- the client's end -------------------------------------------------------

absl::Status AppendLine(absl::string_view line, wire::OutputBuffer& out) {
  out.Append(absl::StrCat(line, kLineEnd));
  return absl::OkStatus();
}

// Appends `command`, then the caller's `word`, which errors call `name`, then
// `rest`.
absl::Status AppendLine(absl::string_view command, absl::string_view name,
                        absl::string_view word, absl::string_view rest,
                        wire::OutputBuffer& out) {
  if (word.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        command, ": the ", name, " is empty, which a line can't say"));
  }
  const size_t bad = word.find_first_of(absl::string_view(" \r\n\0", 4));
  if (bad != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        command, ": the ", name, " \"", SafeText(word, 64), "\" holds \"",
        SafeText(word.substr(bad, 1)), "\" at byte ", bad,
        ": the text protocol has no way to say a space, a line end or a NUL"));
  }
  const std::string line = absl::StrCat(command, " ", word, rest, kLineEnd);
  if (line.size() > kMaxLineBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(command, ": the ", name, " \"", SafeText(word, 64),
                     "\" makes a line of ", line.size(),
                     " bytes, a server takes ", kMaxLineBytes, "; shorten it"));
  }
  out.Append(line);
  return absl::OkStatus();
}

// --- the server's end -------------------------------------------------------

RefusedCommand Unknown(absl::string_view command) {
  // gearmand puts no separator before the command, either.
  return {absl::StrCat("ERR UNKNOWN_COMMAND Unknown+server+command", command,
                       kLineEnd)};
}

RefusedCommand Incomplete(absl::string_view command) {
  return {
      absl::StrCat("ERR INVALID_ARGUMENTS "
                   "An+incomplete+set+of+arguments+was+sent+to+this+command+",
                   command, kLineEnd)};
}

uint32_t Limit(const CommandLine& line, size_t word) {
  if (word >= line.word_count) return 0;
  const int64_t number = wire::ParseProgress(line.words[word]);
  return static_cast<uint32_t>(std::min<int64_t>(
      std::max<int64_t>(number, 0), std::numeric_limits<uint32_t>::max()));
}

Command ParseShow(const CommandLine& line) {
  if (line.word_count == 1) return Unknown(line.words[0]);
  if (line.word_count == 2 && Is(line.words[1], "jobs")) return ShowJobs();
  if (line.word_count == 3 && Is(line.words[1], "unique") &&
      Is(line.words[2], "jobs")) {
    return ShowUniqueJobs();
  }
  return RefusedCommand{"ERR UNKNOWN_SHOW_ARGUMENTS\r\n"};
}

Command ParseCancel(const CommandLine& line) {
  if (line.word_count < 3) return Unknown(line.words[0]);
  if (line.word_count == 3 && Is(line.words[1], "job")) {
    return CancelJob{line.words[2]};
  }
  return RefusedCommand{"ERR UNKNOWN_ERROR\r\n"};
}

bool NamesFunction(const CommandLine& line) {
  return line.word_count == 3 && Is(line.words[1], "function");
}

Command ParseMaxQueue(const CommandLine& line) {
  if (line.word_count < 2) return Incomplete(line.words[0]);
  const uint32_t first = Limit(line, 2);
  if (line.word_count <= 3) return MaxQueue{line.words[1], first, first, first};
  return MaxQueue{line.words[1], first, Limit(line, 3), Limit(line, 4)};
}

}  // namespace

absl::Status Encode(const ShowStatus&, wire::OutputBuffer& out) {
  return AppendLine("status", out);
}

absl::Status Encode(const ShowPriorityStatus&, wire::OutputBuffer& out) {
  return AppendLine("prioritystatus", out);
}

absl::Status Encode(const ShowWorkers&, wire::OutputBuffer& out) {
  return AppendLine("workers", out);
}

absl::Status Encode(const ShowJobs&, wire::OutputBuffer& out) {
  return AppendLine("show jobs", out);
}

absl::Status Encode(const ShowUniqueJobs&, wire::OutputBuffer& out) {
  return AppendLine("show unique jobs", out);
}

absl::Status Encode(const GetVersion&, wire::OutputBuffer& out) {
  return AppendLine("version", out);
}

absl::Status Encode(const GetPid&, wire::OutputBuffer& out) {
  return AppendLine("getpid", out);
}

absl::Status Encode(const GetVerbosity&, wire::OutputBuffer& out) {
  return AppendLine("verbose", out);
}

absl::Status Encode(const CreateFunction& command, wire::OutputBuffer& out) {
  absl::Status status =
      CheckListable("create function: the function", command.function);
  if (!status.ok()) return status;
  return AppendLine("create function", "function", command.function, "", out);
}

absl::Status Encode(const DropFunction& command, wire::OutputBuffer& out) {
  absl::Status status =
      AppendLine("drop function", "function", command.function, "", out);
  if (!status.ok()) return status;
  return Encode(GetPid(), out);
}

absl::Status Encode(const MaxQueue& command, wire::OutputBuffer& out) {
  const bool same =
      command.high == command.normal && command.normal == command.low;
  return AppendLine("maxqueue", "function", command.function,
                    same ? absl::StrCat(" ", command.high)
                         : absl::StrCat(" ", command.high, " ", command.normal,
                                        " ", command.low),
                    out);
}

absl::Status Encode(const CancelJob& command, wire::OutputBuffer& out) {
  return AppendLine("cancel job", "handle", command.handle, "", out);
}

absl::Status Encode(const Shutdown& command, wire::OutputBuffer& out) {
  return AppendLine(command.graceful ? "shutdown graceful" : "shutdown", out);
}

bool Split(absl::string_view line, CommandLine* split) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  split->line = line;
  split->word_count = 0;
  for (;;) {
    if (split->word_count == kMaxWords) return false;
    const size_t space = line.find(' ');
    const absl::string_view word = line.substr(0, space);
    // For gearmand a word is a C string.
    split->words[split->word_count++] = word.substr(0, word.find('\0'));
    if (space == absl::string_view::npos) return true;
    line.remove_prefix(
        std::min(line.find_first_not_of(' ', space), line.size()));
  }
}

Command Parse(const CommandLine& line) {
  const absl::string_view command = line.words[0];
  if (Is(command, "status")) return ShowStatus();
  if (Is(command, "prioritystatus")) return ShowPriorityStatus();
  if (Is(command, "workers")) return ShowWorkers();
  if (Is(command, "version")) return GetVersion();
  if (Is(command, "getpid")) return GetPid();
  if (Is(command, "verbose")) return GetVerbosity();
  if (Is(command, "show")) return ParseShow(line);
  if (Is(command, "cancel")) return ParseCancel(line);
  if (Is(command, "create")) {
    if (!NamesFunction(line)) return Incomplete(command);
    return CreateFunction{line.words[2]};
  }
  if (Is(command, "drop")) {
    if (!NamesFunction(line)) return Incomplete(command);
    return DropFunction{line.words[2]};
  }
  if (Is(command, "maxqueue")) return ParseMaxQueue(line);
  return Unknown(command);
}

}  // namespace admin
}  // namespace gearman
