// Replies to the text commands: rows of the lists, and single lines.
//
// A server's end encodes them, a client's end parses the lines that its
// ReplyDecoder yields. Nothing is escaped in either direction: a name with a
// line feed forges a row, and nobody can tell. Stateless; any thread.
//
// Source: docs/protocol.md, section "Admin text protocol".
#ifndef GEARMAN_CODECS_ADMIN_REPLY_H_
#define GEARMAN_CODECS_ADMIN_REPLY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace admin {

// --- rows -------------------------------------------------------------------

struct StatusRow {  // status: `f\t2\t1\t1`
  std::string function;
  int64_t total = 0;    // queued and running
  int64_t running = 0;  // 4294967295 where gearmand has counted below 0
  int64_t workers = 0;  // that can do it
};
struct PriorityStatusRow {  // prioritystatus: `f\t0\t1\t0\t1`
  std::string function;
  int64_t high = 0;  // queued
  int64_t normal = 0;
  int64_t low = 0;
  int64_t workers = 0;
};
struct WorkerRow {  // workers: `38 127.0.0.1 id : g f`; every connection
  int64_t descriptor = 0;
  std::string peer;  // garbage from gearmand 1.1.20 for IPv6
  std::string id;    // "-": none was set
  // Newest first; when the server takes functions in turn (gearmand 2.0, -R),
  // the one that gave the last job is the last. One whose name holds a space
  // reads as several.
  std::vector<std::string> functions;
};
struct JobRow {  // show jobs: `H:h:1\t0\t0\t1`
  std::string handle;
  int64_t retries = 0;
  bool ignored = false;  // its client has left: it will not run
  bool background = false;
};
// A row of `show unique jobs` is the unique itself.

// --- a server's end ---------------------------------------------------------

void Encode(const StatusRow& row, wire::OutputBuffer& out);
void Encode(const PriorityStatusRow& row, wire::OutputBuffer& out);
void Encode(const WorkerRow& row, wire::OutputBuffer& out);
// These three write a worker's row in parts, because a worker may register any
// number of functions.
void EncodeWorkerStart(int64_t descriptor, absl::string_view peer,
                       absl::string_view id, wire::OutputBuffer& out);
void EncodeWorkerFunction(absl::string_view function, wire::OutputBuffer& out);
void EncodeWorkerEnd(wire::OutputBuffer& out);
void Encode(const JobRow& row, wire::OutputBuffer& out);
// Writes a unique that is not listable, or is ".", as safe text
// (text/safe_text.h): otherwise it could forge other rows or the end of the
// list.
void EncodeUniqueRow(absl::string_view unique, wire::OutputBuffer& out);
// Ends a list.
void EncodeListEnd(wire::OutputBuffer& out);
// The reply to a command that worked, and to one that tells something.
void EncodeOk(wire::OutputBuffer& out);
void EncodeOk(absl::string_view text, wire::OutputBuffer& out);
// Refusals of commands that are well formed (Parse has the others).
enum class Refusal : unsigned char {
  kFunctionNotFound,  // drop function
  kFunctionInUse,     // drop function
  kUnknownJob,        // cancel job
  kTooManyFunctions,  // create function; gearmand has no limit
  kNameWithControl,   // create function; gearmand takes it
};
void Encode(Refusal refusal, wire::OutputBuffer& out);

// --- a client's end ---------------------------------------------------------

// Each parses one line, without its line end. DATA_LOSS: it is no such row,
// which the message shows.
absl::StatusOr<StatusRow> ParseStatusRow(absl::string_view line);
absl::StatusOr<PriorityStatusRow> ParsePriorityStatusRow(
    absl::string_view line);
absl::StatusOr<WorkerRow> ParseWorkerRow(absl::string_view line);
absl::StatusOr<JobRow> ParseJobRow(absl::string_view line);

// A reply of one line.
struct LineReply {
  enum class Kind : unsigned char {
    kOk,     // "OK", "OK <text>"
    kError,  // "ERR <CODE> <text>", "ERR <text>"
    kBare,   // something else: some servers answer `version` so
  };
  Kind kind = Kind::kBare;
  // Upper case whatever the server's; empty: it gave none. Match on it rather
  // than on the text.
  std::string code;
  std::string text;
};
// Never fails.
LineReply ParseLineReply(absl::string_view line);

}  // namespace admin
}  // namespace gearman

#endif  // GEARMAN_CODECS_ADMIN_REPLY_H_
