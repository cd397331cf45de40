#include "gearman/process/descriptor.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace gearman {
namespace {

// The open descriptors, one bit each, in chunks that are made when first needed
// and then kept. There is no lock, because the child's handler could find it
// taken. Descriptors beyond the last chunk (4 Mi descriptors, four times
// Linux's default limit) stay open in a child.
constexpr size_t kBits = 64;
constexpr size_t kWordsOfChunk = 64;
constexpr size_t kChunks = 1024;

using Chunk = std::array<std::atomic<uint64_t>, kWordsOfChunk>;
std::array<std::atomic<Chunk*>, kChunks> chunks;

// Returns null beyond the last chunk, and if there is no memory.
std::atomic<uint64_t>* WordOf(int fd) {
  const size_t word = static_cast<size_t>(fd) / kBits;
  if (word / kWordsOfChunk >= kChunks) return nullptr;
  std::atomic<Chunk*>& place = chunks[word / kWordsOfChunk];
  Chunk* chunk = place.load(std::memory_order_acquire);
  if (chunk == nullptr) {
    auto* const made = new (std::nothrow) Chunk{};
    if (made == nullptr) return nullptr;
    if (place.compare_exchange_strong(chunk, made)) {
      chunk = made;
    } else {
      delete made;
    }
  }
  return &(*chunk)[word % kWordsOfChunk];
}

uint64_t BitOf(int fd) {
  return uint64_t{1} << (static_cast<size_t>(fd) % kBits);
}

}  // namespace

namespace internal {

void CloseInheritedDescriptors() {
  for (size_t i = 0; i < kChunks; ++i) {
    Chunk* const chunk = chunks[i].load(std::memory_order_acquire);
    if (chunk == nullptr) continue;
    for (size_t word = 0; word < kWordsOfChunk; ++word) {
      uint64_t bits = (*chunk)[word].exchange(0, std::memory_order_relaxed);
      while (bits != 0) {
        const int bit = __builtin_ctzll(bits);
        bits &= bits - 1;
        close(static_cast<int>((i * kWordsOfChunk + word) * kBits) + bit);
      }
    }
  }
}

}  // namespace internal

Descriptor::Descriptor(int fd) : fd_(fd) {
  if (fd_ < 0) return;
  if (std::atomic<uint64_t>* const word = WordOf(fd_)) {
    word->fetch_or(BitOf(fd_), std::memory_order_relaxed);
  }
}

void Descriptor::Close() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0 || mark_.inherited()) return;
  // The bit is cleared first, because after close another thread may get the
  // number.
  if (std::atomic<uint64_t>* const word = WordOf(fd)) {
    word->fetch_and(~BitOf(fd), std::memory_order_relaxed);
  }
  close(fd);
}

}  // namespace gearman
