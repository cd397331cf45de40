// The facts of a status, as its payload holds them.
//
// absl::Status prints its payloads after its message. The message names the
// facts already, and nobody wants to read them twice. So the payload holds the
// place of a fact in the message, and bytes only where the message does not
// have them. A checksum tells whether the message is still the one that was
// meant.
//
// The payload is
//   PAYLOAD  = END " " CHECKSUM { " " ITEM }
//   ITEM     = LETTER [ FROM "+" LENGTH ] [ "=" LENGTH ":" BYTES ]
// The value of an item is the text at its place, with the escapes of SafeText
// undone, followed by BYTES. FROM counts from the end of the message, so that
// text may be put before it. END is the largest FROM, and CHECKSUM (FNV-1a, 32
// bits, hexadecimal) is that of the last END bytes of the message.
#ifndef GEARMAN_SDK_VALUES_STATUS_FACTS_H_
#define GEARMAN_SDK_VALUES_STATUS_FACTS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gearman/sdk/status.h"

namespace gearman {
namespace internal {

// Returns the payload of `facts` for `message`.
std::string EncodeFacts(const StatusFacts& facts, absl::string_view message);

// Returns the facts of a payload, and none of them if the payload can't be read
// or does not belong to `message`.
StatusFacts DecodeFacts(absl::string_view payload, absl::string_view message);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_VALUES_STATUS_FACTS_H_
