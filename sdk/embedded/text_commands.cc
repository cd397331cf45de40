#include "gearman/sdk/embedded/text_commands.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "gearman/codecs/priority.h"
#include "gearman/codecs/wire/progress.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/server_engine.h"

namespace gearman {
namespace embedded {
namespace {

using Words = std::vector<absl::string_view>;

constexpr absl::string_view kOk = "OK\r\n";
constexpr absl::string_view kEndOfList = ".\n";

bool Is(absl::string_view word, absl::string_view name) {
  return absl::EqualsIgnoreCase(word, name);
}

// Words are split at runs of spaces, and at nothing else: a space in front
// makes an empty first word, one behind an empty last one.
Words Split(absl::string_view line) {
  Words words;
  for (;;) {
    const size_t end = line.find(' ');
    words.push_back(line.substr(0, end));
    if (end == absl::string_view::npos) return words;
    line.remove_prefix(std::min(line.find_first_not_of(' ', end), line.size()));
  }
}

std::string Incomplete(absl::string_view command) {
  return absl::StrCat(
      "ERR INVALID_ARGUMENTS "
      "An+incomplete+set+of+arguments+was+sent+to+this+command+",
      command, "\r\n");
}

std::string Status(ServerEngine& engine) {
  std::string reply;
  for (const Function* function : engine.queue().Functions()) {
    absl::StrAppend(&reply, function->name, "\t", function->total(), "\t",
                    function->running, "\t", function->workers, "\n");
  }
  absl::StrAppend(&reply, kEndOfList);
  return reply;
}

std::string PriorityStatus(ServerEngine& engine) {
  std::string reply;
  for (const Function* function : engine.queue().Functions()) {
    const auto queued = [function](Priority priority) {
      return function->queued[IndexOf(priority)];
    };
    absl::StrAppend(&reply, function->name, "\t", queued(Priority::kHigh));
    absl::StrAppend(&reply, "\t", queued(Priority::kNone), "\t",
                    queued(Priority::kLow), "\t", function->workers, "\n");
  }
  absl::StrAppend(&reply, kEndOfList);
  return reply;
}

std::string Workers(ServerEngine& engine) {
  std::string reply;
  for (const EngineConnection& connection : engine.connections()) {
    absl::StrAppend(&reply, connection.id(), " ", connection.peer(), " ",
                    connection.client_id(), " :");
    for (const absl::string_view function : connection.functions()) {
      absl::StrAppend(&reply, " ", function);
    }
    absl::StrAppend(&reply, "\n");
  }
  absl::StrAppend(&reply, kEndOfList);
  return reply;
}

std::string Show(ServerEngine& engine, const Words& words) {
  std::string reply;
  if (words.size() == 2 && Is(words[1], "jobs")) {
    for (const Job* job : engine.queue().Jobs()) {
      absl::StrAppend(&reply, job->handle(), "\t", job->retries);
      absl::StrAppend(&reply, "\t", job->abandoned ? 1 : 0, "\t",
                      job->background ? 1 : 0, "\n");
    }
  } else if (words.size() == 3 && Is(words[1], "unique") &&
             Is(words[2], "jobs")) {
    for (const Job* job : engine.queue().Jobs()) {
      absl::StrAppend(&reply, job->unique, "\n");
    }
  } else {
    return "ERR UNKNOWN_SHOW_ARGUMENTS\r\n";
  }
  absl::StrAppend(&reply, kEndOfList);
  return reply;
}

std::string Cancel(ServerEngine& engine, const Words& words) {
  if (words.size() != 3 || !Is(words[1], "job")) {
    return "ERR UNKNOWN_ERROR\r\n";
  }
  Job* const job = engine.queue().FindByHandle(words[2]);
  if (job == nullptr) return "ERR UNKNOWN_JOB\r\n";
  engine.Cancel(*job);
  return std::string(kOk);
}

std::string Create(ServerEngine& engine, const Words& words) {
  if (words.size() != 3 || !Is(words[1], "function")) {
    return Incomplete(words[0]);
  }
  engine.queue().GetFunction(words[2]);
  return std::string(kOk);
}

// Case does not count, as by gearmand: of each spelling one is dropped, and
// each has a line of its own in the reply.
std::string Drop(ServerEngine& engine, const Words& words) {
  if (words.size() != 3 || !Is(words[1], "function")) {
    return Incomplete(words[0]);
  }
  std::string reply;
  for (Function* function : engine.queue().Functions()) {
    if (!Is(function->name, words[2])) continue;
    absl::StrAppend(&reply,
                    engine.Drop(*function)
                        ? kOk
                        : "ERR there are still connected workers or executing "
                          "clients\r\n");
  }
  return reply.empty() ? "ERR function not found\r\n" : reply;
}

std::string MaxQueue(ServerEngine& engine, const Words& words) {
  if (words.size() < 2) return Incomplete(words[0]);
  const auto limit = [&words](size_t word) -> uint32_t {
    if (word >= words.size()) return 0;
    const int64_t number = wire::ParseProgress(words[word]);
    return static_cast<uint32_t>(std::min<int64_t>(
        std::max<int64_t>(number, 0), std::numeric_limits<uint32_t>::max()));
  };
  // A name that nobody has used is no error, and nothing is kept.
  Function* const function = engine.queue().FindFunction(words[1]);
  if (function == nullptr) return std::string(kOk);
  if (words.size() <= 3) {
    function->max_queue.fill(limit(2));
  } else {
    function->max_queue[IndexOf(Priority::kHigh)] = limit(2);
    function->max_queue[IndexOf(Priority::kNone)] = limit(3);
    function->max_queue[IndexOf(Priority::kLow)] = limit(4);
  }
  return std::string(kOk);
}

}  // namespace

std::string RunTextCommand(ServerEngine& engine, absl::string_view line) {
  const Words words = Split(line);
  const absl::string_view command = words[0];
  if (Is(command, "status")) return Status(engine);
  if (Is(command, "prioritystatus")) return PriorityStatus(engine);
  if (Is(command, "workers")) return Workers(engine);
  if (Is(command, "version")) {
    return absl::StrCat("OK ", engine.options().version, "\n");
  }
  if (Is(command, "getpid")) return absl::StrCat("OK ", getpid(), "\n");
  // The level of gearmand's log; this server has none of its own.
  if (Is(command, "verbose")) return "OK ERROR\n";
  if (Is(command, "show") && words.size() > 1) return Show(engine, words);
  if (Is(command, "cancel") && words.size() > 2) return Cancel(engine, words);
  if (Is(command, "create")) return Create(engine, words);
  if (Is(command, "drop")) return Drop(engine, words);
  if (Is(command, "maxqueue")) return MaxQueue(engine, words);
  // `shutdown` included, as by 1.1.20.
  return absl::StrCat("ERR UNKNOWN_COMMAND Unknown+server+command", command,
                      "\r\n");
}

}  // namespace embedded
}  // namespace gearman
