#include "gearman/examples/word_count/words.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace word_count {

bool IsWordCharacter(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c));
}

Counts CountWords(absl::string_view text) {
  Counts counts;
  size_t i = 0;
  while (i < text.size()) {
    if (!IsWordCharacter(text[i])) {
      ++i;
      continue;
    }
    const size_t begin = i;
    while (i < text.size() && IsWordCharacter(text[i])) ++i;
    ++counts[absl::AsciiStrToLower(text.substr(begin, i - begin))];
  }
  return counts;
}

std::string EncodeCounts(const Counts& counts) {
  std::string encoded;
  for (const auto& entry : counts) {
    absl::StrAppend(&encoded, entry.first, " ", entry.second, "\n");
  }
  return encoded;
}

absl::Status AddEncodedCounts(absl::string_view encoded, Counts* total) {
  std::vector<std::pair<absl::string_view, int64_t>> parsed;
  for (absl::string_view line :
       absl::StrSplit(encoded, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> fields =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t count = 0;
    if (!absl::SimpleAtoi(fields.second, &count)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a worker answered \"", absl::CHexEscape(line),
          "\" where a word and a number were due: is another program serving "
          "this task?"));
    }
    parsed.emplace_back(fields.first, count);
  }
  for (const auto& entry : parsed) (*total)[entry.first] += entry.second;
  return absl::OkStatus();
}

}  // namespace word_count
