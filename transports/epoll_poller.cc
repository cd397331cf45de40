#include "gearman/transports/epoll_poller.h"

#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/descriptor.h"
#include "gearman/process/process_mark.h"
#include "gearman/transports/wake_batch.h"

namespace gearman {
namespace {

// The key of the poller's own event descriptor.
constexpr Poller::Key kWakeKey = std::numeric_limits<Poller::Key>::max();
constexpr int kMaxEvents = 256;

uint32_t EventsOf(const Interest& interest) {
  uint32_t events = 0;
  if (interest.read) events |= EPOLLIN | EPOLLRDHUP;
  if (interest.write) events |= EPOLLOUT;
  return events;
}

// Sleeps until an event or the deadline. Returns the number of events.
int WaitForEvents(int epoll_fd, absl::Duration timeout, epoll_event* events) {
  if (timeout == absl::InfiniteDuration()) {
    return epoll_wait(epoll_fd, events, kMaxEvents, -1);
  }
  if (timeout <= absl::ZeroDuration()) {
    return epoll_wait(epoll_fd, events, kMaxEvents, 0);
  }
  // The kernel waits with nanosecond precision from version 5.11 on. A
  // container's filter that does not know the call may refuse it with EPERM.
  // Without the call the timeout is rounded up, because a wait that ends early
  // would have to be repeated.
  static std::atomic<bool> has_pwait2{true};
  if (has_pwait2.load(std::memory_order_relaxed)) {
    const timespec precise = absl::ToTimespec(timeout);
    const int count =
        epoll_pwait2(epoll_fd, events, kMaxEvents, &precise, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    has_pwait2.store(false, std::memory_order_relaxed);
  }
  const int64_t ms = std::min<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))),
      std::numeric_limits<int>::max());
  return epoll_wait(epoll_fd, events, kMaxEvents, static_cast<int>(ms));
}

// Sleeps until `word` differs from `expected`, until another thread wakes this
// one, or for `timeout`. May also return without a reason.
void FutexWait(std::atomic<uint32_t>* word, uint32_t expected,
               absl::Duration timeout) {
  timespec precise;
  timespec* until = nullptr;
  if (timeout != absl::InfiniteDuration()) {
    precise = absl::ToTimespec(timeout);
    until = &precise;
  }
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, until, nullptr, 0);
}

void FutexWake(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) &&
                  std::atomic<uint32_t>::is_always_lock_free,
              "the kernel looks at it");

}  // namespace

class EpollPoller::Core final : public Sleeper {
 public:
  // `hosted`: an event loop of the program sleeps between two Waits.
  Core(Descriptor epoll_fd, Descriptor event_fd, bool hosted)
      : epoll_fd_(std::move(epoll_fd)),
        event_fd_(std::move(event_fd)),
        hosted_(hosted),
        bed_(hosted ? Bed::kEpoll : Bed::kNone),
        sleeping_(hosted),
        sleeping_until_(hosted ? absl::InfiniteFuture()
                               : absl::InfinitePast()) {}

  // The descriptor that a host sleeps on, or -1.
  int descriptor() const { return hosted_ ? epoll_fd_.get() : -1; }

  // True in a child made by fork: nothing is watched, and the lock may stay
  // locked forever.
  bool inherited() const { return process_.inherited(); }

  absl::Status Watch(Key key, const Interest& interest) {
    if (inherited()) return InheritedError("poller");
    absl::MutexLock lock(&mutex_);
    Entry& entry = entries_[key];
    if (entry.interest == interest) return absl::OkStatus();
    absl::Status status = WatchDescriptor(key, entry.interest, interest);
    if (!status.ok()) return status;
    if (entry.interest.deadline != interest.deadline) {
      RemoveDeadline(key, entry.interest);
      if (interest.deadline != absl::InfiniteFuture()) {
        deadlines_.insert({interest.deadline, key});
        if (interest.deadline < sleeping_until_) WakeLocked();
      }
    }
    if (interest.ready_now) {
      ready_now_.insert(key);
      WakeLocked();
    } else if (entry.interest.ready_now) {
      ready_now_.erase(key);
    }
    entry.interest = interest;
    return absl::OkStatus();
  }

