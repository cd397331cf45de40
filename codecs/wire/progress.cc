#include "gearman/codecs/wire/progress.h"

#include <limits>

#include "absl/strings/ascii.h"

namespace gearman {
namespace wire {

int64_t ParseProgress(absl::string_view text) {
  text = absl::StripLeadingAsciiWhitespace(text);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) break;
    const int digit = c - '0';
    if (value > (kMax - digit) / 10) {
      return negative ? std::numeric_limits<int64_t>::min() : kMax;
    }
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

}  // namespace wire
}  // namespace gearman
