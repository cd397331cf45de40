#include "gearman/tools/gearctl/text.h"

#include <algorithm>
#include <clocale>
#include <cstddef>
#include <cwchar>
#include <string>

#include "absl/strings/string_view.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace gearctl {
namespace {

// One character of a text in the locale that UseUtf8 has set.
struct Character {
  size_t bytes = 0;  // 0: none is left, or these bytes are no character
  int columns = 0;
};

Character FirstCharacter(absl::string_view text) {
  if (text.empty()) return {};
  wchar_t wide = 0;
  std::mbstate_t state{};
  const size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (bytes > text.size()) return {};  // invalid, or cut off
  return {std::max<size_t>(bytes, 1),  // 0: a NUL
          std::max(wcwidth(wide), 0)};
}

}  // namespace

void UseUtf8() { std::setlocale(LC_CTYPE, "C.UTF-8"); }

std::string Printable(absl::string_view line) { return SafeLine(line); }

int DisplayWidth(absl::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    columns += character.bytes == 0 ? 1 : character.columns;
    text.remove_prefix(std::max<size_t>(character.bytes, 1));
  }
  return columns;
}

absl::string_view CutToWidth(absl::string_view text, int columns) {
  size_t end = 0;
  while (end < text.size()) {
    const Character character = FirstCharacter(text.substr(end));
    columns -= character.bytes == 0 ? 1 : character.columns;
    if (columns < 0) break;
    end += std::max<size_t>(character.bytes, 1);
  }
  return text.substr(0, end);
}

}  // namespace gearctl
}  // namespace gearman
