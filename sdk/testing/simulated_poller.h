// SimulatedPoller: the readiness of in-process streams, and time, on the clock
// of the Simulation that makes it. During a wait the simulation's other
// participants go on.
//
// It watches no descriptors. The functions that any thread may call are
// thread-safe. Wait belongs to the simulation's thread.
#ifndef GEARMAN_SDK_TESTING_SIMULATED_POLLER_H_
#define GEARMAN_SDK_TESTING_SIMULATED_POLLER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/transports/deferred_queue.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace testing {

class SimulatedPoller final : public Poller {
 public:
  // The simulation must outlive the use of the poller.
  explicit SimulatedPoller(Simulation* simulation);
  ~SimulatedPoller() override;

  Clock* clock() override { return simulation_->clock(); }
  // Returns UNIMPLEMENTED for a descriptor.
  absl::Status Watch(Key key, const Interest& interest) override;
  void Forget(Key key) override;
  std::shared_ptr<Waker> MakeWaker(Key key) override;
  void Defer(std::shared_ptr<DeferredTask> task) override;
  void RunDeferred() override;
  void Wait(absl::Time deadline, std::vector<Key>* ready) override;
  void Wake() override;

  // Whether the participant has work: a key is ready or a Wake is due.
  bool HasSomething();
  // Returns the earliest deadline of a watched key.
  absl::Time NextDeadline();

 private:
  class Core;
  class KeyWaker;

  Simulation* const simulation_;
  // The core is shared with the wakers, which may outlive the poller.
  const std::shared_ptr<Core> core_;
  DeferredQueue deferred_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_SIMULATED_POLLER_H_
