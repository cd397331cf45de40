// CallScope marks that a thread is in a call of an object (a client, a worker)
// that may run user code. If that code destroys the object, the object ends
// only when the outermost such call on this thread returns.
//
// A scope lives on the stack and costs two writes to thread-local memory.
#ifndef GEARMAN_SDK_INTERNAL_CALL_SCOPE_H_
#define GEARMAN_SDK_INTERNAL_CALL_SCOPE_H_

#include <functional>
#include <utility>

namespace gearman {
namespace internal {

class CallScope {
 public:
  // Declare the scope before anything of the object that the call uses, such as
  // a lock, because the scope's destructor may free the object.
  explicit CallScope(const void* object) : object_(object), outer_(current_) {
    current_ = this;
  }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  ~CallScope() {
    current_ = outer_;
    if (end_) std::exchange(end_, nullptr)();
  }

  // True if the calling thread is in a call of `object`.
  static bool IsInside(const void* object) {
    return Outermost(object) != nullptr;
  }
  // Runs `end` when the outermost call of `object` on this thread returns. The
  // thread must be in such a call.
  static void AtEnd(const void* object, std::function<void()> end) {
    Outermost(object)->end_ = std::move(end);
  }

 private:
  static CallScope* Outermost(const void* object) {
    CallScope* found = nullptr;
    for (CallScope* scope = current_; scope != nullptr; scope = scope->outer_) {
      if (scope->object_ == object) found = scope;
    }
    return found;
  }

  static inline thread_local CallScope* current_ = nullptr;

  const void* const object_;
  CallScope* const outer_;
  std::function<void()> end_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CALL_SCOPE_H_
