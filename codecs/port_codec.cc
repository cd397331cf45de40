#include "gearman/codecs/port_codec.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// The beginnings of other protocols' streams that may come to this port. No
// command begins like these. Case is ignored, as in commands.
constexpr absl::string_view kForeignBegins[] = {"ssh-",   "ehlo ", "helo ",
                                                "proxy ", "amqp",  "*"};

// Whether a TLS handshake or a binary protocol may begin with this byte. No
// line of text does. (A line of white space is an empty command.)
bool IsForeignByte(int byte) {
  return !absl::ascii_isprint(static_cast<unsigned char>(byte)) &&
         !absl::ascii_isspace(static_cast<unsigned char>(byte));
}

bool IsForeignLine(absl::string_view line) {
  for (const absl::string_view begin : kForeignBegins) {
    if (absl::StartsWithIgnoreCase(line, begin)) return true;
  }
  // A request line is METHOD TARGET HTTP/1.1.
  line = absl::StripTrailingAsciiWhitespace(line);
  const size_t space = line.rfind(' ');
  return space != absl::string_view::npos &&
         (absl::StartsWith(line.substr(space + 1), "HTTP/") ||
          absl::StartsWith(line.substr(space + 1), "RTSP/"));
}

}  // namespace

wire::DecodeResult PortCodec::Next(PortEvent* event) {
  wire::FrameReader& reader = decoder_.reader();
  // The next event is a packet if its first byte is NUL or has not come.
  if (!reader.error().ok() || reader.PeekFirstByte() <= 0) {
    auto* packet = std::get_if<wire::ToServer>(event);
    if (packet == nullptr) packet = &event->emplace<wire::ToServer>();
    return decoder_.Next(packet);
  }
  const uint64_t begin = reader.offset();
  if (begin == 0 && IsForeignByte(reader.PeekFirstByte())) {
    reader.Fail(absl::StrCat(
        "it begins with the byte ", reader.PeekFirstByte(),
        ", as neither a packet nor a text command does: another protocol's"));
    return wire::DecodeResult::kError;
  }
  absl::string_view line;
  bool too_long = false;
  if (!reader.TakeLine(admin::kMaxLineBytes, &line, &too_long)) {
    if (!too_long) return wire::DecodeResult::kNeedMore;
    reader.Fail(absl::StrCat("a line of text of more than ",
                             admin::kMaxLineBytes, " bytes"));
    return wire::DecodeResult::kError;
  }
  if (begin == 0 && IsForeignLine(line)) {
    reader.Fail(absl::StrCat("it begins with a line of another protocol: \"",
                             SafeText(line, 80), "\""),
                begin);
    return wire::DecodeResult::kError;
  }
  if (!admin::Split(line, &event->emplace<admin::CommandLine>())) {
    reader.Fail(absl::StrCat("a line of text of more than ", admin::kMaxWords,
                             " words"),
                begin);
    return wire::DecodeResult::kError;
  }
  return wire::DecodeResult::kMessage;
}

}  // namespace gearman
