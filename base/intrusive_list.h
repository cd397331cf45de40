// IntrusiveList: a doubly linked list whose links live in its elements, so that
// linking allocates nothing and an element leaves in O(1) without the list.
//
//   struct Job : ListLink<struct HeldTag> {};
//   IntrusiveList<Job, HeldTag> held;
//
// An element is in at most one list for each tag, and is not owned by it. Not
// thread-safe.
#ifndef GEARMAN_BASE_INTRUSIVE_LIST_H_
#define GEARMAN_BASE_INTRUSIVE_LIST_H_

#include <cstddef>
#include <cstdint>

#include "gearman/base/cpp17.h"

namespace gearman {

// Counts the links that this thread has set or followed, so that tests can
// measure work. Always 0 when asserts are compiled out.
class ListSteps {
 public:
#ifdef NDEBUG
  static uint64_t count() { return 0; }
  static void Add() {}
#else
  static uint64_t count() { return steps_; }
  static void Add() { ++steps_; }

 private:
  static inline thread_local uint64_t steps_ = 0;
#endif
};

template <typename T, typename Tag>
class IntrusiveList;
template <typename T, typename Tag>
class ListWalker;

template <typename Tag>
class ListLink {
 public:
  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { Unlink(); }

  bool linked() const { return next_ != nullptr; }
  // Leaves its list, if it is in one.
  void Unlink() {
    if (next_ == nullptr) return;
    ListSteps::Add();
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = nullptr;
    previous_ = nullptr;
  }

 private:
  template <typename T, typename AnyTag>
  friend class IntrusiveList;
  template <typename T, typename AnyTag>
  friend class ListWalker;

  void InsertBefore(ListLink* other) {
    ListSteps::Add();
    next_ = other;
    previous_ = other->previous_;
    previous_->next_ = this;
    other->previous_ = this;
  }

  ListLink* next_ = nullptr;
  ListLink* previous_ = nullptr;
};

template <typename T, typename Tag>
class IntrusiveList {
 public:
  class iterator {
   public:
    explicit iterator(ListLink<Tag>* at) : at_(at) {}
    T& operator*() const { return static_cast<T&>(*at_); }
    T* operator->() const { return static_cast<T*>(at_); }
    iterator& operator++() {
      ListSteps::Add();
      at_ = at_->next_;
      return *this;
    }
    bool operator!=(const iterator& other) const { return at_ != other.at_; }

   private:
    ListLink<Tag>* at_;
  };

  IntrusiveList() {
    end_.next_ = &end_;
    end_.previous_ = &end_;
  }
  ~IntrusiveList() {
    while (!empty()) end_.next_->Unlink();
  }

  bool empty() const { return end_.next_ == &end_; }
  T& front() const { return static_cast<T&>(*end_.next_); }
  void PushBack(T& element) {
    static_cast<ListLink<Tag>&>(element).InsertBefore(&end_);
  }
  void PushFront(T& element) {
    static_cast<ListLink<Tag>&>(element).InsertBefore(end_.next_);
  }

  // The element under an iterator must not leave while it is there.
  iterator begin() { return iterator(end_.next_); }
  iterator end() { return iterator(&end_); }

 private:
  friend class ListWalker<T, Tag>;

  // Both ends of the ring: it follows the last element and precedes the first.
  ListLink<Tag> end_;
};

// The link of an element in a list that may also hold walkers.
template <typename Tag>
class WalkedLink : public ListLink<Tag> {
 public:
  WalkedLink() = default;
  bool is_walker() const { return is_walker_; }

 private:
  template <typename T, typename AnyTag>
  friend class ListWalker;

  bool is_walker_ = false;
};

// A position in a list that stays valid when the list changes: elements may
// come and go between two calls of Next. The walker is linked into the list
// itself. While a walker is there, the list's iterators and front() must not be
// used. Every element must have a WalkedLink.
template <typename T, typename Tag>
class ListWalker : private WalkedLink<Tag> {
 public:
  ListWalker() { this->is_walker_ = true; }

  // Begins at the front of `list`.
  void Start(IntrusiveList<T, Tag>* list) {
    this->Unlink();
    end_ = &list->end_;
    this->InsertBefore(end_->next_);
  }
  // Returns the next element; null: there is none, or the list is gone. Adds
  // the number of links that it has passed to `*steps`.
  T* Next(size_t* steps) {
    while (this->linked()) {
      ListLink<Tag>* const next = this->next_;
      if (next == end_) {
        this->Unlink();
        return nullptr;
      }
      ++*steps;
      this->Unlink();
      this->InsertBefore(next->next_);
      auto* const link = static_cast<WalkedLink<Tag>*>(next);
      if (!link->is_walker()) return static_cast<T*>(link);
    }
    return nullptr;
  }

 private:
  ListLink<Tag>* end_ = nullptr;
};

}  // namespace gearman

#endif  // GEARMAN_BASE_INTRUSIVE_LIST_H_