  void Forget(Key key) {
    if (inherited()) return;
    absl::MutexLock lock(&mutex_);
    const auto it = entries_.find(key);
    if (it == entries_.end()) return;
    const Interest& interest = it->second.interest;
    if (interest.fd >= 0) {
      // If the owner has closed the descriptor already, nothing is left to
      // remove.
      epoll_ctl(epoll_fd_.get(), EPOLL_CTL_DEL, interest.fd, nullptr);
      --descriptors_;
    }
    RemoveDeadline(key, interest);
    ready_now_.erase(key);
    entries_.erase(it);
  }

  // Makes it possible to mark this key.
  void Register(Key key) {
    if (inherited()) return;
    absl::MutexLock lock(&mutex_);
    entries_.emplace(key, Entry());
  }

  // Returns true if a thread sleeps and must be woken. The caller should then
  // hold no lock that the woken thread needs.
  bool Mark(Key key) {
    if (inherited()) return false;
    absl::MutexLock lock(&mutex_);
    const auto it = entries_.find(key);
    if (it == entries_.end() || it->second.marked) return false;
    it->second.marked = true;
    marked_.push_back(key);
    return std::exchange(sleeping_, false);
  }

  void Rouse() override { Signal(); }

  // Async-signal-safe: uses only atomics and a system call.
  void Wake() {
    const int saved_errno = errno;
    wake_requested_.store(true, std::memory_order_seq_cst);
    Signal();
    errno = saved_errno;
  }

  void Wait(absl::Time deadline, std::vector<Key>* ready) {
    ready->clear();
    if (inherited()) return;
    epoll_event events[kMaxEvents];
    int count = 0;
    uint32_t signals = 0;
    absl::MutexLock lock(&mutex_);
    const absl::Duration timeout = GoToBed(deadline, &signals);
    // Without a watched descriptor epoll has nothing to report, and a futex
    // wakes up faster. A host has to be told by the descriptor, which is
    // readable until epoll has reported why.
    const bool look = hosted_ || descriptors_ > 0;
    if (look || timeout > absl::ZeroDuration()) {
      mutex_.Unlock();
      if (look) {
        count = WaitForEvents(epoll_fd_.get(), timeout, events);
      } else {
        FutexWait(&signals_, signals, timeout);
      }
      mutex_.Lock();
    }
    bed_.store(hosted_ ? Bed::kEpoll : Bed::kNone, std::memory_order_relaxed);
    sleeping_ = false;
    sleeping_until_ = absl::InfinitePast();
    // The exchange, unlike a store, lets this thread see everything that
    // another thread did before it set the flag.
    wake_requested_.exchange(false, std::memory_order_seq_cst);
    for (int i = 0; i < count; ++i) {
      const Key key = events[i].data.u64;
      if (key != kWakeKey) Report(key, ready);
    }
    for (const Key key : marked_) Report(key, ready);
    for (const Key key : marked_) {
      const auto it = entries_.find(key);
      if (it != entries_.end()) it->second.marked = false;
    }
    marked_.clear();
    for (const Key key : ready_now_) Report(key, ready);
    if (!deadlines_.empty()) {
      const absl::Time now = Clock::Real()->Now();
      for (const auto& due : deadlines_) {
        if (due.first > now) break;
        Report(due.second, ready);
      }
    }
    for (const Key key : *ready) entries_[key].reported = false;
  }

  absl::Time NextWait() {
    if (inherited()) return absl::InfiniteFuture();
    absl::MutexLock lock(&mutex_);
    const absl::Time until = Due();
    if (hosted_ && until != absl::InfinitePast()) {
      sleeping_until_ = until;
      sleeping_ = true;
    }
    return until;
  }

