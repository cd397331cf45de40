// Places: where each value of a config was written, for error messages.
//
// A value is named by its path: fields joined by dots, elements of lists by
// number ("metrics[1].plugin.address"). Thread-compatible value.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_PLACES_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_PLACES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// Both from 1; columns count bytes.
struct TextPosition {
  int line = 1;
  int column = 1;
};

// Finds the positions of a text's bytes: O(n) to make, then O(log n) each.
class LineIndex {
 public:
  explicit LineIndex(absl::string_view text);

  // Of the byte at `offset`, which may be the text's end.
  TextPosition At(size_t offset) const;

 private:
  std::vector<size_t> line_starts_;
};

// "outer.inner"; just `name` at the root.
std::string ChildPath(absl::string_view path, absl::string_view name);
// "list[2]".
std::string ElementPath(absl::string_view path, size_t index);

class Places {
 public:
  // `source` is what a value without a known place came from: a file's name,
  // "environment variable X", "code".
  explicit Places(absl::string_view source = "config") : source_(source) {}

  void Add(absl::string_view path, TextPosition position);
  // The value at `path`, with all below it, now comes from `source`.
  void Replace(absl::string_view path, absl::string_view source);

  // An element of the list at `list` is gone: those behind it move up.
  void RemoveElement(absl::string_view list, size_t index);

  // "file.textproto:3:5" of the value at `path`; of what it stands in when it
  // was not written itself; the bare source when nothing is known.
  std::string Describe(absl::string_view path) const;

 private:
  std::string source_;
  absl::btree_map<std::string, std::string> places_;
};

// INVALID_ARGUMENT "<place>: <path>: <text>".
absl::Status ErrorAt(absl::string_view place, absl::string_view path,
                     absl::string_view text);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_PLACES_H_
