#include "gearman/sdk/embedded/passive_poller.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <new>
#include <utility>

namespace gearman {
namespace embedded {

class PassivePoller::KeyWaker final
    : public Waker,
      public std::enable_shared_from_this<KeyWaker> {
 public:
  KeyWaker(std::weak_ptr<Marks> marks, Key key)
      : marks_(std::move(marks)), key_(key) {}

  void Wake() override;

 private:
  friend class Marks;

  const std::weak_ptr<Marks> marks_;
  const Key key_;
  std::atomic<bool> marked_{false};
  // While it is marked: keeps this waker alive, and the one that was marked
  // before it. They belong to the thread that marks, then to the one that
  // takes.
  std::shared_ptr<KeyWaker> self_;
  KeyWaker* before_ = nullptr;
};

// The marked wakers: a list to which any thread adds without a lock, and which
// one thread takes as a whole.
class PassivePoller::Marks {
 public:
  ~Marks() {
    for (KeyWaker* waker = last_.load(); waker != nullptr;) {
      const std::shared_ptr<KeyWaker> self = std::move(waker->self_);
      waker = self->before_;
    }
  }
  void Add(KeyWaker* waker) {
    KeyWaker* before = last_.load(std::memory_order_relaxed);
    do {
      waker->before_ = before;
    } while (!last_.compare_exchange_weak(before, waker));
  }
  // Replaces `keys` by those of the marked wakers, in the order in which they
  // were marked. Throws std::bad_alloc, and all stay marked.
  void Take(std::vector<Key>* keys) {
    keys->clear();
    KeyWaker* const last = last_.exchange(nullptr);
    try {
      keys->reserve(CountFrom(last));
    } catch (const std::bad_alloc&) {
      for (KeyWaker* waker = last; waker != nullptr;) {
        KeyWaker* const before = waker->before_;
        Add(waker);
        waker = before;
      }
      throw;
    }
    for (KeyWaker* waker = last; waker != nullptr;) {
      const std::shared_ptr<KeyWaker> self = std::move(waker->self_);
      keys->push_back(waker->key_);
      waker = waker->before_;
      // Takes the mark away before anybody looks at what it stands for.
      self->marked_.store(false);
    }
    std::reverse(keys->begin(), keys->end());
  }

 private:
  static size_t CountFrom(const KeyWaker* waker) {
    size_t count = 0;
    for (; waker != nullptr; waker = waker->before_) ++count;
    return count;
  }

  std::atomic<KeyWaker*> last_{nullptr};
};

void PassivePoller::KeyWaker::Wake() {
  if (marked_.exchange(true)) return;
  const std::shared_ptr<Marks> marks = marks_.lock();
  if (marks == nullptr) return;
  self_ = shared_from_this();
  marks->Add(this);
}

PassivePoller::PassivePoller(Clock* clock)
    : clock_(clock), marks_(std::make_shared<Marks>()) {}

PassivePoller::~PassivePoller() = default;

absl::Status PassivePoller::Watch(Key, const Interest& interest) {
  return interest.fd < 0 ? absl::OkStatus()
                         : absl::FailedPreconditionError(
                               "a passive poller can't watch a descriptor");
}

std::shared_ptr<Waker> PassivePoller::MakeWaker(Key key) {
  return std::make_shared<KeyWaker>(marks_, key);
}

void PassivePoller::Wait(absl::Time, std::vector<Key>* ready) {
  marks_->Take(ready);
}

}  // namespace embedded
}  // namespace gearman
