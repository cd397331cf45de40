// Replies to the text commands: rows of lists, and single lines.
//
// A server's end encodes them. A client's end parses the lines that its
// ReplyDecoder returns. Nothing is escaped in either direction: a name with a
// line feed forges a row, and no client can detect it. The functions keep no
// state: any thread may call them.
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

// A row of the list of `status`: `f\t2\t1\t1`.
struct StatusRow {
  std::string function;  // its name
  int64_t total = 0;     // queued and running jobs
  int64_t running = 0;   // 4294967295 if gearmand has counted below 0
  int64_t workers = 0;   // workers that can do it
};
// A row of the list of `prioritystatus`: `f\t0\t1\t0\t1`.
struct PriorityStatusRow {
  std::string function;  // its name
  // Queued jobs of each priority.
  int64_t high = 0;
  int64_t normal = 0;
  int64_t low = 0;
  int64_t workers = 0;  // workers that can do it
};
// A row of the list of `workers`: `38 127.0.0.1 id : g f`. The list has every
// connection, also those that do no jobs.
struct WorkerRow {
  int64_t descriptor = 0;  // the connection's number at the server
  std::string peer;        // gearmand 1.1.20 writes garbage for IPv6
  std::string id;          // "-" if none was set
  // The newest first. A server that takes functions in turn (gearmand 2.0, or
  // 1.1 with -R) puts the function last that gave the last job. A function
  // whose name holds a space reads as several.
  std::vector<std::string> functions;
};
// A row of the list of `show jobs`: `H:h:1\t0\t0\t1`.
struct JobRow {
  std::string handle;   // its name at the server
  int64_t retries = 0;  // how often its worker was lost
  // True if the job will not run, because its clients have left or because it
  // was cancelled. gearmand forgets it when a worker would get it.
  bool ignored = false;
  // Whether it is a background job. gearmand says false of a cancelled one.
  bool background = false;
};
// A row of `show unique jobs` is just the unique.

// --- a server's end ---------------------------------------------------------

// Each function appends one row, with its line end, to `out`.
void Encode(const StatusRow& row, wire::OutputBuffer& out);
void Encode(const PriorityStatusRow& row, wire::OutputBuffer& out);
void Encode(const WorkerRow& row, wire::OutputBuffer& out);
// These three functions write a worker's row in parts, because a worker may
// register any number of functions.
void EncodeWorkerStart(int64_t descriptor, absl::string_view peer,
                       absl::string_view id, wire::OutputBuffer& out);
void EncodeWorkerFunction(absl::string_view function, wire::OutputBuffer& out);
void EncodeWorkerEnd(wire::OutputBuffer& out);
// Appends one row, with its line end, to `out`.
void Encode(const JobRow& row, wire::OutputBuffer& out);
// Writes a unique. If it is not listable, or is ".", it is written as safe text
// (text/safe_text.h): otherwise it could forge other rows or the end of the
// list.
void EncodeUniqueRow(absl::string_view unique, wire::OutputBuffer& out);
// Ends a list.
void EncodeListEnd(wire::OutputBuffer& out);
// Encode the reply to a command that worked, without or with a text.
void EncodeOk(wire::OutputBuffer& out);
void EncodeOk(absl::string_view text, wire::OutputBuffer& out);
// The refusals of well-formed commands (Parse has the others).
enum class Refusal : unsigned char {
  kFunctionNotFound,  // drop function
  kFunctionInUse,     // drop function
  kUnknownJob,        // cancel job
  kTooManyFunctions,  // create function; gearmand has no limit
  kNameWithControl,   // create function; gearmand takes it
};
// Appends the line that refuses a command.
void Encode(Refusal refusal, wire::OutputBuffer& out);

// --- a client's end ---------------------------------------------------------

// Each function parses one line, without its line end. DATA_LOSS means that the
// line is no such row; the message shows it.
absl::StatusOr<StatusRow> ParseStatusRow(absl::string_view line);
absl::StatusOr<PriorityStatusRow> ParsePriorityStatusRow(
    absl::string_view line);
absl::StatusOr<WorkerRow> ParseWorkerRow(absl::string_view line);
absl::StatusOr<JobRow> ParseJobRow(absl::string_view line);

// A reply of one line.
struct LineReply {
  // The kinds of such lines.
  enum class Kind : unsigned char {
    kOk,     // "OK", "OK <text>"
    kError,  // "ERR <CODE> <text>", "ERR <text>"
    kBare,   // another line, such as some servers' `version`
  };
  Kind kind = Kind::kBare;  // what the line begins with
  // The code in upper case, whatever its case at the server. It is empty if
  // there is none. Compare the code rather than the text.
  std::string code;
  std::string text;  // the rest of the line, unescaped
};
// Parses a one-line reply. Never fails.
LineReply ParseLineReply(absl::string_view line);

}  // namespace admin
}  // namespace gearman

#endif  // GEARMAN_CODECS_ADMIN_REPLY_H_
