// The text commands that an administrator sends to a job server's port, one
// line each: one struct per command, used by both ends.
//
// The client's end encodes them (refusing what would reach the server as
// another command); the server's end gets a CommandLine from its PortCodec and
// parses it. Stateless; any thread.
//
// Source: docs/protocol.md, section "Admin text protocol"; what is refused, and
// with which text, is gearmand 1.1.20's.
#ifndef GEARMAN_CODECS_ADMIN_COMMAND_H_
#define GEARMAN_CODECS_ADMIN_COMMAND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace admin {

// What gearmand takes in one line, its LF included; beyond it closes the
// connection.
inline constexpr size_t kMaxLineBytes = 8192;
inline constexpr size_t kMaxWords = 5;

// --- the commands -----------------------------------------------------------
// Views are the caller's (to encode) or the decoder's (parsed: valid until its
// next Prepare).

struct ShowStatus {};          // status
struct ShowPriorityStatus {};  // prioritystatus
struct ShowWorkers {};         // workers
struct ShowJobs {};            // show jobs
struct ShowUniqueJobs {};      // show unique jobs
struct GetVersion {};          // version
struct GetPid {};              // getpid
struct GetVerbosity {};        // verbose: the level of the server's log
struct CreateFunction {        // create function F
  absl::string_view function;
};
// drop function F. Case does not count: one line of reply for each spelling.
struct DropFunction {
  absl::string_view function;
};
// maxqueue F [all], maxqueue F high normal low. Most jobs that the function's
// queue takes; 0: no limit. `all` and three equal limits are one command.
struct MaxQueue {
  absl::string_view function;
  uint32_t high = 0;
  uint32_t normal = 0;
  uint32_t low = 0;
};
struct CancelJob {  // cancel job H
  absl::string_view handle;
};
// shutdown, shutdown graceful: servers other than gearmand 1.1.20 have it.
// Parse never yields it.
struct Shutdown {
  bool graceful = false;
};

// What no command is made of: to be answered with `reply`, a whole line. Never
// encoded.
struct RefusedCommand {
  std::string reply;
};

using Command = std::variant<ShowStatus, ShowPriorityStatus, ShowWorkers,
                             ShowJobs, ShowUniqueJobs, GetVersion, GetPid,
                             GetVerbosity, CreateFunction, DropFunction,
                             MaxQueue, CancelJob, Shutdown, RefusedCommand>;

// --- the client's end -------------------------------------------------------

// Each appends the command's line, ended by CRLF (gearmand takes the last byte
// of a name that is ended by a bare LF). INVALID_ARGUMENT, and nothing
// appended: a function or handle that is empty or holds a space, a CR, an LF or
// a NUL, or is too long for a line; a function to create that lists can't show
// as it is (IsListable of text/safe_text.h).
absl::Status Encode(const ShowStatus& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowPriorityStatus& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowWorkers& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowJobs& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowUniqueJobs& command, wire::OutputBuffer& out);
absl::Status Encode(const GetVersion& command, wire::OutputBuffer& out);
absl::Status Encode(const GetPid& command, wire::OutputBuffer& out);
absl::Status Encode(const GetVerbosity& command, wire::OutputBuffer& out);
absl::Status Encode(const CreateFunction& command, wire::OutputBuffer& out);
// A second command, getpid, follows: nothing else tells where the lines of this
// reply end (ReplyShape::kFenced).
absl::Status Encode(const DropFunction& command, wire::OutputBuffer& out);
absl::Status Encode(const MaxQueue& command, wire::OutputBuffer& out);
absl::Status Encode(const CancelJob& command, wire::OutputBuffer& out);
absl::Status Encode(const Shutdown& command, wire::OutputBuffer& out);

// --- the server's end -------------------------------------------------------

// A line and its words, as gearmand splits them: at runs of spaces and at
// nothing else, so a space in front makes an empty first word, one at the end
// an empty last one. Views are valid until the next Prepare of their decoder.
struct CommandLine {
  absl::string_view line;  // without its LF, and without a CR before that
  std::array<absl::string_view, kMaxWords> words;
  size_t word_count = 0;
};

// Splits a line (without its LF). False: more than kMaxWords words, which a
// server answers by closing the connection.
bool Split(absl::string_view line, CommandLine* split);

// The command of a line, or the refusal that it is to be answered with. Case
// does not count in a command's own words.
Command Parse(const CommandLine& line);

}  // namespace admin
}  // namespace gearman

#endif  // GEARMAN_CODECS_ADMIN_COMMAND_H_
