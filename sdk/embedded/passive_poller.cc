#include "gearman/sdk/embedded/passive_poller.h"

#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace gearman {
namespace embedded {

class PassivePoller::Marks {
 public:
  void Add(std::shared_ptr<KeyWaker> waker) {
    absl::MutexLock lock(&mutex_);
    marked_.push_back(std::move(waker));
  }
  void Take(std::vector<std::shared_ptr<KeyWaker>>* marked) {
    absl::MutexLock lock(&mutex_);
    marked_.swap(*marked);
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<KeyWaker>> marked_ ABSL_GUARDED_BY(mutex_);
};

class PassivePoller::KeyWaker final
    : public Waker,
      public std::enable_shared_from_this<KeyWaker> {
 public:
  KeyWaker(std::weak_ptr<Marks> marks, Key key)
      : marks_(std::move(marks)), key_(key) {}

  void Wake() override {
    if (marked_.exchange(true)) return;
    if (const std::shared_ptr<Marks> marks = marks_.lock()) {
      marks->Add(shared_from_this());
    }
  }
  // Takes the mark away, before what it stands for is looked at.
  Key Unmark() {
    marked_.store(false);
    return key_;
  }

 private:
  const std::weak_ptr<Marks> marks_;
  const Key key_;
  std::atomic<bool> marked_{false};
};

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
  marks_->Take(&taken_);
  ready->clear();
  for (const std::shared_ptr<KeyWaker>& waker : taken_) {
    ready->push_back(waker->Unmark());
  }
  taken_.clear();
}

}  // namespace embedded
}  // namespace gearman
