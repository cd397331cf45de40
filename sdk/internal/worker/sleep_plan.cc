#include "gearman/sdk/internal/worker/sleep_plan.h"

#include <algorithm>

namespace gearman {
namespace internal {
namespace {

// A NOOP that comes this soon after PRE_SLEEP says that work was waiting. If
// the grab then finds nothing, the server errs (in gearmand 1.1.20 a delayed
// job hides others) or other workers were faster. In the first case the worker
// would loop 6,000 times a second, so it rests, from 1 ms up to 100 ms.
constexpr absl::Duration kSoon = absl::Milliseconds(10);
constexpr absl::Duration kFirstRest = absl::Milliseconds(1);
constexpr absl::Duration kLongestRest = absl::Milliseconds(100);

// A worker skips the grabs of so many wake-ups in a row that are expected to
// bring no further job. If more work waits than expected, each skipped grab
// costs a round trip.
constexpr int kSkippedGrabs = 7;

// Far more than Prefetch asks for.
constexpr int kMaxWindow = 1 << 20;

}  // namespace

void SleepPlan::OnConnected(absl::Time now) {
  state_ = State::kAwake;
  since_ = now;
}

void SleepPlan::OnJob() {
  window_ = std::min(window_ + 1, kMaxWindow);
  jobs_since_wake_ = std::min(jobs_since_wake_ + 1, kMaxWindow);
}

bool SleepPlan::OnNoop(absl::Time now) {
  // A NOOP that comes while a grab is outstanding, or before sleep, says
  // nothing new.
  if (state_ != State::kAsleep) return false;
  if (now - since_ >= kSoon) vain_wakeups_ = 0;
  return WakeUp(/*by_noop=*/true);
}

bool SleepPlan::OnOffer() {
  if (ahead_ == Ahead::kSent) ahead_ = Ahead::kSentOld;
  return state_ != State::kConnecting && WakeUp(/*by_noop=*/false);
}

bool SleepPlan::WakeUp(bool by_noop) {
  const bool slept = state_ != State::kAwake;
  if (slept) {
    woken_by_noop_ = by_noop;
    jobs_since_wake_ = 0;
  }
  state_ = State::kAwake;
  resting_until_ = absl::InfiniteFuture();
  dry_ = false;
  if (ahead_ == Ahead::kFailed) ahead_ = Ahead::kNot;
  return slept;
}

int SleepPlan::wanted_grabs(const Work& work) const {
  if (ExpectsNoJob(work)) return SkipsGrab(work) ? 0 : 1;
  return std::max(0, window_ - work.outstanding);
}

void SleepPlan::OnDry() {
  vain_wakeups_ =
      woken_by_noop_ && jobs_since_wake_ == 0 ? vain_wakeups_ + 1 : 0;
  window_ = std::max(1, jobs_since_wake_);
  jobs_of_last_wake_ = jobs_since_wake_;
}

bool SleepPlan::OnSleptAhead(absl::Time now) {
  const bool grab_again = ahead_ == Ahead::kSentOld;
  if (!dry_) {
    // The server may take this worker for asleep until the grab that follows
    // the job. That grab also answers any NOOP that comes before.
    ahead_ = Ahead::kFailed;
    return false;
  }
  ahead_ = Ahead::kNot;
  skips_left_ = kSkippedGrabs;
  OnDry();
  Sleep(now);
  return grab_again && WakeUp(/*by_noop=*/false);
}

SleepPlan::Step SleepPlan::Sleep(absl::Time now) {
  state_ = State::kAsleep;
  since_ = now;
  resting_until_ = absl::InfiniteFuture();
  dry_ = false;
  stop_timer_ = false;
  return Step::kSleep;
}

SleepPlan::Step SleepPlan::Settle(const Work& work, absl::Time now) {
  if (state_ == State::kResting && now >= resting_until_) return Sleep(now);
  if (state_ != State::kAwake) return Step::kNone;
  if (stop_timer_ && work.held == 0) return Sleep(now);
  if (SkipsGrab(work)) {
    --skips_left_;
    OnDry();
    return Sleep(now);
  }
  if (!dry_) return Step::kNone;
  OnDry();
  if (vain_wakeups_ < 2) return Sleep(now);
  state_ = State::kResting;
  resting_until_ =
      now + std::min(kLongestRest,
                     kFirstRest * (1 << std::min(vain_wakeups_ - 2, 10)));
  return Step::kRest;
}

}  // namespace internal
}  // namespace gearman
