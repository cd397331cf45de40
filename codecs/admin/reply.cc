#include "gearman/codecs/admin/reply.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace admin {
namespace {

absl::Status NoRow(absl::string_view what, absl::string_view line) {
  return absl::DataLossError(absl::StrCat(
      "a row of ", what, " was expected, got \"", SafeText(line, 128), "\""));
}

// Removes a number and the tab before it from the end of `line`. The text
// before it may hold tabs, too.
bool TakeLastNumber(absl::string_view* line, int64_t* number) {
  const size_t tab = line->rfind('\t');
  if (tab == absl::string_view::npos ||
      !absl::SimpleAtoi(line->substr(tab + 1), number)) {
    return false;
  }
  *line = line->substr(0, tab);
  return true;
}

// Whether `word` is a code such as UNKNOWN_JOB or unknown_command, which
// precedes the text of an error.
bool IsCode(absl::string_view word) {
  return absl::StrContains(word, '_') &&
         std::all_of(word.begin(), word.end(), [](unsigned char c) {
           return absl::ascii_isalpha(c) || c == '_';
         });
}

}  // namespace

void Encode(const StatusRow& row, wire::OutputBuffer& out) {
  out.Append(absl::StrCat(row.function, "\t", row.total, "\t", row.running,
                          "\t", row.workers, "\n"));
}

void Encode(const PriorityStatusRow& row, wire::OutputBuffer& out) {
  out.Append(absl::StrCat(row.function, "\t", row.high, "\t", row.normal, "\t",
                          row.low, "\t", row.workers, "\n"));
}

void Encode(const WorkerRow& row, wire::OutputBuffer& out) {
  EncodeWorkerStart(row.descriptor, row.peer, row.id, out);
  for (const std::string& function : row.functions) {
    EncodeWorkerFunction(function, out);
  }
  EncodeWorkerEnd(out);
}

void EncodeWorkerStart(int64_t descriptor, absl::string_view peer,
                       absl::string_view id, wire::OutputBuffer& out) {
  out.Append(absl::StrCat(descriptor, " ", peer, " ", id, " :"));
}

void EncodeWorkerFunction(absl::string_view function, wire::OutputBuffer& out) {
  out.Append(" ");
  out.Append(function);
}

void EncodeWorkerEnd(wire::OutputBuffer& out) { out.Append("\n"); }

void Encode(const JobRow& row, wire::OutputBuffer& out) {
  out.Append(absl::StrCat(row.handle, "\t", row.retries, "\t",
                          row.ignored ? 1 : 0, "\t", row.background ? 1 : 0,
                          "\n"));
}

void EncodeUniqueRow(absl::string_view unique, wire::OutputBuffer& out) {
  if (unique == ".") {
    out.Append(EscapeBytes(unique, "."));
  } else if (IsListable(unique)) {
    out.Append(unique);
  } else {
    out.Append(SafeText(unique));
  }
  out.Append("\n");
}

void EncodeListEnd(wire::OutputBuffer& out) { out.Append(".\n"); }

void EncodeOk(wire::OutputBuffer& out) { out.Append("OK\r\n"); }

void EncodeOk(absl::string_view text, wire::OutputBuffer& out) {
  out.Append(absl::StrCat("OK ", text, "\n"));
}

void Encode(Refusal refusal, wire::OutputBuffer& out) {
  switch (refusal) {
    case Refusal::kFunctionNotFound:
      out.Append("ERR function not found\r\n");
      return;
    case Refusal::kFunctionInUse:
      out.Append(
          "ERR there are still connected workers or executing clients\r\n");
      return;
    case Refusal::kUnknownJob:
      out.Append("ERR UNKNOWN_JOB\r\n");
      return;
    case Refusal::kTooManyFunctions:
      out.Append("ERR QUEUE_ERROR Too many functions\r\n");
      return;
    case Refusal::kNameWithControl:
      out.Append(
          "ERR INVALID_ARGUMENTS A+function+name+must+not+hold+control+"
          "characters\r\n");
      return;
  }
}

