// ConnectionMemory: the bytes that one connection of the embedded job server
// holds. MemoryRanking: their sum, its limit, and which connection is to go
// when the sum is beyond it.
//
// Every call is O(1): connections of nearly one size lie in one list, so that
// the largest is found to within a quarter of its size.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_CONNECTION_MEMORY_H_
#define GEARMAN_SDK_EMBEDDED_CONNECTION_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "gearman/codecs/byte_account.h"
#include "gearman/sdk/embedded/intrusive_list.h"

namespace gearman {
namespace embedded {

struct RankTag;

class ConnectionMemory : public ListLink<RankTag> {
 public:
  // `account`, of all connections, outlives this.
  explicit ConnectionMemory(ByteAccount* account) : share_(account) {}

  // Bytes of what is being read from it.
  void SetInput(size_t bytes) { input_ = bytes; }
  // Bytes of what waits to be written to it. `shared`: of payloads that other
  // connections may keep, too. They are in the account once (CountedPayload),
  // and here so that a connection that keeps many of them counts as large.
  void SetOutput(size_t owned, size_t shared) {
    output_ = owned;
    shared_ = shared;
  }
  // Bytes of submissions that wait for jobs, and of functions registered.
  void SetSeat(size_t bytes) { seat_ = bytes; }

  // All of them.
  size_t bytes() const { return input_ + output_ + seat_ + shared_; }

 private:
  friend class MemoryRanking;

  ByteShare share_;
  size_t input_ = 0;
  size_t output_ = 0;
  size_t shared_ = 0;
  size_t seat_ = 0;
  // The list that it is in, while it is in one.
  size_t rank_ = 0;
  bool goes_ = false;
};

class MemoryRanking {
 public:
  // `limit`: bytes of all connections; 0: none. `parent` may be null.
  MemoryRanking(size_t limit, ByteAccount* parent)
      : limit_(limit), account_(parent) {}

  // Of all connections, but for those that go.
  ByteAccount* account() { return &account_; }
  size_t limit() const { return limit_; }
  bool over() const { return limit_ > 0 && account_.bytes() > limit_; }

  // The bytes of `memory` may have changed, or it is new. It leaves by itself
  // when it is destroyed.
  void Note(ConnectionMemory& memory);
  // The largest; null: there is none.
  ConnectionMemory* Largest();
  // Its connection is about to be closed: it counts no more.
  void LetGo(ConnectionMemory& memory);

 private:
  // Four lists for each power of two.
  static constexpr size_t kRanks = 256;
  static size_t RankOf(size_t bytes);

  const size_t limit_;
  ByteAccount account_;
  std::array<IntrusiveList<ConnectionMemory, RankTag>, kRanks> ranks_;
  // A bit for each list that may hold something.
  std::array<uint64_t, kRanks / 64> occupied_{};
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_CONNECTION_MEMORY_H_
