// EpollPoller: the readiness and time of the machine. It sleeps in epoll or,
// while it watches no descriptor (only in-process streams), on a futex.
//
// Watch makes a system call only if the watched events of a descriptor change.
// Waking a poller that is not asleep makes no system call.
#ifndef GEARMAN_TRANSPORTS_EPOLL_POLLER_H_
#define GEARMAN_TRANSPORTS_EPOLL_POLLER_H_

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/transports/deferred_queue.h"
#include "gearman/transports/poller.h"

namespace gearman {

// In a child made by fork, a poller of the parent watches nothing: Watch
// returns FAILED_PRECONDITION, Wait returns at once, and the parent's epoll
// instance stays as it is.
class EpollPoller final : public Poller {
 public:
  // Returns RESOURCE_EXHAUSTED if no descriptor is left.
  static absl::StatusOr<std::unique_ptr<EpollPoller>> Create();
  // Makes a poller that an event loop of the program sleeps on: it has a
  // descriptor. A wake-up makes a system call even while no thread is in Wait.
  // examples/event_loop/event_loop.cc is such a program. The errors are those
  // of Create.
  static absl::StatusOr<std::unique_ptr<EpollPoller>> CreateForEventLoop();
  ~EpollPoller() override;

  Clock* clock() override { return Clock::Real(); }
  absl::Status Watch(Key key, const Interest& interest) override;
  void Forget(Key key) override;
  std::shared_ptr<Waker> MakeWaker(Key key) override;
  void Defer(std::shared_ptr<DeferredTask> task) override;
  void RunDeferred() override;
  void Wait(absl::Time deadline, std::vector<Key>* ready) override;
  void Wake() override;
  int descriptor() const override;
  absl::Time NextWait() override;

 private:
  class Core;
  class KeyWaker;

  explicit EpollPoller(std::shared_ptr<Core> core);
  static absl::StatusOr<std::unique_ptr<EpollPoller>> Make(bool hosted);

  // The core is shared with the wakers, which may outlive the poller.
  const std::shared_ptr<Core> core_;
  DeferredQueue deferred_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_EPOLL_POLLER_H_