absl::StatusOr<StatusRow> ParseStatusRow(absl::string_view line) {
  StatusRow row;
  absl::string_view rest = line;
  if (!TakeLastNumber(&rest, &row.workers) ||
      !TakeLastNumber(&rest, &row.running) ||
      !TakeLastNumber(&rest, &row.total)) {
    return NoRow("status", line);
  }
  row.function = std::string(rest);
  return row;
}

absl::StatusOr<PriorityStatusRow> ParsePriorityStatusRow(
    absl::string_view line) {
  PriorityStatusRow row;
  absl::string_view rest = line;
  if (!TakeLastNumber(&rest, &row.workers) ||
      !TakeLastNumber(&rest, &row.low) || !TakeLastNumber(&rest, &row.normal) ||
      !TakeLastNumber(&rest, &row.high)) {
    return NoRow("prioritystatus", line);
  }
  row.function = std::string(rest);
  return row;
}

absl::StatusOr<WorkerRow> ParseWorkerRow(absl::string_view line) {
  WorkerRow row;
  const size_t after_descriptor = line.find(' ');
  if (after_descriptor == absl::string_view::npos ||
      !absl::SimpleAtoi(line.substr(0, after_descriptor), &row.descriptor)) {
    return NoRow("workers", line);
  }
  const absl::string_view rest = line.substr(after_descriptor + 1);
  // The id may hold " :" itself. The last one that stands alone ends the id.
  size_t colon = rest.rfind(" :");
  while (colon != absl::string_view::npos && colon + 2 < rest.size() &&
         rest[colon + 2] != ' ') {
    colon = colon == 0 ? absl::string_view::npos : rest.rfind(" :", colon - 1);
  }
  if (colon == absl::string_view::npos) return NoRow("workers", line);
  const absl::string_view peer_and_id = rest.substr(0, colon);
  const size_t after_peer = peer_and_id.find(' ');
  if (after_peer == absl::string_view::npos) return NoRow("workers", line);
  row.peer = std::string(peer_and_id.substr(0, after_peer));
  row.id = std::string(peer_and_id.substr(after_peer + 1));
  row.functions =
      absl::StrSplit(rest.substr(colon + 2), ' ', absl::SkipEmpty());
  return row;
}

absl::StatusOr<JobRow> ParseJobRow(absl::string_view line) {
  JobRow row;
  int64_t ignored = 0;
  int64_t background = 0;
  absl::string_view rest = line;
  if (!TakeLastNumber(&rest, &background) || !TakeLastNumber(&rest, &ignored) ||
      !TakeLastNumber(&rest, &row.retries)) {
    return NoRow("show jobs", line);
  }
  row.handle = std::string(rest);
  row.ignored = ignored != 0;
  row.background = background != 0;
  return row;
}

LineReply ParseLineReply(absl::string_view line) {
  LineReply reply;
  absl::string_view text = line;
  const absl::string_view first = line.substr(0, line.find(' '));
  if (absl::EqualsIgnoreCase(first, "OK")) {
    reply.kind = LineReply::Kind::kOk;
  } else if (absl::EqualsIgnoreCase(first, "ERR")) {
    reply.kind = LineReply::Kind::kError;
  }
  if (reply.kind != LineReply::Kind::kBare) {
    text.remove_prefix(first.size());
    absl::ConsumePrefix(&text, " ");
  }
  if (reply.kind == LineReply::Kind::kError) {
    const absl::string_view code = text.substr(0, text.find(' '));
    if (IsCode(code)) {
      reply.code = absl::AsciiStrToUpper(code);
      text.remove_prefix(code.size());
      absl::ConsumePrefix(&text, " ");
      // In a text behind a code, gearmand joins the words by '+'.
      reply.text = absl::StrReplaceAll(text, {{"+", " "}});
      return reply;
    }
  }
  reply.text = std::string(text);
  return reply;
}

}  // namespace admin
}  // namespace gearman
