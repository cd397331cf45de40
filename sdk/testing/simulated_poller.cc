#include "gearman/sdk/testing/simulated_poller.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace gearman {
namespace testing {

// Ordered by key, because the seed must determine the order of ready keys.
class SimulatedPoller::Core {
 public:
  void Watch(Key key, const Interest& interest) {
    absl::MutexLock lock(&mutex_);
    entries_[key].interest = interest;
  }
  void Forget(Key key) {
    absl::MutexLock lock(&mutex_);
    entries_.erase(key);
  }
  void Register(Key key) {
    absl::MutexLock lock(&mutex_);
    entries_.emplace(key, Entry());
  }
  void Mark(Key key) {
    absl::MutexLock lock(&mutex_);
    const auto it = entries_.find(key);
    if (it != entries_.end()) it->second.marked = true;
  }
  void Wake() {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
  }
  bool HasSomething(absl::Time now) {
    absl::MutexLock lock(&mutex_);
    return woken_ || std::any_of(entries_.begin(), entries_.end(),
                                 [now](const auto& entry) {
                                   return entry.second.ReadyAt(now);
                                 });
  }
  absl::Time NextDeadline() {
    absl::MutexLock lock(&mutex_);
    absl::Time next = absl::InfiniteFuture();
    for (const auto& entry : entries_) {
      next = std::min(next, entry.second.interest.deadline);
    }
    return next;
  }
  void Take(absl::Time now, std::vector<Key>* ready) {
    absl::MutexLock lock(&mutex_);
    woken_ = false;
    ready->clear();
    for (auto& [key, entry] : entries_) {
      if (entry.ReadyAt(now)) ready->push_back(key);
      entry.marked = false;
    }
  }

 private:
  struct Entry {
    bool ReadyAt(absl::Time now) const {
      return marked || interest.ready_now || interest.deadline <= now;
    }
    Interest interest;
    bool marked = false;
  };

  absl::Mutex mutex_;
  std::map<Key, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

class SimulatedPoller::KeyWaker final : public Waker {
 public:
  KeyWaker(std::weak_ptr<Core> core, Key key)
      : core_(std::move(core)), key_(key) {}
  void Wake() override {
    if (const std::shared_ptr<Core> core = core_.lock()) core->Mark(key_);
  }

 private:
  const std::weak_ptr<Core> core_;
  const Key key_;
};

SimulatedPoller::SimulatedPoller(Simulation* simulation)
    : simulation_(simulation), core_(std::make_shared<Core>()) {}

SimulatedPoller::~SimulatedPoller() = default;

absl::Status SimulatedPoller::Watch(Key key, const Interest& interest) {
  if (interest.fd >= 0) {
    return absl::UnimplementedError(
        absl::StrCat("a simulated poller knows in-process streams only, and "
                     "not descriptor ",
                     interest.fd));
  }
  core_->Watch(key, interest);
  return absl::OkStatus();
}

void SimulatedPoller::Forget(Key key) { core_->Forget(key); }

std::shared_ptr<Waker> SimulatedPoller::MakeWaker(Key key) {
  core_->Register(key);
  return std::make_shared<KeyWaker>(core_, key);
}

void SimulatedPoller::Defer(std::shared_ptr<DeferredTask> task) {
  deferred_.Add(std::move(task));
}

void SimulatedPoller::RunDeferred() { deferred_.Run(); }

void SimulatedPoller::Wait(absl::Time deadline, std::vector<Key>* ready) {
  deferred_.Run();
  if (deadline > clock()->Now()) simulation_->WaitFor(this, deadline);
  core_->Take(clock()->Now(), ready);
}

void SimulatedPoller::Wake() { core_->Wake(); }

bool SimulatedPoller::HasSomething() {
  return core_->HasSomething(clock()->Now());
}

absl::Time SimulatedPoller::NextDeadline() { return core_->NextDeadline(); }

}  // namespace testing
}  // namespace gearman
