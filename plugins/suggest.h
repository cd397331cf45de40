// Suggest: helps whoever mistyped a name. Thread-safe.
#ifndef GEARMAN_PLUGINS_SUGGEST_H_
#define GEARMAN_PLUGINS_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {

// The candidate that `name` was probably meant to be: equal but for case, "_"
// and "-", or the nearest by edits when few are needed, or the nearest that has
// some words more or fewer ("exponential" for exponential_backoff). Empty: none
// is near.
std::string ClosestName(absl::string_view name,
                        absl::Span<const std::string> candidates);

// "did you mean "b"? Known: a, b, c" (the question only when one is near; the
// list sorted; "none" when there are none).
std::string Suggest(absl::string_view name,
                    std::vector<std::string> candidates);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SUGGEST_H_
