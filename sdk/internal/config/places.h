// Places records where each value of a config was written, for error messages.
//
// A value is named by its path. Dots join the fields, and elements of lists
// have a number ("metrics[1].plugin.address"). Thread-compatible value.
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

// Both begin at 1. Columns count bytes.
struct TextPosition {
  int line = 1;
  int column = 1;
};

// Finds the positions of a text's bytes. O(n) to make, then O(log n) each.
class LineIndex {
 public:
  explicit LineIndex(absl::string_view text);

  // The position of the byte at `offset`, which may be the end of the text.
  TextPosition At(size_t offset) const;

 private:
  std::vector<size_t> line_starts_;
};

// Returns "outer.inner", or only `name` at the root.
std::string ChildPath(absl::string_view path, absl::string_view name);
// Returns "list[2]".
std::string ElementPath(absl::string_view path, size_t index);

class Places {
 public:
  // `source` is the origin of values without a known place: a file's name,
  // "environment variable X", "code".
  explicit Places(absl::string_view source = "config") : source_(source) {}

  void Add(absl::string_view path, TextPosition position);
  // Says that the value at `path`, with everything below it, now comes from
  // `source`.
  void Replace(absl::string_view path, absl::string_view source);

  // Removes an element of the list at `list`. The elements after it move up.
  void RemoveElement(absl::string_view list, size_t index);

  // Returns "file.textproto:3:5" for the value at `path`. If the value was not
  // written itself, returns the place of the block around it. If no place is
  // known, returns the source alone.
  std::string Describe(absl::string_view path) const;

 private:
  std::string source_;
  absl::btree_map<std::string, std::string> places_;
};

// Returns INVALID_ARGUMENT "<place>: <path>: <text>".
absl::Status ErrorAt(absl::string_view place, absl::string_view path,
                     absl::string_view text);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_PLACES_H_