  // Tells a host that sleeps.
  void WakeHost() {
    if (!hosted_ || inherited()) return;
    absl::MutexLock lock(&mutex_);
    WakeLocked();
  }

 private:
  struct Entry {
    Interest interest;
    bool marked = false;
    bool reported = false;  // already in the list that Wait makes
  };

  // Returns when there is something to report without an event of a
  // descriptor: InfinitePast if there is now, else the earliest deadline.
  absl::Time Due() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!marked_.empty() || !ready_now_.empty() ||
        wake_requested_.load(std::memory_order_seq_cst)) {
      return absl::InfinitePast();
    }
    return deadlines_.empty() ? absl::InfiniteFuture()
                              : deadlines_.begin()->first;
  }

  // Returns for how long Wait may sleep, and the signals so far.
  absl::Duration GoToBed(absl::Time deadline, uint32_t* signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    *signals = signals_.load(std::memory_order_seq_cst);
    // This store comes before the load of wake_requested_. A thread that sets
    // wake_requested_ loads bed_ after that, so one of the two sees the other.
    bed_.store(hosted_ || descriptors_ > 0 ? Bed::kEpoll : Bed::kFutex,
               std::memory_order_seq_cst);
    const absl::Time due = Due();
    if (due == absl::InfinitePast()) return absl::ZeroDuration();
    const absl::Time until = std::min(deadline, due);
    const absl::Duration timeout = until - Clock::Real()->Now();
    if (timeout > absl::ZeroDuration()) {
      sleeping_until_ = until;
      sleeping_ = true;
    }
    return timeout;
  }

  absl::Status WatchDescriptor(Key key, const Interest& before,
                               const Interest& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint32_t events = EventsOf(after);
    if (before.fd == after.fd && (after.fd < 0 || EventsOf(before) == events)) {
      return absl::OkStatus();
    }
    if (before.fd >= 0 && before.fd != after.fd) {
      epoll_ctl(epoll_fd_.get(), EPOLL_CTL_DEL, before.fd, nullptr);
      --descriptors_;
    }
    if (after.fd < 0) return absl::OkStatus();
    epoll_event event = {};
    event.events = events;
    event.data.u64 = key;
    const bool known = before.fd == after.fd;
    if (epoll_ctl(epoll_fd_.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
                  after.fd, &event) != 0) {
      const int error = errno;
      entries_[key].interest.fd = known ? after.fd : -1;
      return absl::Status(
          error == ENOSPC || error == ENOMEM
              ? absl::StatusCode::kResourceExhausted
              : absl::StatusCode::kInternal,
          absl::StrCat("descriptor ", after.fd,
                       " can't be watched: ", std::strerror(error)));
    }
    if (!known && ++descriptors_ == 1) WakeLocked();  // it sleeps on the futex
    return absl::OkStatus();
  }

  void RemoveDeadline(Key key, const Interest& interest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (interest.deadline != absl::InfiniteFuture()) {
      deadlines_.erase({interest.deadline, key});
    }
  }

  void Report(Key key, std::vector<Key>* ready)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto it = entries_.find(key);
    if (it == entries_.end() || it->second.reported) return;
    it->second.reported = true;
    ready->push_back(key);
  }

  void WakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!sleeping_) return;
    sleeping_ = false;  // one wake-up is enough
    Signal();
  }

  // Wakes the thread that sleeps in Wait or is about to. Async-signal-safe.
  void Signal() {
    switch (bed_.load(std::memory_order_seq_cst)) {
      case Bed::kNone:
        return;
      case Bed::kFutex:
        signals_.fetch_add(1, std::memory_order_seq_cst);
        return FutexWake(&signals_);
      case Bed::kEpoll: {
        // The descriptor is edge-triggered, so it need never be read. The write
        // fails only when the counter is at its end, after 2^64 wake-ups.
        const uint64_t one = 1;
        static_cast<void>(!write(event_fd_.get(), &one, sizeof(one)));
        return;
      }
    }
  }

  // Where Wait sleeps.
  enum class Bed : uint8_t { kNone, kFutex, kEpoll };

  const ProcessMark process_;
  const Descriptor epoll_fd_;
  const Descriptor event_fd_;
  const bool hosted_;
  std::atomic<bool> wake_requested_{false};
  std::atomic<Bed> bed_;
  std::atomic<uint32_t> signals_{0};  // the futex word
  absl::Mutex mutex_;
  absl::flat_hash_map<Key, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<std::pair<absl::Time, Key>> deadlines_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Key> ready_now_ ABSL_GUARDED_BY(mutex_);
  std::vector<Key> marked_ ABSL_GUARDED_BY(mutex_);
  int descriptors_ ABSL_GUARDED_BY(mutex_) = 0;
  // A thread sleeps in Wait, or a host may sleep outside of it, and no thread
  // has woken it yet.
  bool sleeping_ ABSL_GUARDED_BY(mutex_);
  absl::Time sleeping_until_ ABSL_GUARDED_BY(mutex_);
};

