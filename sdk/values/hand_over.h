// Hands large payloads over between a connection's buffers and a stream that
// passes strings on whole (PieceStream), so that no byte is copied.
#ifndef GEARMAN_SDK_VALUES_HAND_OVER_H_
#define GEARMAN_SDK_VALUES_HAND_OVER_H_

#include <cstddef>
#include <utility>

#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/transports/piece_stream.h"

namespace gearman {
namespace internal {

// Returns the payload that is to be given to `stream` next, or null: bytes come
// first, the stream takes nothing now, or it takes bytes only (null).
inline const Payload* PayloadToGive(const PieceStream* stream,
                                    const wire::OutputBuffer& output) {
  const Payload* const payload =
      stream == nullptr ? nullptr : output.front_payload();
  return payload != nullptr && stream->CanGive() ? payload : nullptr;
}

// Gives that payload to the stream.
inline void Give(PieceStream* stream, Payload payload) {
  Piece piece;
  if (payload.is_shared()) {
    piece.shared = std::move(payload).TakeShared();
  } else {
    piece.owned = std::move(payload).TakeString();
  }
  stream->Give(std::move(piece));
}

// Moves the payload that the decoder wants from the stream to the decoder.
// Returns its size, or 0: the decoder wants none, the next bytes are no piece
// of this size, or the stream has bytes only (null). `see(view)` is called
// first.
template <typename Decoder, typename See>
size_t TakeWantedPayload(PieceStream* stream, Decoder* decoder, See&& see) {
  const size_t size = stream == nullptr ? 0 : decoder->wanted_payload();
  Piece piece;
  if (size == 0 || !stream->Take(size, &piece)) return 0;
  see(piece.view());
  decoder->PutPayload(piece.shared != nullptr
                          ? Payload(std::move(piece.shared))
                          : Payload(std::move(piece.owned)));
  return size;
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_VALUES_HAND_OVER_H_
