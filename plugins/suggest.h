// Suggest: helps a user who mistyped a name. Thread-safe.
#ifndef GEARMAN_PLUGINS_SUGGEST_H_
#define GEARMAN_PLUGINS_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Returns the candidate that `name` was probably meant to be. It is equal
// except for case, "_" and "-", or is the nearest by a few edits, or is the
// nearest with some words more or fewer ("exponential" for
// exponential_backoff). Empty if none is near.
std::string ClosestName(absl::string_view name,
                        absl::Span<const std::string> candidates);

// Returns a text such as "did you mean "b"? Known: a, b, c". It has the
// question only if a name is near. The list is sorted, and is "none" if it is
// empty.
std::string Suggest(absl::string_view name,
                    std::vector<std::string> candidates);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SUGGEST_H_
