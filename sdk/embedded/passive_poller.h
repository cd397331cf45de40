// PassivePoller: the poller of an embedded server that has no thread. Streams
// mark their keys as ready, as with any poller. A thread that runs the server
// collects these keys.
//
// Thread-safe, except that one thread at a time may call Wait.
#ifndef GEARMAN_SDK_EMBEDDED_PASSIVE_POLLER_H_
#define GEARMAN_SDK_EMBEDDED_PASSIVE_POLLER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace embedded {

class PassivePoller final : public Poller {
 public:
  explicit PassivePoller(Clock* clock);
  ~PassivePoller() override;

  Clock* clock() override { return clock_; }
  // Only keys without a descriptor can be watched, and only their wakers tell
  // of them: what is ready already is the caller's to remember.
  absl::Status Watch(Key key, const Interest& interest) override;
  void Forget(Key) override {}
  std::shared_ptr<Waker> MakeWaker(Key key) override;
  // Nobody is pumped from here: the streams of a passive listener lead to
  // pollers that wait.
  void Defer(std::shared_ptr<DeferredTask>) override {}
  void RunDeferred() override {}
  // Replaces `ready` with the keys marked since the last call, forgotten ones
  // included. Does not wait.
  void Wait(absl::Time deadline, std::vector<Key>* ready) override;
  void Wake() override {}

 private:
  class Marks;
  class KeyWaker;

  Clock* const clock_;
  // Shared with the wakers, which may outlive the poller.
  const std::shared_ptr<Marks> marks_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_PASSIVE_POLLER_H_
