#include "gearman/sdk/embedded/connection_memory.h"

#include "absl/numeric/bits.h"

namespace gearman {
namespace embedded {

size_t MemoryRanking::RankOf(size_t bytes) {
  if (bytes < 4) return bytes;
  const auto log2 = static_cast<size_t>(absl::bit_width(uint64_t{bytes})) - 1;
  return log2 * 4 + (bytes >> (log2 - 2) & 3);
}

void MemoryRanking::Note(ConnectionMemory& memory) {
  if (memory.goes_) return;
  memory.share_.Set(memory.input_ + memory.output_ + memory.seat_);
  const size_t rank = RankOf(memory.bytes());
  if (memory.linked()) {
    if (rank == memory.rank_) return;
    memory.Unlink();
  }
  memory.rank_ = rank;
  ranks_[rank].PushBack(memory);
  occupied_[rank / 64] |= uint64_t{1} << rank % 64;
}

ConnectionMemory* MemoryRanking::Largest() {
  for (size_t word = occupied_.size(); word-- > 0;) {
    while (occupied_[word] != 0) {
      const auto bit =
          static_cast<size_t>(absl::bit_width(occupied_[word])) - 1;
      auto& rank = ranks_[word * 64 + bit];
      if (!rank.empty()) return &rank.front();
      occupied_[word] &= ~(uint64_t{1} << bit);
    }
  }
  return nullptr;
}

void MemoryRanking::LetGo(ConnectionMemory& memory) {
  memory.goes_ = true;
  memory.Unlink();
  memory.share_.Set(0);
}

}  // namespace embedded
}  // namespace gearman
