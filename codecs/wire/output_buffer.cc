#include "gearman/codecs/wire/output_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gearman {
namespace wire {
namespace {

// The first piece of a connection, and the largest of small packets: pieces
// double in between. What is larger holds one argument list or one payload.
constexpr size_t kFirstPieceBytes = 4096;
constexpr size_t kPieceBytes = 65536;

}  // namespace

OutputBuffer::Piece& OutputBuffer::PieceWithRoom(size_t size) {
  size_t capacity = kFirstPieceBytes;
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    if (last.memory != nullptr && last.capacity - last.end >= size) return last;
    // Idle memory that is too small is replaced.
    if (last.memory != nullptr && last.begin == last.end) {
      capacity = std::min(last.capacity * 2, kPieceBytes);
      pieces_.pop_back();
    } else {
      capacity = last.memory == nullptr
                     ? kPieceBytes
                     : std::min(last.capacity * 2, kPieceBytes);
    }
  }
  Piece piece;
  piece.capacity = std::max(capacity, size);
  piece.memory.reset(new char[piece.capacity]);
  pieces_.push_back(std::move(piece));
  return pieces_.back();
}

char* OutputBuffer::AppendUninitialized(size_t size) {
  Piece& piece = PieceWithRoom(size);
  char* bytes = piece.memory.get() + piece.end;
  piece.end += size;
  total_appended_ += size;
  return bytes;
}

void OutputBuffer::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(AppendUninitialized(bytes.size()), bytes.data(), bytes.size());
}

void OutputBuffer::AppendPayload(Payload payload) {
  const size_t size = payload.size();
  if (size < kExternalBytes || payload.borrowed()) {
    Append(payload.view());
    return;
  }
  Piece piece;
  piece.external = std::move(payload);
  pieces_.push_back(std::move(piece));
  total_appended_ += size;
}

size_t OutputBuffer::Gather(absl::Span<absl::string_view> pieces) const {
  size_t count = 0;
  for (const Piece& piece : pieces_) {
    if (count == pieces.size()) break;
    const absl::string_view pending = piece.pending();
    if (!pending.empty()) pieces[count++] = pending;
  }
  return count;
}

void OutputBuffer::Consume(size_t bytes) {
  total_consumed_ += bytes;
  while (bytes > 0) {
    Piece& piece = pieces_.front();
    const size_t pending = piece.pending().size();
    if (bytes < pending) {
      piece.begin += bytes;
      return;
    }
    bytes -= pending;
    // The last piece of ordinary size stays for what comes next.
    if (pieces_.size() == 1 && piece.memory != nullptr &&
        piece.capacity <= kPieceBytes) {
      piece.begin = 0;
      piece.end = 0;
      return;
    }
    pieces_.pop_front();
  }
}

void OutputBuffer::Clear() {
  pieces_.clear();
  total_consumed_ = total_appended_;
}

size_t OutputBuffer::capacity() const {
  size_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.capacity;
  return bytes;
}

}  // namespace wire
}  // namespace gearman
