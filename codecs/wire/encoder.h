// Encoder: messages to bytes.
//
// Encode validates everything a server would answer with a closed connection,
// silence or worse (docs/protocol.md), so that a caller's mistake becomes an
// INVALID_ARGUMENT that names the argument, and nothing is appended.
// Stateless; any thread, one output buffer at a time.
#ifndef GEARMAN_CODECS_WIRE_ENCODER_H_
#define GEARMAN_CODECS_WIRE_ENCODER_H_

#include "absl/status/status.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace wire {

// Appends the packet of `message` to `out`. One overload (or template
// instance) per struct of message.h except RefusedPacket. Messages that travel both ways (WorkStatus ... ) take their magic from `magic`.
// INVALID_ARGUMENT: a NUL in an argument before the last; a unique of 64 bytes
// or more; a handle of 64 or more in a request; a function or option too long
// for the server's 8,192-byte argument buffer (8,180 for all arguments before the data
// together); numbers out of range. `data` may be moved from only on success.
template <typename Message>
absl::Status Encode(Message message, OutputBuffer& out);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_ENCODER_H_
