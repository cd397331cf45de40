// Encoder: turns messages into bytes.
//
// Encode checks everything that a server would answer with a closed connection,
// with silence or worse (docs/protocol.md). A mistake of the caller is
// INVALID_ARGUMENT with the packet and the argument; then nothing has been
// appended. Stateless; any thread, one output buffer at a time.
//
// Encode checks that no argument before the last holds a NUL, that uniques and
// handles have at most 63 bytes, that all arguments before the data fit into
// 8,180 bytes, that epochs and timeouts are numbers that a server can hold, and
// that the body has less than 4 GiB.
#ifndef GEARMAN_CODECS_WIRE_ENCODER_H_
#define GEARMAN_CODECS_WIRE_ENCODER_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/outgoing_body.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace wire {

// The sender of a packet that travels from worker to server to client. It
// decides the magic.
enum class Sender : unsigned char {
  kWorker,  // request magic
  kServer,  // response magic
};

// The part of Encode that encoder.cc instantiates for each message. The data of
// `message` may be moved out.
template <typename Message>
absl::Status EncodePacket(Message& message, Sender sender, OutputBuffer& out);

// Appends the packet of `message` to `out`: of any message but RefusedPacket
// and TooLargePacket. The magic of all other packets does not depend on
// `sender`. A large payload that is not borrowed is not copied if it is moved
// here (OutputBuffer::AppendPayload).
//
// The timeout of CanDoTimeout must be a decimal number of at most 4294967295:
// some larger numbers make a server harm the worker or itself. The epoch of
// SubmitJobEpoch must be a decimal number within int64, 0 or more.
template <typename Message,
          typename = std::enable_if_t<kIsPacket<std::decay_t<Message>>>>
absl::Status Encode(Message&& message, OutputBuffer& out,
                    Sender sender = Sender::kWorker) {
  using Movable = std::decay_t<Message>;
  if constexpr (std::is_same_v<Message, Movable>) {
    return EncodePacket(message, sender, out);
  } else {
    return Encode(Movable(message), out, sender);
  }
}

// Appends the packet in `head`, with `body` behind its data.
absl::Status AppendPacketWithBody(const OutputBuffer& head,
                                  std::shared_ptr<OutgoingBody> body,
                                  OutputBuffer& out);

// Appends the packet of `message`, a message with data. The bytes of `body`
// follow the message's own data, which is copied and usually empty.
template <typename Message>
absl::Status EncodeWithBody(Message message, std::shared_ptr<OutgoingBody> body,
                            OutputBuffer& out) {
  OutputBuffer head;
  absl::Status status = Encode(std::move(message), head);
  if (!status.ok()) return status;
  return AppendPacketWithBody(head, std::move(body), out);
}

// Appends `count` equal packets: a worker with many grabs outstanding sends
// several in each turn.
void EncodeGrabs(const GrabJob& message, int count, OutputBuffer& out);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_ENCODER_H_
