// Replies to the text commands: rows of lists (rows.h), and single lines.
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

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/admin/rows.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace admin {

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
