// SimulatedPoller: readiness of in-process streams and of time, on the clock of
// a Simulation, which makes it. A wait lets the simulation's others go on.
//
// It watches no descriptors. Its functions that may be called by any thread
// are thread-safe; Wait belongs to the simulation's thread.
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
  // The simulation outlives its use.
  explicit SimulatedPoller(Simulation* simulation);
  ~SimulatedPoller() override;

  Clock* clock() override { return simulation_->clock(); }
  // UNIMPLEMENTED: a descriptor.
  absl::Status Watch(Key key, const Interest& interest) override;
  void Forget(Key key) override;
  std::shared_ptr<Waker> MakeWaker(Key key) override;
  void Defer(std::shared_ptr<DeferredTask> task) override;
  void RunDeferred() override;
  void Wait(absl::Time deadline, std::vector<Key>* ready) override;
  void Wake() override;

  // Somebody has something to do: a key is ready or a Wake is due.
  bool HasSomething();
  // The earliest deadline of a watched key.
  absl::Time NextDeadline();

 private:
  class Core;
  class KeyWaker;

  Simulation* const simulation_;
  // Shared with the wakers, which may outlive the poller.
  const std::shared_ptr<Core> core_;
  DeferredQueue deferred_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_SIMULATED_POLLER_H_
