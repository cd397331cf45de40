#include "gearman/codecs/port_codec.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {

wire::DecodeResult PortCodec::Next(PortEvent* event) {
  wire::FrameReader& reader = decoder_.reader();
  // A packet's first byte is NUL, or there is none.
  if (!reader.error().ok() || reader.PeekFirstByte() <= 0) {
    auto* packet = std::get_if<wire::ToServer>(event);
    if (packet == nullptr) packet = &event->emplace<wire::ToServer>();
    return decoder_.Next(packet);
  }
  const uint64_t begin = reader.offset();
  absl::string_view line;
  bool too_long = false;
  if (!reader.TakeLine(admin::kMaxLineBytes, &line, &too_long)) {
    if (!too_long) return wire::DecodeResult::kNeedMore;
    reader.Fail(absl::StrCat("a line of text of more than ",
                             admin::kMaxLineBytes, " bytes"));
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
