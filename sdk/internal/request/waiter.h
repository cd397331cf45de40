// Waiter is a thread that waits until all or one of a number of operations have
// been accepted or have finished.
//
// For a batch the waiter watches one operation at a time. When that operation
// has got there, the waiter looks at the others, one by one, until it finds one
// that has not. So each operation costs one look, and most are never watched.
//
// The client's lock guards a waiter and is the mutex of its condition variable.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_WAITER_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_WAITER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/internal/request/operation.h"

namespace gearman {
namespace internal {

class Waiter {
 public:
  enum class Until : unsigned char { kAll, kAny };

  // Has room for `capacity` operations. No more may be added.
  explicit Waiter(size_t capacity, Until until = Until::kAll) : until_(until) {
    nodes_.reserve(capacity);
  }
  // Waits for each operation that `next` returns, one after the other, until
  // `next` returns null. The thread that releases an operation calls `next`,
  // with the lock held. Everything that `next` refers to must outlive this
  // waiter.
  Waiter(absl::FunctionRef<Operation*()> next, bool for_accepted) : Waiter(1) {
    next_.emplace(next);
    if (Operation* const first = next()) Add(first, for_accepted);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { Abandon(); }

  // Waits for `operation`, too, until it is accepted (`for_accepted`) or
  // finished.
  void Add(Operation* operation, bool for_accepted) {
    WaitNode node;
    node.waiter = this;
    node.for_accepted = for_accepted;
    nodes_.push_back(node);
    nodes_.back().LinkTo(operation);
    if (until_ == Until::kAll || nodes_.size() == 1) ++remaining_;
  }
  // Stops waiting for the remaining operations. The caller holds the lock.
  void Abandon() {
    for (WaitNode& node : nodes_) node.Unlink();
    remaining_ = 0;
  }

  bool done() const { return remaining_ == 0; }

  // Counts the operation of `node`, which has been unlinked, as accepted or
  // finished.
  void CountDown(WaitNode* node) {
    if (next_.has_value()) {
      if (Operation* const next = (*next_)()) {
        node->LinkTo(next);
        return;
      }
    }
    if (remaining_ > 0 && --remaining_ == 0) Wake();
  }
  // Wakes the thread if it sleeps, so that it looks again.
  void Wake() { condition.Signal(); }

  absl::CondVar condition;

 private:
  const Until until_;
  std::optional<absl::FunctionRef<Operation*()>> next_;
  std::vector<WaitNode> nodes_;
  size_t remaining_ = 0;
};

// Tells the waiters of `operation` that it was accepted (`finished` false) or
// that it has finished.
inline void ReleaseWaiters(Operation* operation, bool finished) {
  WaitNode* node = operation->waiters;
  while (node != nullptr) {
    WaitNode* next = node->next;
    if (finished || node->for_accepted) {
      node->Unlink();
      node->waiter->CountDown(node);
    }
    node = next;
  }
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_WAITER_H_
