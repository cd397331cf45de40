// ReplyQueue holds, in order, every command of one connection that earns a
// reply.
//
// A server answers one connection's commands strictly in order, and an ERROR
// takes a reply's place without naming the command. So commands of every kind
// that earn a reply are here. A command that nobody waits for any more leaves a
// tombstone. O(1) per call. Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_REPLY_QUEUE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_REPLY_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "gearman/sdk/internal/request/operation.h"

namespace gearman {
namespace internal {

enum class ExpectedReply : unsigned char {
  kJobCreatedForeground,
  kJobCreatedBackground,
  kStatus,        // STATUS_RES
  kJobKnown,      // STATUS_RES, for the session itself
  kStatusUnique,  // STATUS_RES_UNIQUE
  kEcho,
  kOption,
};

class ReplyQueue {
 public:
  struct Entry {
    // The operation that waits, linked by next_shared to the others that share
    // its submission. Null: a tombstone, an option,
    // or a question of the session itself.
    Operation* operation;
    ExpectedReply expected;
  };

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

  // Adds an entry and returns its number, which finds the entry in O(1).
  uint64_t Push(Operation* operation, ExpectedReply expected) {
    entries_.push_back({operation, expected});
    return first_number_ + entries_.size() - 1;
  }
  // The entry with `number`, which has not been popped.
  Entry& at(uint64_t number) { return entries_[number - first_number_]; }
  const Entry& front() const { return entries_.front(); }
  Entry Pop() {
    const Entry entry = entries_.front();
    entries_.pop_front();
    ++first_number_;
    return entry;
  }

 private:
  std::deque<Entry> entries_;
  uint64_t first_number_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_REPLY_QUEUE_H_
