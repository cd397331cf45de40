// Decoder: bytes to protocol events, incrementally, whatever the chunking.
//
// The transport reads straight into the decoder's memory:
//   span = decoder.Prepare(); n = transport.Read(span); decoder.Commit(n);
//   while (decoder.Next(&event) == DecodeResult::kMessage) ...
// A large payload is read directly into its final string, which the event
// owns. Not thread-safe: owned by one connection.
#ifndef GEARMAN_CODECS_WIRE_DECODER_H_
#define GEARMAN_CODECS_WIRE_DECODER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/message.h"

namespace gearman {
namespace wire {

enum class DecodeResult : unsigned char { kMessage, kNeedMore, kError };

struct DecoderOptions {
  // A packet whose header announces more is refused before anything is
  // allocated. Bytes, header included.
  size_t max_packet_bytes = 64 << 20;
};

// Receiver is ToClient, ToWorker or ToServer.
template <typename Receiver>
class Decoder {
 public:
  explicit Decoder(DecoderOptions options = {});
  ~Decoder();

  // Memory to read into, never empty. Invalidates the views of earlier events.
  absl::Span<char> Prepare();
  // The first `bytes` bytes of the last Prepare's span have been filled.
  void Commit(size_t bytes);
  // The next event. kError is final: error() says what and at which offset of
  // the stream, code DATA_LOSS.
  DecodeResult Next(Receiver* event);
  const absl::Status& error() const;

  // Offset in the stream of the first byte not yet consumed by Next.
  uint64_t offset() const;
  // True when a packet has begun and not ended: the peer closing now is a
  // truncation.
  bool in_packet() const;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_DECODER_H_
