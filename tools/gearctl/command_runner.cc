#include "gearman/tools/gearctl/command_runner.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/tools/gearctl/child_process.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace gearctl {
namespace {

// The pauses between attempts while no command runs.
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(5);
// After this time a quarter more commands may run at once, and at least one
// more.
constexpr absl::Duration kGrowth = absl::Seconds(1);
// ChildProcess asks equally often whether it is stopped.
constexpr absl::Duration kAskEvery = absl::Milliseconds(50);
constexpr absl::Duration kSilence = absl::Seconds(30);

absl::Time Now() { return Clock::Real()->Now(); }

}  // namespace

CommandRunner::CommandRunner(ChildReaper* reaper, OnShortage on_shortage)
    : reaper_(reaper),
      on_shortage_(std::move(on_shortage)),
      pause_(kFirstPause) {}

absl::Status CommandRunner::Run(
    const ChildCommand& command, absl::string_view input,
    const std::function<absl::Status(std::string)>& on_output,
    const std::function<bool()>& stopped, bool* started) {
  for (;;) {
    if (!Enter(stopped)) return absl::CancelledError("stopped");
    absl::StatusOr<std::unique_ptr<ChildProcess>> child =
        absl::InternalError("not started");
    absl::Cleanup leave = [&] {
      if (child.ok()) child->reset();  // frees its descriptors, too
      Leave();
    };
    child = ChildProcess::Start(reaper_, command);
    if (child.ok()) {
      *started = true;
      OnStarted();
      return (*child)->Run(input, on_output, stopped);
    }
    if (!absl::IsResourceExhausted(child.status())) return child.status();
    std::move(leave).Cancel();
    OnRefused(child.status());
  }
}

bool CommandRunner::HasRoom() const {
  return running_ < limit_ && Now() >= not_before_;
}

bool CommandRunner::Enter(const std::function<bool()>& stopped) {
  for (;;) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(this, &CommandRunner::HasRoom),
                              kAskEvery);
      const absl::Time now = Now();
      if (now >= growth_) {
        growth_ = now + kGrowth;
        if (limit_ < std::numeric_limits<int64_t>::max() / 2) {
          limit_ += std::max<int64_t>(1, limit_ / 4);
        }
      }
      if (HasRoom()) {
        ++running_;
        return true;
      }
    }
    if (stopped()) return false;
  }
}

void CommandRunner::Leave() {
  absl::MutexLock lock(&mutex_);
  --running_;
}

void CommandRunner::OnStarted() {
  absl::MutexLock lock(&mutex_);
  pause_ = kFirstPause;
}

void CommandRunner::OnRefused(const absl::Status& status) {
  int64_t at_once;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = Now();
    --running_;
    limit_ = at_once = std::max<int64_t>(1, std::min(limit_, running_));
    growth_ = now + kGrowth;
    if (running_ == 0) {
      not_before_ = now + pause_;
      pause_ = std::min(2 * pause_, kLongestPause);
    }
    if (now < silent_until_) return;
    silent_until_ = now + kSilence;
  }
  on_shortage_(status, at_once);
}

}  // namespace gearctl
}  // namespace gearman
