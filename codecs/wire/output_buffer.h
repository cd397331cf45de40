// OutputBuffer: bytes that wait to be written, in as few contiguous pieces as
// possible. Small packets lie side by side. A large payload is referred to and
// kept alive until its last byte has been written. A body from a source is read
// part by part, when the bytes before it have been written.
//
// The buffer reuses its memory: a connection in steady state allocates nothing,
// and after a burst the burst's memory is freed.
//
// A buffer is not thread-safe: one connection owns it, and that connection's
// lock guards it.
#ifndef GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
#define GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/outgoing_body.h"

namespace gearman {
namespace wire {

class SpareStrings;

class OutputBuffer {
 public:
  // From this size on an owned or shared payload is referred to, not copied:
  // another piece of a gathering write costs less than copying this many bytes.
  static constexpr size_t kExternalBytes = 16384;

  OutputBuffer() = default;
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  ~OutputBuffer();

  // Gives `spares` each large payload that has been written and has no other
  // owner (SpareStrings::Hold). `spares` must outlive the buffer. By default
  // such a payload is freed at once.
  void HoldWritten(SpareStrings* spares) { spares_ = spares; }

  // The Append functions throw std::bad_alloc if there is no memory. The
  // buffer is then unchanged.

  // Appends a copy of `bytes`.
  void Append(absl::string_view bytes);
  // Appends exactly `size` bytes, in one piece, and returns their address. The
  // caller fills them before any other call.
  char* AppendUninitialized(size_t size) {
    if (static_cast<size_t>(chunk_.limit - chunk_.end) < size) {
      StartChunk(size);
    }
    char* const bytes = chunk_.end;
    chunk_.end += size;
    total_appended_ += size;
    return bytes;
  }
  // Appends a payload. A large payload that is not borrowed is referred to and
  // kept alive; every other payload is copied.
  void AppendPayload(Payload payload);
  // Appends a copy of `head`, which must not be empty, and then the bytes of
  // `body`, which nobody has read. ReadBody reads them.
  void AppendWithBody(absl::string_view head,
                      std::shared_ptr<OutgoingBody> body);

  // The bytes that have not been consumed.
  size_t size() const {
    return static_cast<size_t>(total_appended_ - total_consumed_);
  }
  // True if every byte has been consumed.
  bool empty() const { return total_appended_ == total_consumed_; }
  // The number of pending bytes that are in memory. If there are pending bytes
  // and none is in memory, it is 1, so that 0 always means an empty buffer.
  size_t held() const {
    const size_t held = static_cast<size_t>(size() - unread_);
    return held > 0 || empty() ? held : 1;
  }
  // The bytes of bodies that were not read yet. Gather stops where they begin.
  uint64_t unread() const { return unread_; }
  // The bytes ever appended and ever consumed. A packet whose first byte was at
  // total_appended() == p has surely not left while total_consumed() <= p.
  uint64_t total_appended() const { return total_appended_; }
  uint64_t total_consumed() const { return total_consumed_; }

  // Fills `pieces` with the first pending pieces, in order, and returns their
  // number. They are valid until the next Consume or Clear. With
  // `stop_at_payload`, a whole payload that is referred to is only the first of
  // them, or the end.
  size_t Gather(absl::Span<absl::string_view> pieces,
                bool stop_at_payload = false) const;
  // Reads the next part of the first body, if the bytes before it may be in the
  // next write and none of its own bytes is here. Adds the size of the part to
  // `read`. An error (OutgoingBody::error) means that the stream can't go on.
  // Throws std::bad_alloc.
  absl::Status ReadBody(size_t* read);
  // The whole payload that the first pending bytes are, if the buffer refers to
  // it; else null. It is valid until the next Consume or Clear.
  const Payload* front_payload() const;
  // Takes that payload out, which must be there, as if it had been written.
  Payload TakeFrontPayload();
  // Drops the first `bytes` pending bytes, which have been written. There must
  // be at least `bytes` of them.
  void Consume(size_t bytes);
  // Drops all pending bytes, because the connection is gone.
  void Clear();

  // The bytes of memory held, without the payloads that are referred to.
  size_t capacity() const { return capacity_; }
  // The bytes of all memory that is freed with this buffer: `capacity`, the
  // records of its pieces, and the payloads that it alone owns.
  size_t owned_bytes() const {
    return capacity_ + pieces_.capacity() * sizeof(Piece) + owned_payloads_ +
           body_memory_;
  }
  // The bytes of shared payloads that this buffer keeps alive; other objects
  // may share them. A payload counts once for each piece that refers to it.
  size_t shared_bytes() const { return shared_payloads_; }

 private:
  // Memory for packets, one behind the other.
  struct Chunk {
    std::unique_ptr<char[]> memory;
    char* begin = nullptr;  // first byte in no piece and not consumed
    char* end = nullptr;
    char* limit = nullptr;

    size_t pending() const { return static_cast<size_t>(end - begin); }
    size_t capacity() const {
      return static_cast<size_t>(limit - memory.get());
    }
  };
  // A run of bytes before those of the current chunk: a payload that is
  // referred to, the part of a body that is in memory, a part of the chunk that
  // lies before such a payload or body, or the rest of a full chunk. The last
  // piece of a chunk owns its memory, because it is consumed last.
  struct Piece {
    absl::string_view bytes;
    Chunk chunk;
    Payload external;
    std::shared_ptr<OutgoingBody> body;

    bool is_unread() const { return body != nullptr && body->left() > 0; }
    bool is_whole_payload() const {
      return !bytes.empty() && bytes.size() == external.size();
    }
  };

  // The first piece with pending bytes, read or not; pieces_.size() if there is
  // none.
  size_t FirstPending() const;
  // Begins a new chunk with room for `size` bytes.
  void StartChunk(size_t size);
  // Makes room for `count` more pieces, so that adding them can't fail.
  void ReservePieces(size_t count);
  // Makes a piece of the chunk's bytes, so that another piece may follow them.
  void EndPieceOfChunk();
  // Drops a body that is written, or never will be.
  void DropBody(Piece& piece);
  // Takes the payload out that `piece` refers to, and no longer counts it.
  Payload TakePayload(Piece& piece);
  // Reuses or frees memory when all bytes have been consumed.
  void Rewind();
  void Recycle(Chunk chunk);
  void FreeSpare();

  SpareStrings* spares_ = nullptr;
  // The pending bytes are those of the pieces from first_piece_ on, then those
  // of the chunk.
  std::vector<Piece> pieces_;
  size_t first_piece_ = 0;
  Chunk chunk_;
  // Kept for the next chunk of a burst.
  Chunk spare_;
  size_t capacity_ = 0;  // of chunk_, of spare_ and of the pieces
  // The bytes of the payloads that pieces refer to.
  size_t owned_payloads_ = 0;
  size_t shared_payloads_ = 0;
  uint64_t unread_ = 0;
  size_t body_memory_ = 0;  // of the parts of bodies
  uint64_t total_appended_ = 0;
  uint64_t total_consumed_ = 0;
  // Both counts show when a burst is over: the number of times that everything
  // had been consumed after few bytes, and the bytes appended until the last of
  // them.
  int quiet_rewinds_ = 0;
  uint64_t appended_at_rewind_ = 0;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
