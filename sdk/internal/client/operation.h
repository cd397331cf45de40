// Operation: whatever a client asked of a server and waits to hear of: a
// submission, a status query or an echo.
//
// Guarded by the lock of the client that it was given to.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_OPERATION_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_OPERATION_H_

#include <cstddef>
#include <cstdint>

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
  // Its place in the session's reply queue while the reply is due.
  uint64_t reply_number = 0;
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
