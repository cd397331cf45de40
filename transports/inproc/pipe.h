// Pipe: one direction of an in-process stream. Small bytes are copied into a
// ring, and pieces lie between them whole. Not thread-safe.
#ifndef GEARMAN_TRANSPORTS_INPROC_PIPE_H_
#define GEARMAN_TRANSPORTS_INPROC_PIPE_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/inproc/byte_ring.h"
#include "gearman/transports/piece_stream.h"

namespace gearman {

class Pipe {
 public:
  // Holds up to `limit` bytes. Beside them it holds up to kMaxPieces pieces: it
  // takes the next one while those before it have less than kMaxPieces times
  // `limit` bytes. Their memory was there before, and a pipe that took one
  // large piece at a time would make its two ends wait for each other.
  explicit Pipe(size_t limit) : limit_(limit), ring_(limit) {}
  static constexpr size_t kMaxPieces = 16;

  bool empty() const { return ring_.empty() && pieces_.empty(); }
  // The bytes that may be appended. Where it is 0, no piece may be appended
  // either.
  size_t room() const {
    const bool takes_pieces =
        pieces_.size() < kMaxPieces && piece_bytes_ < kMaxPieces * limit_;
    return takes_pieces ? ring_.room() : 0;
  }

  // Appends as many of `bytes` as there is room for, and returns their number.
  size_t Push(absl::string_view bytes) {
    const size_t pushed = ring_.Push(bytes.substr(0, room()));
    if (!pieces_.empty()) after_pieces_ += pushed;
    return pushed;
  }
  // Appends a piece, whatever the room.
  void Push(Piece piece) {
    const size_t before = pieces_.empty() ? ring_.size() : after_pieces_;
    piece_bytes_ += piece.size();
    pieces_.push_back({std::move(piece), before});
    after_pieces_ = 0;
  }

  // Takes up to `into.size()` bytes from the front, and returns their number. A
  // call that has taken bytes stops before a piece, so that the reader may take
  // it whole.
  size_t Pop(absl::Span<char> into) {
    if (pieces_.empty()) return ring_.Pop(into);
    Entry& next = pieces_.front();
    if (next.bytes_before > 0) {
      const size_t count =
          ring_.Pop(into.subspan(0, std::min(into.size(), next.bytes_before)));
      next.bytes_before -= count;
      return count;
    }
    const absl::string_view rest = next.piece.view().substr(read_of_piece_);
    const size_t count = std::min(into.size(), rest.size());
    std::memcpy(into.data(), rest.data(), count);
    read_of_piece_ += count;
    piece_bytes_ -= count;
    if (count == rest.size()) DropPiece();
    return count;
  }
  // PieceStream::Take.
  bool Take(size_t bytes, Piece* piece) {
    if (pieces_.empty()) return false;
    Entry& next = pieces_.front();
    if (next.bytes_before > 0 || read_of_piece_ > 0 ||
        next.piece.size() != bytes) {
      return false;
    }
    *piece = std::move(next.piece);
    piece_bytes_ -= bytes;
    DropPiece();
    return true;
  }

 private:
  struct Entry {
    Piece piece;
    size_t bytes_before;  // in the ring, behind the piece before this one
  };

  void DropPiece() {
    pieces_.pop_front();
    read_of_piece_ = 0;
  }

  const size_t limit_;
  ByteRing ring_;
  std::deque<Entry> pieces_;
  size_t piece_bytes_ = 0;    // that were not read
  size_t read_of_piece_ = 0;  // of the first
  size_t after_pieces_ = 0;   // bytes in the ring behind the last piece
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_PIPE_H_
