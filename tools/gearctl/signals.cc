#include "gearman/tools/gearctl/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace gearctl {
namespace {

absl::Time Now() { return Clock::Real()->Now(); }

int TakeSignal(int descriptor) {
  signalfd_siginfo info;
  const ssize_t size = read(descriptor, &info, sizeof info);
  return size == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

bool IsIgnored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 &&
         action.sa_handler == SIG_IGN;
}

// Leaves out ignored signals, because a signalfd would report them once they
// are blocked.
sigset_t HeldSignals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    if (!IsIgnored(signal)) sigaddset(&held, signal);
  }
  return held;
}

}  // namespace

Signals::Signals() : held_(HeldSignals()) {
  pthread_sigmask(SIG_BLOCK, &held_, nullptr);
  descriptor_.Reset(signalfd(-1, &held_, SFD_CLOEXEC | SFD_NONBLOCK));
  if (descriptor() < 0) GiveUp(absl::ErrnoToStatus(errno, "a signalfd"));
}

Signals::~Signals() = default;

void Signals::GiveUp(absl::Status why) {
  status_ = std::move(why);
  descriptor_.Close();
  pthread_sigmask(SIG_UNBLOCK, &held_, nullptr);
}

int Signals::WaitFor(absl::Duration limit) {
  const absl::Time deadline = Now() + limit;
  for (;;) {
    const absl::Duration left =
        std::max(deadline - Now(), absl::ZeroDuration());
    const timespec time = absl::ToTimespec(left);
    pollfd ready{descriptor(), POLLIN, 0};
    const bool forever = limit == absl::InfiniteDuration();
    const int count = ppoll(&ready, 1, forever ? nullptr : &time, nullptr);
    if (count == 0) return 0;
    if (const int signal = TakeSignal(descriptor()); signal != 0) return signal;
  }
}

bool Signals::Sleep(absl::Duration time,
                    const std::function<void()>& on_resize) {
  const absl::Time end = Now() + time;
  for (;;) {
    const int signal = WaitFor(end - Now());
    if (signal == 0) return true;
    if (AsksToEnd(signal)) return false;
    if (on_resize) on_resize();
  }
}

bool AsksToEnd(int signal) { return signal != 0 && signal != SIGWINCH; }

SignalThread::SignalThread(Signals& signals, std::function<void()> on_end,
                           std::function<void()> on_resize)
    : end_(eventfd(0, EFD_CLOEXEC)) {
  if (signals.descriptor() < 0) return;
  if (end_.get() < 0) {
    signals.GiveUp(absl::ErrnoToStatus(errno, "an eventfd"));
    return;
  }
  const absl::Status started = StartThread(
      "the thread that waits for signals",
      [descriptor = signals.descriptor(), end = end_.get(),
       on_end = std::move(on_end), on_resize = std::move(on_resize)] {
        pollfd ready[] = {{descriptor, POLLIN, 0}, {end, POLLIN, 0}};
        while (poll(ready, 2, -1) < 0 || ready[1].revents == 0) {
          const int signal = TakeSignal(descriptor);
          if (AsksToEnd(signal)) on_end();
          if (signal == SIGWINCH && on_resize) on_resize();
        }
      },
      &thread_);
  if (!started.ok()) signals.GiveUp(started);
}

SignalThread::~SignalThread() {
  if (!thread_.joinable()) return;
  eventfd_write(end_.get(), 1);
  thread_.join();
}

EndAtSignal::EndAtSignal(Signals& signals, ExitCode code,
                         std::function<void()> before_end,
                         std::function<void()> on_resize)
    : thread_(
          signals,
          [code, before_end = std::move(before_end)] {
            if (before_end) before_end();
            _exit(code);
          },
          std::move(on_resize)) {}

}  // namespace gearctl
}  // namespace gearman
