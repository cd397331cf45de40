// ConnectionMemory: counts the bytes that one connection of the embedded job
// server holds. MemoryRanking: sums them for all connections. When the sum is
// over its limit, it finds the connection to close.
//
// Every call is O(1). Connections of similar size share a list, so the largest
// is found only to within a quarter of its size.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_CONNECTION_MEMORY_H_
#define GEARMAN_SDK_EMBEDDED_CONNECTION_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/byte_account.h"

namespace gearman {
namespace embedded {

struct RankTag;

class ConnectionMemory : public ListLink<RankTag> {
 public:
  // `account` counts all connections and must outlive this object.
  explicit ConnectionMemory(ByteAccount* account) : share_(account) {}

  // Sets the bytes held for input from the connection.
  void SetInput(size_t bytes) { input_ = bytes; }
  // Sets the bytes that wait to be written to the connection. `shared` are the
  // bytes of payloads that other connections may hold, too. CountedPayload
  // counts these in the account once. They count here so that a connection that
  // holds many of them ranks as large.
  void SetOutput(size_t owned, size_t shared) {
    output_ = owned;
    shared_ = shared;
  }
  // Sets the bytes of submissions that wait for jobs and of registered
  // functions.
  void SetSeat(size_t bytes) { seat_ = bytes; }

  // The sum of all of these.
  size_t bytes() const { return input_ + output_ + seat_ + shared_; }

 private:
  friend class MemoryRanking;

  ByteShare share_;
  size_t input_ = 0;
  size_t output_ = 0;
  size_t shared_ = 0;
  size_t seat_ = 0;
  // Index of the list that holds this object, while it is linked.
  size_t rank_ = 0;
  bool goes_ = false;
};

class MemoryRanking {
 public:
  // `limit`: bytes for all connections together; 0: no limit. `parent` may be
  // null.
  MemoryRanking(size_t limit, ByteAccount* parent)
      : limit_(limit), account_(parent) {}

  // Counts the bytes of all connections except those passed to LetGo, and of
  // their shared payloads.
  ByteAccount* account() { return &account_; }
  size_t limit() const { return limit_; }
  bool over() const { return limit_ > 0 && account_.bytes() > limit_; }

  // Ranks `memory`. Call this for a new object and whenever its bytes may have
  // changed. An object leaves the ranking when it is destroyed.
  void Note(ConnectionMemory& memory);
  // Returns the largest; null: there is none.
  ConnectionMemory* Largest();
  // Stops counting `memory`: its connection is about to be closed.
  void LetGo(ConnectionMemory& memory);

 private:
  // Four lists for each power of two.
  static constexpr size_t kRanks = 256;
  static size_t RankOf(size_t bytes);

  const size_t limit_;
  ByteAccount account_;
  std::array<IntrusiveList<ConnectionMemory, RankTag>, kRanks> ranks_;
  // One bit for each list. A clear bit means that the list is empty.
  std::array<uint64_t, kRanks / 64> occupied_{};
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_CONNECTION_MEMORY_H_
