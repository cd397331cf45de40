// Text: bytes of others as a terminal can show them. Stateless; any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_TEXT_H_
#define GEARMAN_TOOLS_GEARCTL_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {

// Makes text UTF-8 for the functions below, whatever the user's locale. Once,
// before threads are started.
void UseUtf8();

// A line or message as safe text, and not escaped twice: SafeLine of
// text/safe_text.h, which has other functions for names.
std::string Printable(absl::string_view line);
// Columns that it takes.
int DisplayWidth(absl::string_view text);
// As much of its beginning as takes `columns` at most, in whole characters.
absl::string_view CutToWidth(absl::string_view text, int columns);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_TEXT_H_
