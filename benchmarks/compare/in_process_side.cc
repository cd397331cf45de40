#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/sdk_load.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/benchmarks/condvar_hops.h"
#include "gearman/benchmarks/stack.h"

namespace gearman {
namespace benchmarks {
namespace {

class StackLoad final : public Load {
 public:
  StackLoad(absl::string_view scheme, const Workload& workload)
      : stack_(scheme, kTask), load_(&stack_.client(), workload) {}
  void Run(int jobs, const OnLatency& on_latency) override {
    load_.Run(jobs, on_latency);
  }

 private:
  Stack stack_;
  SdkLoad load_;
};

class HopsLoad final : public Load {
 public:
  void Run(int jobs, const OnLatency& on_latency) override {
    for (int job = 0; job < jobs; ++job) {
      const absl::Time begin = absl::Now();
      hops_.Two();
      if (on_latency) on_latency(job, absl::Now() - begin);
    }
  }

 private:
  CondvarHops hops_;
};

// Everything is in the client's process.
class InProcessSide : public Side {
 public:
  bool in_process() const override { return true; }
  void RunWorker(uint16_t /*port*/, const Workload& /*workload*/) override {
    Fail("there is no other process");
  }
};

class StackSide final : public InProcessSide {
 public:
  explicit StackSide(absl::string_view scheme) : scheme_(scheme) {}
  std::unique_ptr<Load> MakeLoad(uint16_t /*port*/,
                                 const Workload& workload) override {
    return std::make_unique<StackLoad>(scheme_, workload);
  }

 private:
  const std::string scheme_;
};

class TwoHopsSide final : public InProcessSide {
 public:
  std::unique_ptr<Load> MakeLoad(uint16_t /*port*/,
                                 const Workload& /*workload*/) override {
    return std::make_unique<HopsLoad>();
  }
};

}  // namespace

std::unique_ptr<Side> MakeInProcessSide(absl::string_view scheme) {
  return std::make_unique<StackSide>(scheme);
}

std::unique_ptr<Side> MakeTwoHopsSide() {
  return std::make_unique<TwoHopsSide>();
}

}  // namespace benchmarks
}  // namespace gearman
