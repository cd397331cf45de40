// Operation is anything that a client asks of a server and waits for: a
// submission, a status query or an echo.
//
// The lock of the operation's client guards it.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_OPERATION_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "gearman/sdk/internal/net/server.h"

namespace gearman {
namespace internal {

class ClientLinkSession;
class ClientSession;
class Waiter;
struct Operation;

// A server of a client. Requests know their servers by these.
using ClientServer = ServerOf<ClientLinkSession>;
using ClientServerPtr = ServerPtr<ClientLinkSession>;

// One waiter's interest in one operation. It is in the operation's list
// `waiters`.
struct WaitNode {
  Waiter* waiter = nullptr;
  // True: the waiter waits for acceptance only. The end counts as well.
  bool for_accepted = false;
  Operation* operation = nullptr;
  WaitNode* next = nullptr;
  WaitNode** previous = nullptr;  // the pointer to this node; null: in no list

  void LinkTo(Operation* operation);
  void Unlink();
};

struct Operation {
  enum class Kind : unsigned char { kJob, kStatusQuery, kEcho };

  explicit Operation(Kind kind) : kind(kind) {}

  // The waiters for this operation, in no order.
  WaitNode* waiters = nullptr;
  // The session whose reply queue or handle table has this operation, or null.
  // The session changes this field and the fields that depend on it.
  ClientSession* session = nullptr;
  union {
    // The first in the list of next_shared uses this field. While the reply is
    // due, it is the place in the session's reply queue. While to_dispatch is
    // true, it is the place in the tracker's list.
    uint64_t reply_number = 0;
    // The others (`behind`) use this field: the operation before in that list.
    Operation* previous_shared;
  };
  // The offset of its packet in the connection's stream.
  uint64_t packet_offset = 0;
  // The next operation that shares the same submission.
  Operation* next_shared = nullptr;
  // The server; null: none yet.
  ClientServerPtr server;
  // The server's address; empty: none yet.
  std::string server_name() const {
    return server == nullptr ? std::string() : server->name;
  }
  const Kind kind;
  // A reply is due, so the operation is in the reply queue.
  bool reply_due = false;
  // The tracker wants this request to be given to a server.
  bool to_dispatch = false;
  // The operation is in a list of next_shared, but not the first.
  bool behind = false;

  // Inserts the list that begins with `first` directly behind this operation.
  void InsertBehind(Operation* first) {
    Operation* last = first;
    while (last->next_shared != nullptr) last = last->next_shared;
    last->next_shared = next_shared;
    if (next_shared != nullptr) next_shared->previous_shared = last;
    next_shared = first;
    first->previous_shared = this;
    first->behind = true;
  }
  // Takes this operation out of its list. If it was the first, the operation
  // behind it becomes the first, takes over the place in the reply queue, and
  // is returned.
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

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_OPERATION_H_
