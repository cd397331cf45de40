// Waiter: a thread that waits until a number of operations, or one of them,
// have got somewhere.
//
// Guarded by the client's lock, which its condition variable is used with.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_WAITER_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_WAITER_H_

#include <cstddef>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gearman/sdk/internal/client/operation.h"

namespace gearman {
namespace internal {

class Waiter {
 public:
  enum class Until : unsigned char { kAll, kAny };

  // Room for `capacity` operations; no more may be added.
  explicit Waiter(size_t capacity, Until until = Until::kAll) : until_(until) {
    nodes_.reserve(capacity);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { Abandon(); }

  // Waits for `operation` too, until it is accepted or finished.
  void Add(Operation* operation, bool for_accepted) {
    WaitNode node;
    node.waiter = this;
    node.for_accepted = for_accepted;
    nodes_.push_back(node);
    nodes_.back().LinkTo(operation);
    if (until_ == Until::kAll || nodes_.size() == 1) ++remaining_;
  }
  // Stops waiting for what is left. Call it with the lock held.
  void Abandon() {
    for (WaitNode& node : nodes_) node.Unlink();
    remaining_ = 0;
  }

  bool done() const { return remaining_ == 0; }
  size_t remaining() const { return remaining_; }

  // One of its operations got there.
  void CountDown() {
    if (remaining_ > 0 && --remaining_ == 0) Wake();
  }
  // Makes the thread look again, if it sleeps.
  void Wake() { condition.Signal(); }

  absl::CondVar condition;

 private:
  const Until until_;
  std::vector<WaitNode> nodes_;
  size_t remaining_ = 0;
};

// Tells the waiters of `operation` that it was accepted (`finished` false), or
// that it is finished.
inline void ReleaseWaiters(Operation* operation, bool finished) {
  WaitNode* node = operation->waiters;
  while (node != nullptr) {
    WaitNode* next = node->next;
    if (finished || node->for_accepted) {
      node->Unlink();
      node->waiter->CountDown();
    }
    node = next;
  }
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_WAITER_H_
