// Operation: whatever a client asked of a server and waits to hear of: a
// submission, a status query or an echo.
//
// Guarded by the lock of the client that it was given to.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_OPERATION_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <utility>

namespace gearman {
namespace internal {

class ClientSession;
class Waiter;
struct Operation;

// One waiter's interest in one operation, in the operation's list of them.
struct WaitNode {
  Waiter* waiter = nullptr;
  // Waits for acceptance only; finishing counts too.
  bool for_accepted = false;
  Operation* operation = nullptr;
  WaitNode* next = nullptr;
  WaitNode** previous = nullptr;  // what points at this; null: in no list

  void LinkTo(Operation* operation);
  void Unlink();
};

struct Operation {
  enum class Kind : unsigned char { kJob, kStatusQuery, kEcho };

  explicit Operation(Kind kind) : kind(kind) {}

  // What waits for it, in no order.
  WaitNode* waiters = nullptr;
  // The session whose reply queue or handle table it is in, else null. A
  // session and what it refers to change only through the session.
  ClientSession* session = nullptr;
  union {
    // Of the first in the list of next_shared: its place in the session's reply
    // queue while the reply is due. While to_dispatch is true: the place in the
    // tracker's list.
    uint64_t reply_number = 0;
    // Of the others (`behind`): the one before it.
    Operation* previous_shared;
  };
  // Where its packet begins in the connection's stream.
  uint64_t packet_offset = 0;
  // The next operation that shares the same submission.
  Operation* next_shared = nullptr;
  // Index of its server in the pool; -1: none yet.
  int server = -1;
  const Kind kind;
  // Its reply is due: it is in the reply queue.
  bool reply_due = false;
  // A request that the tracker wants to be given to a server.
  bool to_dispatch = false;
  // It is in a list of next_shared, and not the first.
  bool behind = false;

  // Puts the list that begins with `first` behind this.
  void InsertBehind(Operation* first) {
    Operation* last = first;
    while (last->next_shared != nullptr) last = last->next_shared;
    last->next_shared = next_shared;
    if (next_shared != nullptr) next_shared->previous_shared = last;
    next_shared = first;
    first->previous_shared = this;
    first->behind = true;
  }
  // Takes it out of its list. What was behind the first is the first then, and
  // is returned; its place in the reply queue is as this had it.
  Operation* LeaveShared() {
    Operation* const next = std::exchange(next_shared, nullptr);
    if (behind) {
      behind = false;
      previous_shared->next_shared = next;
      if (next != nullptr) next->previous_shared = previous_shared;
      return nullptr;
    }
    if (next != nullptr) {
      next->behind = false;
      next->reply_number = reply_number;
    }
    return next;
  }
};

inline void WaitNode::LinkTo(Operation* target) {
  operation = target;
  next = target->waiters;
  previous = &target->waiters;
  if (next != nullptr) next->previous = &next;
  target->waiters = this;
}

inline void WaitNode::Unlink() {
  if (previous == nullptr) return;
  *previous = next;
  if (next != nullptr) next->previous = previous;
  previous = nullptr;
  next = nullptr;
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_OPERATION_H_
