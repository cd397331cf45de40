#include "gearman/tools/gearctl/failures.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr size_t kSubjectsSaid = 5;
constexpr size_t kKindsKept = 100;
// The most bytes of a list of lines. The rest becomes "...".
constexpr size_t kLongestList = 400;

std::string RangeText(int64_t begin, int64_t end) {
  return begin == end ? absl::StrCat(begin) : absl::StrCat(begin, "-", end);
}

}  // namespace

void Failures::Add(absl::string_view subject, const absl::Status& status) {
  if (status.ok()) return;
  if (kinds_.empty()) code_ = status.code();
  const auto place =
      places_.try_emplace(std::string(status.message()), kinds_.size());
  if (place.second) kinds_.push_back({place.first->first, {}, 0});
  Kind& kind = kinds_[place.first->second];
  ++kind.count;
  if (kind.subjects.size() < kSubjectsSaid) {
    kind.subjects.emplace_back(subject);
  }
}

absl::Status Failures::ToStatus() const {
  return absl::Status(
      code_,
      absl::StrJoin(kinds_, "; ", [](std::string* out, const Kind& kind) {
        absl::StrAppend(out, absl::StrJoin(kind.subjects, ", "));
        const int64_t more =
            kind.count - static_cast<int64_t>(kind.subjects.size());
        if (more > 0) absl::StrAppend(out, " and ", more, " more");
        absl::StrAppend(out, ": ", kind.message);
      }));
}

bool LineFailures::IsNew(int64_t line, const absl::Status& status,
                         std::initializer_list<absl::string_view> names) {
  std::string message(status.message());
  for (const absl::string_view name : names) {
    if (name.empty()) continue;
    message =
        absl::StrReplaceAll(message, {{absl::StrCat("\"", name, "\""), ""}});
  }
  const auto found = kinds_.find(message);
  if (found == kinds_.end()) {
    if (kinds_.size() < kKindsKept) kinds_[message].first = line;
    return true;
  }
  Kind& kind = found->second;
  ++kind.others;
  if (kind.range_begin != 0 && line == kind.range_end + 1) {
    kind.range_end = line;
    return false;
  }
  if (kind.range_begin != 0 && kind.lines.size() < kLongestList) {
    absl::StrAppend(&kind.lines, RangeText(kind.range_begin, kind.range_end),
                    ", ");
  }
  kind.range_begin = kind.range_end = line;
  return false;
}

std::string LineFailures::LinesOf(const Kind& kind) {
  return kind.lines.size() < kLongestList
             ? absl::StrCat(kind.lines,
                            RangeText(kind.range_begin, kind.range_end))
             : absl::StrCat(kind.lines, "...");
}

std::vector<std::string> LineFailures::Others() const {
  std::vector<const Kind*> kinds;
  for (const auto& [message, kind] : kinds_) {
    if (kind.others > 0) kinds.push_back(&kind);
  }
  std::sort(kinds.begin(), kinds.end(),
            [](const Kind* a, const Kind* b) { return a->first < b->first; });
  std::vector<std::string> sentences;
  for (const Kind* kind : kinds) {
    sentences.push_back(absl::StrCat(
        kind->others, kind->others == 1 ? " more line" : " more lines",
        " failed as line ", kind->first, " did: ", LinesOf(*kind)));
  }
  return sentences;
}

}  // namespace gearctl
}  // namespace gearman
