#include "gearman/text/safe_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace {

constexpr absl::string_view kHexDigits = "0123456789abcdef";

struct Range {
  uint32_t first;
  uint32_t last;
};

// In ascending order.
constexpr Range kUnsafe[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x34F, 0x34F},
    {0x61C, 0x61C},   {0x115F, 0x1160}, {0x180E, 0x180E}, {0x200B, 0x200B},
    {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
    {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};

bool IsUnsafe(uint32_t character) {
  for (const Range& range : kUnsafe) {
    if (character <= range.last) return character >= range.first;
  }
  return false;
}

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

enum class Kind : unsigned char { kSafe, kUnsafe, kNoUtf8 };

// The beginning of a text: a UTF-8 character, or a byte that begins none.
struct Piece {
  size_t bytes;
  Kind kind;
};

// `text` must not be empty.
Piece FirstPiece(absl::string_view text) {
  const uint8_t first = Byte(text[0]);
  if (first < 0x80) {
    return {1, IsUnsafe(first) ? Kind::kUnsafe : Kind::kSafe};
  }
  constexpr Piece kNone = {1, Kind::kNoUtf8};
  // 0xC0 and 0xC1 would begin overlong forms.
  const size_t bytes = first < 0xC2   ? 0
                       : first < 0xE0 ? 2
                       : first < 0xF0 ? 3
                       : first < 0xF5 ? 4
                                      : 0;
  if (bytes == 0 || text.size() < bytes) return kNone;
  uint32_t character = first & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    const uint8_t next = Byte(text[i]);
    if ((next & 0xC0) != 0x80) return kNone;
    character = character << 6 | (next & 0x3FU);
  }
  const uint32_t least = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
  if (character < least || character > 0x10FFFF ||
      (character >= 0xD800 && character <= 0xDFFF)) {
    return kNone;
  }
  return {bytes, IsUnsafe(character) ? Kind::kUnsafe : Kind::kSafe};
}

// Returns the number of printable ASCII bytes at the beginning. Most texts have
// no others.
size_t PlainBytes(absl::string_view text) {
  size_t bytes = 0;
  while (bytes < text.size() && Byte(text[bytes]) >= 0x20 &&
         Byte(text[bytes]) < 0x7F) {
    ++bytes;
  }
  return bytes;
}

void AppendEscaped(absl::string_view bytes, std::string* text) {
  for (const char c : bytes) {
    text->append("\\x");
    text->push_back(kHexDigits[Byte(c) >> 4]);
    text->push_back(kHexDigits[Byte(c) & 0xF]);
  }
}

std::string Escape(absl::string_view text, bool backslashes) {
  std::string safe;
  safe.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const absl::string_view rest = text.substr(i);
    const Piece piece = FirstPiece(rest);
    const absl::string_view bytes = rest.substr(0, piece.bytes);
    i += piece.bytes;
    const bool looks_escaped =
        backslashes && bytes[0] == '\\' && i < text.size() && text[i] == 'x';
    if (piece.kind != Kind::kSafe || looks_escaped) {
      AppendEscaped(bytes, &safe);
    } else {
      safe.append(bytes.data(), bytes.size());
    }
  }
  return safe;
}

}  // namespace

bool IsUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    const Piece piece = FirstPiece(bytes);
    if (piece.kind == Kind::kNoUtf8) return false;
    bytes.remove_prefix(piece.bytes);
  }
  return true;
}

bool IsSafeLine(absl::string_view text) {
  text.remove_prefix(PlainBytes(text));
  while (!text.empty()) {
    const Piece piece = FirstPiece(text);
    if (piece.kind != Kind::kSafe) return false;
    text.remove_prefix(piece.bytes);
  }
  return true;
}

std::string SafeText(absl::string_view value) {
  return Escape(value, /*backslashes=*/true);
}

std::string SafeText(absl::string_view value, size_t max_bytes) {
  if (value.size() <= max_bytes) return SafeText(value);
  // Does not cut inside a character, which has four bytes at most.
  size_t end = max_bytes;
  while (end > 0 && max_bytes - end < 3 && (Byte(value[end]) & 0xC0) == 0x80) {
    --end;
  }
  return absl::StrCat(SafeText(value.substr(0, end)), "...");
}

std::string FromSafeText(absl::string_view text) {
  std::string value;
  value.reserve(text.size());
  while (!text.empty()) {
    const size_t plain = std::min(text.find("\\x"), text.size());
    value.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    int byte = 0;
    if (text.size() >= 4 && absl::ascii_isxdigit(text[2]) &&
        absl::ascii_isxdigit(text[3]) &&
        absl::SimpleHexAtoi(text.substr(2, 2), &byte)) {
      value.push_back(static_cast<char>(byte));
      text.remove_prefix(4);
    } else {
      value.append(text.data(), 2);
      text.remove_prefix(2);
    }
  }
  return value;
}

std::string SafeMessage(absl::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return SafeText(text);
}

std::string SafeLine(absl::string_view line) {
  return Escape(line, /*backslashes=*/false);
}

std::string EscapeBytes(absl::string_view text, absl::string_view characters) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char& c : text) {
    if (characters.find(c) == absl::string_view::npos) {
      escaped.push_back(c);
    } else {
      AppendEscaped(absl::string_view(&c, 1), &escaped);
    }
  }
  return escaped;
}

bool IsListable(absl::string_view name) {
  name.remove_prefix(PlainBytes(name));
  while (!name.empty()) {
    const Piece piece = FirstPiece(name);
    if (piece.kind == Kind::kUnsafe) return false;
    name.remove_prefix(piece.bytes);
  }
  return true;
}

absl::Status CheckListable(absl::string_view what, absl::string_view name) {
  for (size_t i = PlainBytes(name); i < name.size();) {
    const Piece piece = FirstPiece(name.substr(i));
    if (piece.kind == Kind::kUnsafe) {
      constexpr size_t kShown = 64;
      return absl::InvalidArgumentError(absl::StrCat(
          what, " \"", SafeText(name, kShown), "\" holds \"",
          SafeText(name.substr(i, piece.bytes)), "\" at byte ", i,
          ": a control character, or one that nobody sees, which would forge "
          "what lists and logs show; leave it out"));
    }
    i += piece.bytes;
  }
  return absl::OkStatus();
}

}  // namespace gearman
