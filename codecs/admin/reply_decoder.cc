#include "gearman/codecs/admin/reply_decoder.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gearman/codecs/admin/reply.h"

namespace gearman {
namespace admin {
namespace {

using wire::DecodeResult;

// The most bytes of a line that are dropped at once if its reply is too large.
constexpr size_t kSkippedPart = 65536;
// A last line has fewer bytes than this. So a line whose first part is dropped
// is never the last one, even if its reply reaches the limit before it.
constexpr size_t kLastLineBytes = 256;

// Errors end in CRLF and rows in LF, so a name that begins with "ERR" is no
// error.
bool IsError(absl::string_view line_with_cr) {
  return absl::StartsWithIgnoreCase(line_with_cr, "ERR ") &&
         absl::EndsWith(line_with_cr, "\r") &&
         !absl::StrContains(line_with_cr, '\t');
}

// Whether `line` is the answer to the getpid behind a command, after
// `lines_before` lines of the command's own answer. The command itself returns
// no number. A server that knows neither command refuses both.
bool IsFence(absl::string_view line, size_t lines_before) {
  const LineReply reply = ParseLineReply(line);
  switch (reply.kind) {
    case LineReply::Kind::kOk:
      return !reply.text.empty() &&
             std::all_of(
                 reply.text.begin(), reply.text.end(),
                 [](unsigned char c) { return absl::ascii_isdigit(c); });
    case LineReply::Kind::kError:
      return reply.code == "UNKNOWN_COMMAND" && lines_before > 0;
    case LineReply::Kind::kBare:
      break;
  }
  return false;
}

}  // namespace

ReplyShape ShapeOf(const Command& command) {
  if (std::holds_alternative<DropFunction>(command)) return ReplyShape::kFenced;
  const bool list = std::holds_alternative<ShowStatus>(command) ||
                    std::holds_alternative<ShowPriorityStatus>(command) ||
                    std::holds_alternative<ShowWorkers>(command) ||
                    std::holds_alternative<ShowJobs>(command) ||
                    std::holds_alternative<ShowUniqueJobs>(command);
  return list ? ReplyShape::kList : ReplyShape::kLine;
}

ReplyDecoder::ReplyDecoder(ReplyDecoderOptions options)
    : options_(options), reader_(wire::DecoderOptions()) {}

DecodeResult ReplyDecoder::Next(Reply* reply) {
  for (;;) {
    if (!reader_.error().ok()) return DecodeResult::kError;
    const int first_byte = reader_.PeekFirstByte();
    if (first_byte < 0) return DecodeResult::kNeedMore;
    if (expected_.empty()) {
      reader_.Fail("a reply that nobody has asked for");
      return DecodeResult::kError;
    }
    if (reply_bytes_ == 0 && reader_.LooksLikeTls()) {
      reader_.Fail(absl::StrCat("expected a line of text", wire::kThisIsTls));
      return DecodeResult::kError;
    }
    if (first_byte == 0 && reply_bytes_ == 0) {
      reader_.Fail("expected a line of text, got a binary packet");
      return DecodeResult::kError;
    }
    absl::string_view line;
    bool too_long = false;
    const size_t room = options_.max_reply_bytes - reply_bytes_;
    const size_t limit =
        reply_.too_large ? kSkippedPart : std::max(room, room + kLastLineBytes);
    if (!reader_.TakeLine(limit, &line, &too_long)) {
      if (!too_long) return DecodeResult::kNeedMore;
      SkipReply();
      reader_.DropLinePart();
      in_dropped_line_ = true;
      continue;
    }
    if (!reply_.too_large) reply_bytes_ += line.size() + 1;
    reply_.shape = expected_.front();
    Step step = Step::kMoreLines;
    if (!in_dropped_line_) {
      step = TakeLine(line);
    } else if (reply_.shape == ReplyShape::kLine) {
      step = Step::kReplyEnds;
    }
    in_dropped_line_ = false;
    if (reply_bytes_ > options_.max_reply_bytes ||
        reply_.lines.size() > options_.max_reply_lines) {
      SkipReply();
    }
    if (step == Step::kMoreLines) continue;
    expected_.pop_front();
    *reply = std::move(reply_);
    reply_ = Reply();
    reply_bytes_ = 0;
    return DecodeResult::kMessage;
  }
}

ReplyDecoder::Step ReplyDecoder::TakeLine(absl::string_view line) {
  Step step = Step::kReplyEnds;
  switch (reply_.shape) {
    case ReplyShape::kLine:
      absl::ConsumeSuffix(&line, "\r");
      break;
    case ReplyShape::kList: {
      const bool goes_on =
          options_.one_at_a_time && reader_.PeekFirstByte() >= 0;
      if (line == "." && !goes_on) return Step::kReplyEnds;
      reply_.list_refused = reply_.lines.empty() && !reply_.too_large &&
                            IsError(line) && !goes_on;
      if (reply_.list_refused) {
        absl::ConsumeSuffix(&line, "\r");
      } else {
        step = Step::kMoreLines;
      }
      break;
    }
    case ReplyShape::kFenced:
      absl::ConsumeSuffix(&line, "\r");
      if (IsFence(line, reply_.too_large ? 1 : reply_.lines.size())) {
        return Step::kReplyEnds;
      }
      step = Step::kMoreLines;
      break;
  }
  if (!reply_.too_large) reply_.lines.Append(line);
  return step;
}

absl::Status ReplyDecoder::CheckEnd() const {
  if (expected_.empty()) return absl::OkStatus();
  return absl::UnavailableError("before its answer was whole");
}

void ReplyDecoder::SkipReply() {
  reply_.too_large = true;
  reply_.lines = ReplyLines();
}

}  // namespace admin
}  // namespace gearman
