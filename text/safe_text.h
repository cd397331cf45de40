// Safe text: names and messages of peers and users in a form that is safe in a
// message, a log line, a table, a metric's label or a list.
//
// Unsafe are
//   - control characters: U+0000-001F, U+007F, U+0080-009F;
//   - separators of lines and paragraphs: U+2028, U+2029;
//   - characters that change the direction of the text after them: U+061C,
//     U+200E, U+200F, U+202A-202E, U+2066-2069;
//   - invisible characters, which can make two names look alike: U+00AD,
//     U+034F, U+115F, U+1160, U+180E, U+200B, U+2060-2065, U+206A-206F, U+3164,
//     U+FEFF, U+FFA0, U+FFF9-FFFB, U+E0000-E007F. Joiners (U+200C, U+200D) and
//     variation selectors are safe, because scripts and emoji need them;
//   - bytes that are not UTF-8.
// Each byte of these is written as \xnn, with two lower-case hex digits. All
// other text stays as it is: letters of all scripts, quotes, spaces.
//
// Stateless; any thread. Time and memory are linear in the text.
#ifndef GEARMAN_TEXT_SAFE_TEXT_H_
#define GEARMAN_TEXT_SAFE_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Whether `bytes` are UTF-8, without surrogates and overlong forms.
bool IsUtf8(absl::string_view bytes);

// Whether SafeLine has nothing to escape.
bool IsSafeLine(absl::string_view text);

// Returns a name or another value as a message shows it. The form is
// reversible, so two different values never look alike: a backslash in front of
// an "x" is written as \x5c, and any other backslash stays.
std::string SafeText(absl::string_view value);

// Returns the first `max_bytes` bytes of a value, with "..." if it is longer.
std::string SafeText(absl::string_view value, size_t max_bytes);

// Returns the value that SafeText wrote. Text that SafeText did not write stays
// as it is, but for each \xnn in it.
std::string FromSafeText(absl::string_view text);

// Returns text that a peer wrote for people, such as that of an error or an
// exception: without the line ends at its end, and otherwise like SafeText.
std::string SafeMessage(absl::string_view text);

// Returns a whole message or line, whose parts may be safe text already. These
// are not escaped twice, because backslashes stay.
std::string SafeLine(absl::string_view line);

// Returns `text` with each byte in `characters` written as \xnn, for formats
// with their own syntax. The result of SafeText stays reversible.
std::string EscapeBytes(absl::string_view text, absl::string_view characters);

// Whether lists may show the name unchanged, so that it may be registered:
// false if it holds an unsafe character. Bytes that are not UTF-8 may be
// listed, because names in older encodings are in use, and they forge neither
// rows nor columns.
bool IsListable(absl::string_view name);

// Returns INVALID_ARGUMENT if `name` may not be listed. `what` names it in the
// message: "the task".
absl::Status CheckListable(absl::string_view what, absl::string_view name);

}  // namespace gearman

#endif  // GEARMAN_TEXT_SAFE_TEXT_H_
