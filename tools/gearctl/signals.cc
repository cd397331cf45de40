#include "gearman/tools/gearctl/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {
namespace {

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

}  // namespace

Signals::Signals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    // A signalfd would report one that is blocked and ignored.
    if (!IsIgnored(signal)) sigaddset(&held, signal);
  }
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
  descriptor_ = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

Signals::~Signals() { close(descriptor_); }

int Signals::WaitFor(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  for (;;) {
    const absl::Duration left =
        std::max(deadline - absl::Now(), absl::ZeroDuration());
    const timespec time = absl::ToTimespec(left);
    pollfd ready{descriptor_, POLLIN, 0};
    const bool forever = limit == absl::InfiniteDuration();
    const int count = ppoll(&ready, 1, forever ? nullptr : &time, nullptr);
    if (count == 0) return 0;
    if (const int signal = TakeSignal(descriptor_); signal != 0) return signal;
  }
}

bool Signals::Sleep(absl::Duration time,
                    const std::function<void()>& on_resize) {
  const absl::Time end = absl::Now() + time;
  for (;;) {
    const int signal = WaitFor(end - absl::Now());
    if (signal == 0) return true;
    if (AsksToEnd(signal)) return false;
    if (on_resize) on_resize();
  }
}

bool AsksToEnd(int signal) { return signal != 0 && signal != SIGWINCH; }

SignalThread::SignalThread(Signals& signals, std::function<void()> on_end,
                           std::function<void()> on_resize)
    : end_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([descriptor = signals.descriptor(), end = end_,
                         on_end = std::move(on_end),
                         on_resize = std::move(on_resize)] {
    pollfd ready[] = {{descriptor, POLLIN, 0}, {end, POLLIN, 0}};
    while (poll(ready, 2, -1) < 0 || ready[1].revents == 0) {
      const int signal = TakeSignal(descriptor);
      if (AsksToEnd(signal)) on_end();
      if (signal == SIGWINCH && on_resize) on_resize();
    }
  });
}

SignalThread::~SignalThread() {
  eventfd_write(end_, 1);
  thread_.join();
  close(end_);
}

}  // namespace gearctl
}  // namespace gearman
