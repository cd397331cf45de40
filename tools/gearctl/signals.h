// Turns Ctrl-C and other signals into events.
#ifndef GEARMAN_TOOLS_GEARCTL_SIGNALS_H_
#define GEARMAN_TOOLS_GEARCTL_SIGNALS_H_

#include <signal.h>

#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/tools/gearctl/descriptor.h"
#include "gearman/tools/gearctl/exit_code.h"

namespace gearman {
namespace gearctl {

// Holds back SIGINT, SIGTERM, SIGHUP and SIGWINCH, for the calling thread and
// for threads that it starts later. Make it before any other thread, and only
// when a Ctrl-C need not end the program at once any more. Signals that the
// program was started to ignore (by nohup or a script's "&") stay ignored.
//
// If the system refuses the descriptors or the thread, signals end the program
// at once, as they do by default. A program that must not end in that way
// checks `status`.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Waits for one of these signals and returns it. 0: `limit` passed first.
  int WaitFor(absl::Duration limit);
  // Waits for `time`, and calls `on_resize`, if given, for each SIGWINCH.
  // Returns false at once if another signal asks to end.
  bool Sleep(absl::Duration time,
             const std::function<void()>& on_resize = nullptr);
  // Readable when a signal has come. -1: signals end the program at once.
  int descriptor() const { return descriptor_.get(); }
  // Not OK: the reason why signals end the program at once.
  const absl::Status& status() const { return status_; }
  // Stops holding signals back, because of the error `why`. Call it on the
  // thread that made this object.
  void GiveUp(absl::Status why);

 private:
  const sigset_t held_;
  Descriptor descriptor_;
  absl::Status status_;
};

// True for all signals but SIGWINCH, which asks to draw again.
bool AsksToEnd(int signal);

// A thread that calls `on_end` for each signal that asks to end, and
// `on_resize`, if given, for each SIGWINCH. If the system refuses the thread,
// `signals` gives up.
class SignalThread {
 public:
  SignalThread(Signals& signals, std::function<void()> on_end,
               std::function<void()> on_resize = nullptr);
  // Waits for a running call.
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  const Descriptor end_;  // an eventfd
  std::thread thread_;
};

// While it lives, a signal that asks to end ends the program at once, with the
// exit code `code`, after a call of `before_end` on another thread. It is for
// waits that can't be ended otherwise and whose result nobody would use.
class EndAtSignal {
 public:
  EndAtSignal(Signals& signals, ExitCode code,
              std::function<void()> before_end = nullptr,
              std::function<void()> on_resize = nullptr);

 private:
  const SignalThread thread_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SIGNALS_H_