class EpollPoller::KeyWaker : public Waker {
 public:
  KeyWaker(std::weak_ptr<Core> core, Key key)
      : core_(std::move(core)), key_(key) {}
  void Wake() override {
    std::shared_ptr<Core> core = core_.lock();
    if (core != nullptr && core->Mark(key_)) WakeBatch::Rouse(std::move(core));
  }

 private:
  const std::weak_ptr<Core> core_;
  const Key key_;
};

absl::StatusOr<std::unique_ptr<EpollPoller>> EpollPoller::Create() {
  return Make(/*hosted=*/false);
}

absl::StatusOr<std::unique_ptr<EpollPoller>> EpollPoller::CreateForEventLoop() {
  return Make(/*hosted=*/true);
}

absl::StatusOr<std::unique_ptr<EpollPoller>> EpollPoller::Make(bool hosted) {
  const auto failed = [](absl::string_view what) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a poller can't be made: ", what, ": ", std::strerror(errno)));
  };
  Descriptor epoll_fd(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_fd.is_open()) return failed("epoll_create1");
  Descriptor event_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_fd.is_open()) return failed("eventfd");
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeKey;
  if (epoll_ctl(epoll_fd.get(), EPOLL_CTL_ADD, event_fd.get(), &event) != 0) {
    return failed("epoll_ctl");
  }
  return std::unique_ptr<EpollPoller>(new EpollPoller(std::make_shared<Core>(
      std::move(epoll_fd), std::move(event_fd), hosted)));
}

EpollPoller::EpollPoller(std::shared_ptr<Core> core) : core_(std::move(core)) {}

EpollPoller::~EpollPoller() = default;

absl::Status EpollPoller::Watch(Key key, const Interest& interest) {
  return core_->Watch(key, interest);
}

void EpollPoller::Forget(Key key) { core_->Forget(key); }

std::shared_ptr<Waker> EpollPoller::MakeWaker(Key key) {
  core_->Register(key);
  return std::make_shared<KeyWaker>(core_, key);
}

void EpollPoller::Defer(std::shared_ptr<DeferredTask> task) {
  if (core_->inherited()) return;
  deferred_.Add(std::move(task));
  core_->WakeHost();
}

void EpollPoller::RunDeferred() {
  if (core_->inherited()) return;
  deferred_.Run();
}

void EpollPoller::Wait(absl::Time deadline, std::vector<Key>* ready) {
  RunDeferred();
  core_->Wait(deadline, ready);
}

void EpollPoller::Wake() { core_->Wake(); }

int EpollPoller::descriptor() const { return core_->descriptor(); }

absl::Time EpollPoller::NextWait() {
  const absl::Time next = core_->NextWait();
  // This look comes after the one for the keys, so that a task that is queued
  // meanwhile is seen here or wakes the host.
  return deferred_.empty() ? next : absl::InfinitePast();
}

}  // namespace gearman
