// Waiter: a thread that waits until a number of operations, or one of them,
// have got somewhere.
//
// Of a batch it watches one operation at a time: each got there before it or
// is looked at later, so that waiting costs nothing for most of them, and one
// look each in all.
//
// Guarded by the client's lock, which its condition variable is used with.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_WAITER_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_WAITER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
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
  // Waits for each operation that `next` gives, one after the other, until it
  // gives none (null). `next` is called with the lock held, by whoever releases
  // the one before; what it refers to outlives this.
  Waiter(absl::FunctionRef<Operation*()> next, bool for_accepted) : Waiter(1) {
    next_.emplace(next);
    if (Operation* const first = next()) Add(first, for_accepted);
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

  // The operation of `node`, which has been unlinked, got there.
  void CountDown(WaitNode* node) {
    if (next_.has_value()) {
      if (Operation* const next = (*next_)()) {
        node->LinkTo(next);
        return;
      }
    }
    if (remaining_ > 0 && --remaining_ == 0) Wake();
  }
  // Makes the thread look again, if it sleeps.
  void Wake() { condition.Signal(); }

  absl::CondVar condition;

 private:
  const Until until_;
  std::optional<absl::FunctionRef<Operation*()>> next_;
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
      node->waiter->CountDown(node);
    }
    node = next;
  }
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_WAITER_H_
