// Decoder: bytes to protocol events, incrementally, whatever the chunking.
//
// The transport reads straight into the decoder's memory:
//   span = decoder.Prepare(); n = transport.Read(span); decoder.Commit(n);
//   while (decoder.Next(&event) == DecodeResult::kMessage) ...
// A large payload is read directly into its final string, which the event
// owns. Memory follows what really arrives, not what a header announces.
//
// Not thread-safe: owned by one connection.
#ifndef GEARMAN_CODECS_WIRE_DECODER_H_
#define GEARMAN_CODECS_WIRE_DECODER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/codecs/wire/message.h"

namespace gearman {
namespace wire {

// Receiver is ToClient, ToWorker or ToServer.
//
// Towards a server, two mistakes are answered and not fatal: response magic,
// and a command that only a server sends; they come as RefusedPacket. Where
// gearmand would take an argument that is missing from the next packet, this
// reports DATA_LOSS.
template <typename Receiver>
class Decoder {
 public:
  explicit Decoder(DecoderOptions options = {}) : reader_(options) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Memory to read into, never empty. Invalidates the views of earlier events.
  absl::Span<char> Prepare() { return reader_.Prepare(); }
  // The first `bytes` bytes of the last Prepare's span have been filled.
  void Commit(size_t bytes) { reader_.Commit(bytes); }
  // The next event. kError is final: error() says what, and at which offset of
  // the stream; code DATA_LOSS.
  DecodeResult Next(Receiver* event);
  const absl::Status& error() const { return reader_.error(); }

  // Offset in the stream of the first byte not yet consumed by Next.
  uint64_t offset() const { return reader_.offset(); }
  // True when a packet has begun and not ended: the peer closing now is a
  // truncation.
  bool in_packet() const { return reader_.in_packet(); }
  // Bytes of memory held for the stream.
  size_t capacity() const { return reader_.capacity(); }
  // The memory of a payload that was moved out and is not needed any more, for
  // one to come. Any string will do; small ones are dropped.
  void Recycle(std::string payload) { reader_.Recycle(std::move(payload)); }

  // For PortCodec, which finds text lines between packets.
  FrameReader& reader() { return reader_; }

 private:
  FrameReader reader_;
  Frame frame_;
};

extern template class Decoder<ToClient>;
extern template class Decoder<ToWorker>;
extern template class Decoder<ToServer>;

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_DECODER_H_
