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
#include <deque>
#include <memory>

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

  // Copies `bytes` to the end.
  void Append(absl::string_view bytes);
  // Room for exactly `size` bytes at the end, which the caller fills before any
  // other call.
  char* AppendUninitialized(size_t size);
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
  // They stay valid until the next non-const call.
  size_t Gather(absl::Span<absl::string_view> pieces) const;
  // Drops the first `bytes` pending bytes, which have been written.
  void Consume(size_t bytes);
  // Drops everything pending (the connection is gone).
  void Clear();

  // Bytes of memory held, payloads pointed at not counted.
  size_t capacity() const;

 private:
  struct Piece {
    std::unique_ptr<char[]> memory;  // null: `external`
    size_t capacity = 0;
    size_t begin = 0;  // first byte not consumed
    size_t end = 0;
    Payload external;

    absl::string_view pending() const {
      return memory != nullptr
                 ? absl::string_view(memory.get() + begin, end - begin)
                 : external.view().substr(begin);
    }
  };

  // A last piece of own memory with room for `size` bytes.
  Piece& PieceWithRoom(size_t size);

  std::deque<Piece> pieces_;
  uint64_t total_appended_ = 0;
  uint64_t total_consumed_ = 0;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
