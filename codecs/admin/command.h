// The text commands that an administrator sends to a job server's port, one
// line each. There is one struct per command, for both ends.
//
// The client's end encodes commands, and refuses a command that would reach the
// server as another one. The server's end gets a CommandLine from its PortCodec
// and parses it. Stateless; any thread.
//
// Source: docs/protocol.md, section "Admin text protocol". Parse refuses what
// gearmand 1.1.20 refuses, with the same texts.
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

// The longest line that gearmand accepts, including its LF. It closes the
// connection after a longer one.
inline constexpr size_t kMaxLineBytes = 8192;
inline constexpr size_t kMaxWords = 5;

// --- the commands -----------------------------------------------------------
// For Encode the views are the caller's. Parsed views are the decoder's and
// valid until its next Prepare.

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
// drop function F. Upper and lower case are equal: the reply has one line for
// each spelling.
struct DropFunction {
  absl::string_view function;
};
// maxqueue F [all], maxqueue F high normal low. The most jobs that the
// function's queue takes; 0 means no limit. `all` means three equal limits.
struct MaxQueue {
  absl::string_view function;
  uint32_t high = 0;
  uint32_t normal = 0;
  uint32_t low = 0;
};
struct CancelJob {  // cancel job H
  absl::string_view handle;
};
// shutdown, shutdown graceful. Servers other than gearmand 1.1.20 have it.
// Parse never returns it.
struct Shutdown {
  bool graceful = false;
};

// A line that is no valid command. The server answers it with `reply`, a whole
// line. Never encoded.
struct RefusedCommand {
  std::string reply;
};

using Command = std::variant<ShowStatus, ShowPriorityStatus, ShowWorkers,
                             ShowJobs, ShowUniqueJobs, GetVersion, GetPid,
                             GetVerbosity, CreateFunction, DropFunction,
                             MaxQueue, CancelJob, Shutdown, RefusedCommand>;

// --- the client's end -------------------------------------------------------

// Each function appends the command's line, with CRLF at its end (if the end is
// a bare LF, gearmand cuts the last byte of a name). Returns INVALID_ARGUMENT
// and appends nothing for a function or handle that is empty, that holds a
// space, a CR, an LF or a NUL, or that is too long for a line, and for a new
// function's name that lists can't show unchanged (IsListable of
// text/safe_text.h).
absl::Status Encode(const ShowStatus& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowPriorityStatus& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowWorkers& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowJobs& command, wire::OutputBuffer& out);
absl::Status Encode(const ShowUniqueJobs& command, wire::OutputBuffer& out);
absl::Status Encode(const GetVersion& command, wire::OutputBuffer& out);
absl::Status Encode(const GetPid& command, wire::OutputBuffer& out);
absl::Status Encode(const GetVerbosity& command, wire::OutputBuffer& out);
absl::Status Encode(const CreateFunction& command, wire::OutputBuffer& out);
// Appends a second command, getpid, because nothing else shows where the lines
// of this reply end (ReplyShape::kFenced).
absl::Status Encode(const DropFunction& command, wire::OutputBuffer& out);
absl::Status Encode(const MaxQueue& command, wire::OutputBuffer& out);
absl::Status Encode(const CancelJob& command, wire::OutputBuffer& out);
absl::Status Encode(const Shutdown& command, wire::OutputBuffer& out);

// --- the server's end -------------------------------------------------------

// A line and its words. gearmand splits at runs of spaces and at nothing else,
// so a space in front makes an empty first word, and one at the end an empty
// last word. Views are valid until the next Prepare of their decoder.
struct CommandLine {
  absl::string_view line;  // without its LF and a CR before that
  std::array<absl::string_view, kMaxWords> words;
  size_t word_count = 0;
};

// Splits a line (without its LF). Returns false for more than kMaxWords words;
// a server then closes the connection.
bool Split(absl::string_view line, CommandLine* split);

// Returns the command of a line, or the refusal to answer. In a command's own
// words upper and lower case are equal.
Command Parse(const CommandLine& line);

}  // namespace admin
}  // namespace gearman

#endif  // GEARMAN_CODECS_ADMIN_COMMAND_H_
