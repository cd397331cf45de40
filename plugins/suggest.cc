#include "gearman/plugins/suggest.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace gearman {
namespace {

// Returns the name in lower case without "_" and "-": JSON's maxPacket matches
// max_packet.
std::string Normalized(absl::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c != '_' && c != '-') result.push_back(absl::ascii_tolower(c));
  }
  return result;
}

// Returns the number of insertions, deletions, replacements and swaps of
// neighbours that turn `a` into `b` (optimal string alignment).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// Whether `part` is `whole` with words left out at its beginning or end. Both
// are normalized.
bool IsPartOf(absl::string_view part, absl::string_view whole) {
  // Fewer letters would match the beginning or end of too many names.
  return (part.size() >= 3 && absl::StartsWith(whole, part)) ||
         (part.size() >= 4 && absl::EndsWith(whole, part));
}

// Returns how many letters are equal from the first on, four at most.
int CommonBeginning(absl::string_view a, absl::string_view b) {
  const size_t length = std::min({a.size(), b.size(), size_t{4}});
  size_t same = 0;
  while (same < length && a[same] == b[same]) ++same;
  return static_cast<int>(same);
}

}  // namespace

std::string ClosestName(absl::string_view name,
                        absl::Span<const std::string> candidates) {
  // The input may be a whole file in the wrong place, but no name is this long.
  constexpr size_t kLongestName = 100;
  if (name.empty() || name.size() > kLongestName) return "";
  const std::string wanted = Normalized(name);
  std::string closest;
  // At most a third of the letters, rounded up, may be wrong.
  const size_t most_edits = (wanted.size() + 2) / 3;
  int best = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const std::string known = Normalized(candidate);
    const size_t distance = EditDistance(wanted, known);
    if (distance > most_edits) continue;
    // People rarely mistype the beginning of a name: "retries" means "retry"
    // rather than "metrics".
    const int score =
        2 * static_cast<int>(distance) - CommonBeginning(wanted, known);
    if (closest.empty() || score < best) {
      best = score;
      closest = candidate;
    }
  }
  if (!closest.empty()) return closest;
  // The name may be a short or a long form instead of a misspelling.
  size_t fewest = kLongestName;
  for (const std::string& candidate : candidates) {
    const std::string known = Normalized(candidate);
    if (!IsPartOf(wanted, known) && !IsPartOf(known, wanted)) continue;
    const size_t missing = std::max(wanted.size(), known.size()) -
                           std::min(wanted.size(), known.size());
    if (missing >= fewest) continue;
    fewest = missing;
    closest = candidate;
  }
  return closest;
}

std::string Suggest(absl::string_view name,
                    std::vector<std::string> candidates) {
  std::sort(candidates.begin(), candidates.end());
  const std::string closest = ClosestName(name, candidates);
  return absl::StrCat(
      closest.empty() ? "" : absl::StrCat("did you mean \"", closest, "\"? "),
      "Known: ", candidates.empty() ? "none" : absl::StrJoin(candidates, ", "));
}

}  // namespace gearman
