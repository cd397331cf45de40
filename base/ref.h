// Ref is a shared pointer of one word, to an object that counts its owners
// itself. Each of a million requests may have some, and std::shared_ptr takes
// two words.
//
// The count is atomic, so each thread may copy and destroy a Ref of its own.
// The count guards no other field of the object.
#ifndef GEARMAN_BASE_REF_H_
#define GEARMAN_BASE_REF_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "gearman/base/cpp17.h"

namespace gearman {
namespace internal {

// The base of objects that Ref points to.
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  template <typename T>
  friend class Ref;

  std::atomic<uint32_t> owners_{0};
};

template <typename T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT: null is a value, as of any pointer
  Ref(const Ref& other) : object_(other.object_) {
    if (object_ != nullptr) Count().fetch_add(1, std::memory_order_relaxed);
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  // Takes over a Ref to an object of a derived class. A class whose last Ref
  // may be one to a base needs a virtual destructor there.
  template <typename Derived,
            std::enable_if_t<std::is_base_of_v<T, Derived>, int> = 0>
  Ref(Ref<Derived> other)  // NOLINT: as any pointer to a base
      : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr &&
        Count().fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete object_;
    }
  }

  // Makes an object.
  template <typename... Args>
  static Ref Make(Args&&... args) {
    Ref made;
    made.object_ = new T(std::forward<Args>(args)...);
    made.Count().store(1, std::memory_order_relaxed);
    return made;
  }

  // Makes a further Ref to an object that has one.
  static Ref Share(T* object) {
    Ref shared;
    shared.object_ = object;
    shared.Count().fetch_add(1, std::memory_order_relaxed);
    return shared;
  }

  T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  // The number of Refs to the object. Other threads may change it at any time.
  // But if the caller knows this many Refs, no other thread has one, and the
  // number stays.
  uint32_t owners() const { return Count().load(std::memory_order_acquire); }

  friend bool operator==(const Ref& a, const Ref& b) {
    return a.object_ == b.object_;
  }
  friend bool operator!=(const Ref& a, const Ref& b) { return !(a == b); }
  template <typename H>
  friend H AbslHashValue(H state, const Ref& ref) {
    return H::combine(std::move(state), ref.object_);
  }

 private:
  template <typename Other>
  friend class Ref;

  std::atomic<uint32_t>& Count() const {
    return static_cast<Counted*>(object_)->owners_;
  }

  T* object_ = nullptr;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_BASE_REF_H_
