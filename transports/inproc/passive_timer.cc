#include "gearman/transports/inproc/passive_timer.h"

#include <utility>
#include <vector>

namespace gearman {
namespace {

int64_t ToNanos(absl::Time time) {
  if (time == absl::InfinitePast()) return INT64_MIN;
  if (time == absl::InfiniteFuture()) return INT64_MAX;
  const int64_t nanos = absl::ToUnixNanos(time);
  // Rounds up, because a thread that wakes up earlier would find nothing due.
  return nanos < INT64_MAX && absl::FromUnixNanos(nanos) < time ? nanos + 1
                                                                : nanos;
}

absl::Time ToTime(int64_t nanos) {
  if (nanos == INT64_MIN) return absl::InfinitePast();
  if (nanos == INT64_MAX) return absl::InfiniteFuture();
  return absl::FromUnixNanos(nanos);
}

}  // namespace

PassiveTimer::Watcher::Watcher(std::shared_ptr<PassiveTimer> timer,
                               std::shared_ptr<Waker> waker)
    : timer_(std::move(timer)), waker_(std::move(waker)) {}

PassiveTimer::Watcher::~Watcher() {
  absl::MutexLock lock(&timer_->mutex_);
  timer_->asleep_.erase(this);
}

absl::Time PassiveTimer::Watcher::Ask() {
  // A thread that sets an earlier time after this load sees `told_`.
  const int64_t time = timer_->time_.load();
  if (told_.load() == time) return ToTime(time);
  absl::MutexLock lock(&timer_->mutex_);
  const int64_t now = timer_->time_.load();
  told_.store(now);
  if (now == kWoken) {
    timer_->asleep_.erase(this);
  } else {
    timer_->asleep_.insert(this);
  }
  return ToTime(now);
}

void PassiveTimer::Set(absl::Time time) {
  const int64_t nanos = ToNanos(time);
  std::vector<std::shared_ptr<Waker>> to_wake;
  {
    absl::MutexLock lock(&mutex_);
    const bool earlier = nanos < time_.load();
    time_.store(nanos);
    if (!earlier) return;
    // Each watcher is woken at most once per Ask, so this costs O(1) for each
    // Ask.
    absl::flat_hash_set<Watcher*> asleep;
    asleep.swap(asleep_);
    for (Watcher* const watcher : asleep) {
      if (watcher->told_.load() <= nanos) {
        asleep_.insert(watcher);
      } else {
        watcher->told_.store(kWoken);
        to_wake.push_back(watcher->waker_);
      }
    }
  }
  for (const std::shared_ptr<Waker>& waker : to_wake) waker->Wake();
}

absl::Time PassiveTimer::Get() const { return ToTime(time_.load()); }

}  // namespace gearman
