// OutputBuffer: bytes waiting to be written, in as few contiguous pieces as
// possible: small packets are laid side by side; a large payload is pointed at
// and kept alive until its last byte has been written.
//
// Reuses its memory: a connection in steady state allocates nothing, and one
// that has had a burst gives the burst's memory back.
//
// Not thread-safe: owned by one connection and guarded by its owner's lock.
#ifndef GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
#define GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"

namespace gearman {
namespace wire {

class OutputBuffer {
 public:
  // From this size on an owned or shared payload is pointed at, not copied: a
  // further piece of a gathering write costs less than copying so much.
  static constexpr size_t kExternalBytes = 16384;

  OutputBuffer() = default;
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  // The three Append functions throw std::bad_alloc when there is no memory.
  // The buffer is unchanged then.

  // Copies `bytes` to the end.
  void Append(absl::string_view bytes);
  // Room for exactly `size` bytes at the end, in one piece, which the caller
  // fills before any other call.
  char* AppendUninitialized(size_t size) {
    if (static_cast<size_t>(chunk_.limit - chunk_.end) < size) {
      StartChunk(size);
    }
    char* const bytes = chunk_.end;
    chunk_.end += size;
    total_appended_ += size;
    return bytes;
  }
  // Appends a payload: pointed at and kept alive when it is large and not
  // borrowed, copied otherwise.
  void AppendPayload(Payload payload);

  // Bytes not yet consumed.
  size_t size() const {
    return static_cast<size_t>(total_appended_ - total_consumed_);
  }
  bool empty() const { return total_appended_ == total_consumed_; }
  // Bytes ever appended and ever consumed: a packet whose first byte was at
  // total_appended() == p has surely not left while total_consumed() <= p.
  uint64_t total_appended() const { return total_appended_; }
  uint64_t total_consumed() const { return total_consumed_; }

  // Fills `pieces` with the first pending pieces, in order; returns how many.
  // They stay valid until the next Consume or Clear.
  size_t Gather(absl::Span<absl::string_view> pieces) const;
  // Drops the first `bytes` pending bytes, which have been written; there must
  // be so many.
  void Consume(size_t bytes);
  // Drops everything pending (the connection is gone).
  void Clear();

  // Bytes of memory held, payloads pointed at not counted.
  size_t capacity() const { return capacity_; }
  // Bytes of all memory that is freed with this buffer: `capacity`, the records
  // of its pieces, and the payloads that it owns alone.
  size_t owned_bytes() const {
    return capacity_ + pieces_.capacity() * sizeof(Piece) + owned_payloads_;
  }
  // Bytes of shared payloads that this buffer keeps alive, perhaps together
  // with others. A payload counts once for each piece that points at it.
  size_t shared_bytes() const { return shared_payloads_; }

 private:
  // What packets are laid into, one behind the other.
  struct Chunk {
    std::unique_ptr<char[]> memory;
    char* begin = nullptr;  // first byte that no piece has and not consumed
    char* end = nullptr;
    char* limit = nullptr;

    size_t pending() const { return static_cast<size_t>(end - begin); }
    size_t capacity() const {
      return static_cast<size_t>(limit - memory.get());
    }
  };
  // A run of bytes before the chunk's: a payload pointed at, or a part of the
  // chunk that lies before such a payload, or all that was left of a chunk that
  // is full. The last one owns the chunk's memory: it is consumed last.
  struct Piece {
    absl::string_view bytes;
    Chunk chunk;
    Payload external;
  };

  // Begins a new chunk with room for `size` bytes.
  void StartChunk(size_t size);
  // Makes room for `count` more pieces, so that adding them can't fail.
  void ReservePieces(size_t count);
  // Drops the payload that `piece` points at, and counts it no more.
  void DropPayload(Piece& piece);
  // Everything has been consumed: memory is reused or given back.
  void Rewind();
  void Recycle(Chunk chunk);
  void FreeSpare();

  // Pending: the pieces from first_piece_ on, then the chunk's.
  std::vector<Piece> pieces_;
  size_t first_piece_ = 0;
  Chunk chunk_;
  // Kept for a burst's next chunk.
  Chunk spare_;
  size_t capacity_ = 0;  // of the chunks here and in the pieces
  // Bytes of the payloads that pieces point at.
  size_t owned_payloads_ = 0;
  size_t shared_payloads_ = 0;
  uint64_t total_appended_ = 0;
  uint64_t total_consumed_ = 0;
  // To see when a burst is over: how often everything had been consumed after
  // few bytes, and the bytes appended by then.
  int quiet_rewinds_ = 0;
  uint64_t appended_at_rewind_ = 0;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
