#include "gearman/sdk/internal/config/places.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace internal {
namespace {

// Returns the path of the parent: "a.b[2]" -> "a.b" -> "a" -> "".
absl::string_view Parent(absl::string_view path) {
  const size_t end = path.find_last_of(".[");
  return end == absl::string_view::npos ? absl::string_view()
                                        : path.substr(0, end);
}

bool IsBelow(absl::string_view path, absl::string_view ancestor) {
  return absl::StartsWith(path, ancestor) &&
         (path.size() == ancestor.size() || path[ancestor.size()] == '.' ||
          path[ancestor.size()] == '[');
}

}  // namespace

LineIndex::LineIndex(absl::string_view text) : line_starts_{0} {
  for (size_t at = text.find('\n'); at != absl::string_view::npos;
       at = text.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

TextPosition LineIndex::At(size_t offset) const {
  const auto next =
      std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  TextPosition position;
  position.line = static_cast<int>(next - line_starts_.begin());
  position.column = static_cast<int>(offset - *(next - 1)) + 1;
  return position;
}

std::string ChildPath(absl::string_view path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

std::string ElementPath(absl::string_view path, size_t index) {
  return absl::StrCat(path, "[", index, "]");
}

void Places::Add(absl::string_view path, TextPosition position) {
  places_[std::string(path)] =
      absl::StrCat(source_, ":", position.line, ":", position.column);
}

void Places::Replace(absl::string_view path, absl::string_view source) {
  for (auto place = places_.begin(); place != places_.end();) {
    place = IsBelow(place->first, path) ? places_.erase(place) : ++place;
  }
  places_[std::string(path)] = std::string(source);
}

void Places::RemoveElement(absl::string_view list, size_t index) {
  absl::btree_map<std::string, std::string> moved;
  for (auto& [path, place] : places_) {
    size_t at = 0;
    const size_t end = path.find(']', list.size());
    const bool element =
        IsBelow(path, list) && path.size() > list.size() &&
        path[list.size()] == '[' && end != std::string::npos &&
        absl::SimpleAtoi(absl::string_view(path).substr(list.size() + 1,
                                                        end - list.size() - 1),
                         &at);
    if (element && at == index) continue;
    moved[element && at > index
              ? absl::StrCat(ElementPath(list, at - 1), path.substr(end + 1))
              : path] = std::move(place);
  }
  places_ = std::move(moved);
}

std::string Places::Describe(absl::string_view path) const {
  for (; !path.empty(); path = Parent(path)) {
    const auto place = places_.find(path);
    if (place != places_.end()) return place->second;
  }
  return source_;
}

absl::Status ErrorAt(absl::string_view place, absl::string_view path,
                     absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(place, ": ", path, path.empty() ? "" : ": ", text));
}

}  // namespace internal
}  // namespace gearman
