// Decoder: turns bytes into protocol events, incrementally, for any chunking.
//
// The transport reads straight into the decoder's memory:
//   span = decoder.Prepare(); n = transport.Read(span); decoder.Commit(n);
//   while (decoder.Next(&event) == DecodeResult::kMessage) ...
// A large payload is read directly into its final string, which the event owns.
// Memory follows the bytes that have arrived, not the size in a header.
//
// Not thread-safe: one connection owns it.
#ifndef GEARMAN_CODECS_WIRE_DECODER_H_
#define GEARMAN_CODECS_WIRE_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/codecs/wire/message.h"

namespace gearman {
namespace wire {

// Receiver is ToClient, ToWorker or ToServer.
//
// At a server, two mistakes are answered and not fatal: response magic, and a
// command that only a server sends. They come as RefusedPacket. Where gearmand
// would take a missing argument from the next packet, the decoder reports
// DATA_LOSS.
template <typename Receiver>
class Decoder {
 public:
  using Event = Receiver;
  using Options = DecoderOptions;

  explicit Decoder(DecoderOptions options = {}) : reader_(options) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Returns memory to read into, never empty. Invalidates the views of earlier
  // events.
  absl::Span<char> Prepare() { return reader_.Prepare(); }
  // Tells the decoder that the first `bytes` bytes of the last Prepare's span
  // have been filled.
  void Commit(size_t bytes) { reader_.Commit(bytes); }
  // The bytes of the large payload that comes next, if none of them is here;
  // else 0. The caller may give them to PutPayload instead of Commit.
  size_t wanted_payload() const { return reader_.wanted_payload(); }
  void PutPayload(Payload payload) { reader_.PutPayload(std::move(payload)); }
  // Decides which payloads pass in pieces: FrameReader::PassesInPieces. Their
  // events are PayloadBegins and PayloadPiece, which only a client has. The
  // decoders of the others ignore the function.
  void set_passes_in_pieces(FrameReader::PassesInPieces function) {
    if constexpr (std::is_same_v<Receiver, ToClient>) {
      reader_.set_passes_in_pieces(std::move(function));
    }
  }
  // Returns the next event. kError is final: error() has the mistake and its
  // offset in the stream. The code is DATA_LOSS.
  DecodeResult Next(Receiver* event);
  const absl::Status& error() const { return reader_.error(); }

  // The offset in the stream of the first byte that Next has not consumed.
  uint64_t offset() const { return reader_.offset(); }
  // Whether a packet has begun and not ended: if the peer closes now, the
  // stream is truncated.
  bool in_packet() const { return reader_.in_packet(); }
  // Returns DATA_LOSS if the stream would be truncated here. Its message, such
  // as "inside a packet, at byte 17", is made to follow "closed by the server".
  absl::Status CheckEnd() const { return reader_.CheckEnd(); }
  // The bytes of memory held for the stream.
  size_t capacity() const { return reader_.capacity(); }
  // Gives the decoder the memory of a payload that was moved out and is no
  // longer needed, for a later payload. Any string will do; small ones are
  // dropped.
  void Recycle(std::string payload) { reader_.Recycle(std::move(payload)); }
  // The memory that Recycle gives to later payloads.
  SpareStrings* spares() { return reader_.spares(); }

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
