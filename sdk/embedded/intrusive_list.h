// IntrusiveList: a doubly linked list whose links live in its elements, so that
// linking allocates nothing and an element leaves in O(1) without the list.
//
//   struct Job : ListLink<struct HeldTag> {};
//   IntrusiveList<Job, HeldTag> held;
//
// An element is in at most one list for each tag, and is not owned by it. Not
// thread-safe.
#ifndef GEARMAN_SDK_EMBEDDED_INTRUSIVE_LIST_H_
#define GEARMAN_SDK_EMBEDDED_INTRUSIVE_LIST_H_

namespace gearman {
namespace embedded {

template <typename T, typename Tag>
class IntrusiveList;

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
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = nullptr;
    previous_ = nullptr;
  }

 private:
  template <typename T, typename AnyTag>
  friend class IntrusiveList;

  void InsertBefore(ListLink* other) {
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
  T& front() { return static_cast<T&>(*end_.next_); }
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
  // Both ends of the ring: its link stands behind the last element.
  ListLink<Tag> end_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_INTRUSIVE_LIST_H_
