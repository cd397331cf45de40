// Shows bytes from others on a terminal. Stateless; any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_TEXT_H_
#define GEARMAN_TOOLS_GEARCTL_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {

// Makes the functions below treat text as UTF-8 in every locale. Call it once,
// before threads are started.
void UseUtf8();

// Returns a line or message as safe text, without escaping it twice (SafeLine
// of text/safe_text.h, which has other functions for names).
std::string Printable(absl::string_view line);
// The number of columns that `text` takes.
int DisplayWidth(absl::string_view text);
// Returns the longest beginning, in whole characters, that takes at most
// `columns` columns.
absl::string_view CutToWidth(absl::string_view text, int columns);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_TEXT_H_
