#include "gearman/codecs/wire/output_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gearman/codecs/wire/spare_strings.h"

namespace gearman {
namespace wire {
namespace {

// The sizes of a connection's first chunk and of the largest that is reused.
// Sizes double in between. A larger chunk holds a single large payload that was
// copied.
constexpr size_t kFirstChunkBytes = 4096;
constexpr size_t kChunkBytes = 65536;
// A burst is over when everything has been consumed this many times before the
// first chunk was full.
constexpr int kQuietRewinds = 64;
// A body is read when at most so many pieces are before it. A write takes no
// more.
constexpr size_t kPiecesBeforeBody = 64;

}  // namespace

OutputBuffer::~OutputBuffer() {
  // Pieces may refer to a body, whose memory is this buffer's.
  for (Piece& piece : pieces_) DropBody(piece);
}

void OutputBuffer::ReservePieces(size_t count) {
  if (pieces_.capacity() - pieces_.size() >= count) return;
  pieces_.reserve(std::max(pieces_.size() + count, 2 * pieces_.capacity()));
}

void OutputBuffer::StartChunk(size_t size) {
  // All allocations come first, so that nothing has changed if one fails.
  const bool keeps_chunk = chunk_.memory != nullptr && !empty();
  if (keeps_chunk) ReservePieces(1);
  Chunk fresh;
  if (spare_.memory != nullptr && size <= kChunkBytes) {
    fresh = std::move(spare_);
    spare_ = Chunk();
  } else {
    const size_t capacity =
        std::max(size, chunk_.memory == nullptr
                           ? kFirstChunkBytes
                           : std::min(chunk_.capacity() * 2, kChunkBytes));
    fresh.memory.reset(new char[capacity]);
    fresh.begin = fresh.memory.get();
    fresh.end = fresh.begin;
    fresh.limit = fresh.begin + capacity;
    capacity_ += capacity;
  }
  if (keeps_chunk) {
    Piece& piece = pieces_.emplace_back();
    piece.bytes = absl::string_view(chunk_.begin, chunk_.pending());
    piece.chunk = std::move(chunk_);
  } else if (chunk_.memory != nullptr) {
    Recycle(std::move(chunk_));
  }
  chunk_ = std::move(fresh);
}

void OutputBuffer::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(AppendUninitialized(bytes.size()), bytes.data(), bytes.size());
}

void OutputBuffer::EndPieceOfChunk() {
  if (chunk_.pending() == 0) return;
  pieces_.emplace_back().bytes =
      absl::string_view(chunk_.begin, chunk_.pending());
  chunk_.begin = chunk_.end;
}

void OutputBuffer::AppendPayload(Payload payload) {
  const size_t size = payload.size();
  if (size < kExternalBytes || payload.borrowed()) {
    Append(payload.view());
    return;
  }
  ReservePieces(2);
  EndPieceOfChunk();
  owned_payloads_ += payload.owned_bytes();
  if (payload.is_shared()) shared_payloads_ += size;
  // A string of this length keeps its bytes in place when it is moved.
  Piece& piece = pieces_.emplace_back();
  piece.bytes = payload.view();
  piece.external = std::move(payload);
  total_appended_ += size;
}

void OutputBuffer::AppendWithBody(absl::string_view head,
                                  std::shared_ptr<OutgoingBody> body) {
  // A new chunk, the chunk's bytes, and the body.
  ReservePieces(3);
  Append(head);
  if (body->size() == 0) return;
  EndPieceOfChunk();
  total_appended_ += body->size();
  unread_ += body->left();
  pieces_.emplace_back().body = std::move(body);
}

absl::Status OutputBuffer::ReadBody(size_t* read) {
  const size_t end = std::min(pieces_.size(), first_piece_ + kPiecesBeforeBody);
  for (size_t i = first_piece_; i < end; ++i) {
    Piece& piece = pieces_[i];
    if (!piece.is_unread()) continue;
    if (!piece.bytes.empty()) break;
    OutgoingBody& body = *piece.body;
    const size_t memory = body.memory();
    const absl::StatusOr<absl::string_view> part = body.ReadPart();
    body_memory_ += body.memory() - memory;
    if (!part.ok()) return part.status();
    piece.bytes = *part;
    unread_ -= part->size();
    *read += part->size();
    break;
  }
  return absl::OkStatus();
}

void OutputBuffer::DropBody(Piece& piece) {
  if (piece.body == nullptr) return;
  body_memory_ -= piece.body->memory();
  piece.body->Release();
  piece.body = nullptr;
}

size_t OutputBuffer::FirstPending() const {
  size_t first = first_piece_;
  while (first < pieces_.size() && pieces_[first].bytes.empty() &&
         !pieces_[first].is_unread()) {
    ++first;
  }
  return first;
}

const Payload* OutputBuffer::front_payload() const {
  const size_t first = FirstPending();
  return first < pieces_.size() && pieces_[first].is_whole_payload()
             ? &pieces_[first].external
             : nullptr;
}

Payload OutputBuffer::TakeFrontPayload() {
  Piece& piece = pieces_[FirstPending()];
  const size_t size = piece.bytes.size();
  Payload payload = TakePayload(piece);
  Consume(size);
  return payload;
}

size_t OutputBuffer::Gather(absl::Span<absl::string_view> pieces,
                            bool stop_at_payload) const {
  size_t count = 0;
  for (size_t i = first_piece_; i < pieces_.size() && count < pieces.size();
       ++i) {
    if (stop_at_payload && pieces_[i].is_whole_payload()) {
      if (count == 0) pieces[count++] = pieces_[i].bytes;
      return count;
    }
    if (!pieces_[i].bytes.empty()) pieces[count++] = pieces_[i].bytes;
    if (pieces_[i].is_unread()) return count;
  }
  if (count < pieces.size() && chunk_.pending() > 0) {
    pieces[count++] = absl::string_view(chunk_.begin, chunk_.pending());
  }
  return count;
}

void OutputBuffer::Consume(size_t bytes) {
  total_consumed_ += bytes;
  while (first_piece_ < pieces_.size()) {
    Piece& piece = pieces_[first_piece_];
    if (bytes < piece.bytes.size()) {
      piece.bytes.remove_prefix(bytes);
      return;
    }
    bytes -= piece.bytes.size();
    if (piece.is_unread()) {
      piece.bytes = absl::string_view();
      return;
    }
    DropBody(piece);
    if (piece.chunk.memory != nullptr) Recycle(std::move(piece.chunk));
    Payload written = TakePayload(piece);
    if (spares_ != nullptr && written.owned_bytes() > 0) {
      spares_->Hold(std::move(written).TakeString());
    }
    ++first_piece_;
    // Consumed pieces are dropped together, so that moving the others costs
    // O(1) per piece.
    if (first_piece_ >= 16 && first_piece_ * 2 >= pieces_.size()) {
      pieces_.erase(pieces_.begin(),
                    pieces_.begin() + static_cast<ptrdiff_t>(first_piece_));
      first_piece_ = 0;
    }
  }
  chunk_.begin += bytes;
  if (empty()) Rewind();
}

Payload OutputBuffer::TakePayload(Piece& piece) {
  owned_payloads_ -= piece.external.owned_bytes();
  if (piece.external.is_shared()) {
    shared_payloads_ -= piece.external.size();
  }
  return std::exchange(piece.external, Payload());
}

void OutputBuffer::Clear() {
  for (size_t i = first_piece_; i < pieces_.size(); ++i) {
    if (pieces_[i].chunk.memory != nullptr)
      Recycle(std::move(pieces_[i].chunk));
    TakePayload(pieces_[i]);
    DropBody(pieces_[i]);
  }
  unread_ = 0;
  total_consumed_ = total_appended_;
  std::vector<Piece>().swap(pieces_);
  Rewind();
}

void OutputBuffer::Rewind() {
  pieces_.clear();
  first_piece_ = 0;
  chunk_.begin = chunk_.memory.get();
  chunk_.end = chunk_.begin;
  const bool quiet = total_appended_ - appended_at_rewind_ <= kFirstChunkBytes;
  appended_at_rewind_ = total_appended_;
  quiet_rewinds_ = quiet ? quiet_rewinds_ + 1 : 0;
  if (chunk_.capacity() > kChunkBytes) {
    Recycle(std::move(chunk_));
    chunk_ = Chunk();
  }
  if (quiet_rewinds_ < kQuietRewinds) return;
  quiet_rewinds_ = 0;
  FreeSpare();
  std::vector<Piece>().swap(pieces_);
  if (chunk_.capacity() > kFirstChunkBytes) {
    capacity_ -= chunk_.capacity();
    chunk_ = Chunk();
  }
}

void OutputBuffer::Recycle(Chunk chunk) {
  if (chunk.capacity() != kChunkBytes || spare_.memory != nullptr) {
    capacity_ -= chunk.capacity();
    return;
  }
  spare_ = std::move(chunk);
  spare_.begin = spare_.memory.get();
  spare_.end = spare_.begin;
}

void OutputBuffer::FreeSpare() {
  capacity_ -= spare_.capacity();
  spare_ = Chunk();
}

}  // namespace wire
}  // namespace gearman
