#include "gearman/tools/gearctl/load.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/no_room.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);

absl::Time Now() { return Clock::Real()->Now(); }

}  // namespace

absl::Status Load::Check(const LoadOptions& options) {
  if (options.duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--duration must not be negative");
  }
  if (options.duration == absl::ZeroDuration() && options.jobs < 1) {
    return absl::InvalidArgumentError("--jobs must be 1 at least");
  }
  if (options.in_flight < 1) {
    return absl::InvalidArgumentError("--in-flight must be 1 at least");
  }
  if (!(options.rate >= 0 && options.rate <= 1e9)) {
    return absl::InvalidArgumentError("--rate must be from 0 to 1e9");
  }
  return absl::OkStatus();
}

Load::Load(Client& client, LoadOptions options)
    : client_(client), options_(std::move(options)) {}

bool Load::Exhausted(absl::Time now) const {
  if (stopped_) return true;
  return options_.duration > absl::ZeroDuration()
             ? now - start_ >= options_.duration
             : result_.submitted >= options_.jobs;
}

bool Load::SubmitOne(absl::Time due) {
  JobSpec spec(options_.task, options_.data);
  spec.background = options_.background;
  // A callback can't wait for room, and a run must end when it is told to. A
  // request that finds no room calls no callback.
  spec.options.when_full = WhenFull::kDrop;
  spec.options.callbacks.on_complete = [this, due](const JobRequest& request) {
    OnEnd(request, due);
  };
  const JobRequest request = client_.SubmitJob(std::move(spec));
  if (!FoundNoRoom(request)) return true;
  absl::MutexLock lock(&mutex_);
  --under_way_;
  --result_.submitted;
  return false;
}

void Load::OnEnd(const JobRequest& request, absl::Time due) {
  const absl::Time now = Now();
  const absl::Status status = request.status();
  bool again = false;
  {
    absl::MutexLock lock(&mutex_);
    --under_way_;
    if (status.ok()) {
      ++result_.succeeded;
      result_.latencies.Add(now - due);
    } else if (!absl::IsCancelled(
                   status)) {  // not caused by the client's own end
      ++result_.failed;
      result_.first_failure.Update(status);
    }
    result_.elapsed = now - start_;
    // The next job takes its place at once. A wait for the next turn of the
    // driver would lower the load.
    again = options_.rate == 0 && !Exhausted(now);
    if (again) {
      ++under_way_;
      ++result_.submitted;
    }
  }
  if (again) SubmitOne(now);
}

absl::Time Load::SubmitDue(absl::Time now) {
  for (;;) {
    absl::Time due = now;
    {
      absl::MutexLock lock(&mutex_);
      if (Exhausted(now) || under_way_ >= options_.in_flight) {
        return absl::InfiniteFuture();
      }
      if (options_.rate > 0) {
        due = start_ + absl::Seconds(static_cast<double>(result_.submitted) /
                                     options_.rate);
        if (due > now) return due;
      }
      ++under_way_;
      ++result_.submitted;
    }
    // Room comes with an event of the client.
    if (!SubmitOne(due)) return absl::InfiniteFuture();
  }
}

LoadResult Load::Run(const std::function<void(int64_t done)>& on_progress) {
  start_ = Now();
  absl::Time next_progress = start_;
  for (;;) {
    const absl::Time now = Now();
    const absl::Time due = SubmitDue(now);
    {
      absl::MutexLock lock(&mutex_);
      const bool ended = under_way_ == 0 && Exhausted(now);
      if (ended || stopped_) return result_;
      if (now >= next_progress) {
        on_progress(result_.succeeded + result_.failed);
        next_progress = now + kProgressInterval;
      }
    }
    client_.RunOnce(std::min(due, next_progress));
  }
}

}  // namespace gearctl
}  // namespace gearman
