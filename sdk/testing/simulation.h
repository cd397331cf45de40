// Simulation: clients, workers and job servers in one thread on a virtual
// clock, so that hours pass in milliseconds and a run is made by its seed.
//
//   testing::Simulation simulation(/*seed=*/42);
//   JobServerOptions server_options;
//   server_options.poller = simulation.MakePoller("server").get();
//   ...                                     // Listen on inproc://jobs
//   simulation.Drive("server", [&] {
//     server->RunOnce(absl::InfinitePast()).IgnoreError();
//     return absl::InfiniteFuture();
//   });
//   WorkerOptions worker_options;
//   worker_options.poller = simulation.MakePoller("worker");
//   ...
//   simulation.Drive("worker", [&] {
//     return worker->RunOnce(absl::InfinitePast());
//   });
//   // A client with DriveMode::kCallerOnly may simply be called: while it
//   // waits, the others go on.
//   client->Run("reverse", "hello");
//
// Each participant has a poller of its own (SimulatedPoller), which knows only
// in-process streams and time. Of those who can do something the seed chooses
// who goes next; when nobody can, the clock moves on to the next moment at
// which somebody will. So a run depends on nothing but the seed and the code.
//
// Not thread-safe: everything happens on the thread that uses it. Participants
// must not wait in their steps (give RunOnce a past deadline), but a handler or
// callback may call a client that waits: the others go on meanwhile.
#ifndef GEARMAN_SDK_TESTING_SIMULATION_H_
#define GEARMAN_SDK_TESTING_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace testing {

class SimulatedPoller;

class Simulation {
 public:
  // Makes one step of a participant without waiting, and returns when it wants
  // to be called again though nothing happens on its poller.
  using Step = std::function<absl::Time()>;

  explicit Simulation(uint64_t seed);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  FakeClock* clock() { return &clock_; }
  absl::Time now() { return clock_.Now(); }
  // For whatever else is random in the run.
  std::mt19937_64& random() { return random_; }
  // A seed for a participant's own generator (ClientOptions::random_seed).
  uint64_t NewSeed() { return random_(); }

  // A poller for one participant, called `name`. May outlive the simulation,
  // but not be used then.
  std::shared_ptr<Poller> MakePoller(absl::string_view name);
  // Lets the participant whose poller has this name take part. A name without a
  // poller is driven by time alone. A second call replaces the step.
  void Drive(absl::string_view name, Step step);
  // The participant takes part no longer (it crashed); its poller stays.
  void Stop(absl::string_view name);

  // Goes on until `done` (asked between two steps), for at most `limit` of
  // virtual time. False: the limit was reached, or failure() has something.
  bool RunUntil(absl::FunctionRef<bool()> done,
                absl::Duration limit = absl::Hours(24));
  // Goes on for so long.
  void RunFor(absl::Duration time);

  // What went wrong with the run itself, empty if nothing: somebody made a
  // million steps without time passing.
  const std::string& failure() const { return failure_; }
  // Steps made so far.
  uint64_t steps() const { return steps_; }
  // A number that depends on every step made: who and when. Two runs of one
  // seed have the same.
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  friend class SimulatedPoller;

  struct Participant {
    std::string name;
    std::weak_ptr<SimulatedPoller> poller;
    Step step;
    // When it wants to be called though nothing happens.
    absl::Time next = absl::InfinitePast();
    bool stepping = false;
  };

  Participant* Find(absl::string_view name);
  static bool CanStep(const Participant& participant, absl::Time now);
  // Lets one of those who can do something make a step. False: nobody can.
  bool StepAnyone();
  // When somebody can, at the latest.
  absl::Time NextMoment();
  // For a poller whose owner waits: the others go on, or time does, until it
  // has something or `deadline` has come.
  void WaitFor(SimulatedPoller* poller, absl::Time deadline);
  // The test has called somebody in between: everybody looks again.
  void LookAgain();

  FakeClock clock_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Participant>> participants_;
  uint64_t steps_ = 0;
  uint64_t fingerprint_ = 0;
  int steps_at_this_moment_ = 0;
  std::string failure_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_SIMULATION_H_
