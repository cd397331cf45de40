// Simulation: clients, workers and job servers on one thread and on a virtual
// clock. Hours pass in milliseconds, and a seed determines the whole run.
//
//   testing::Simulation simulation(/*seed=*/42);
//   JobServerOptions server_options;
//   auto server_poller = simulation.MakePoller("server");
//   server_options.poller = server_poller.get();
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
// Each participant has a poller (SimulatedPoller), which knows only in-process
// streams and time. The seed chooses the next participant among those that have
// work. If none has work, the clock moves to the next moment at which one will.
// So a run depends only on the seed and the code.
//
// A simulation is not thread-safe: everything happens on the thread that uses
// the simulation. Participants must not wait in their steps (give RunOnce a
// past deadline), but a handler or callback may call a client that waits: the
// others go on meanwhile.
#ifndef GEARMAN_SDK_TESTING_SIMULATION_H_
#define GEARMAN_SDK_TESTING_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace testing {

class SimulatedPoller;

class Simulation {
 public:
  // Makes one step of a participant without waiting. Returns the time of the
  // participant's next timer.
  using Step = Callback<absl::Time()>;

  // Makes a simulation whose run `seed` determines.
  explicit Simulation(uint64_t seed);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // The virtual clock, which lives as long as the simulation, and its time.
  FakeClock* clock() { return &clock_; }
  absl::Time now() { return clock_.Now(); }
  // The generator for everything else that is random in the run.
  std::mt19937_64& random() { return random_; }
  // Returns a seed for a participant's own generator
  // (ClientOptions::random_seed).
  uint64_t NewSeed() { return random_(); }

  // Makes the poller of the participant `name`. The poller may outlive the
  // simulation, but must not be used then.
  std::shared_ptr<Poller> MakePoller(absl::string_view name);
  // Adds the participant whose poller has this name. If there is no such
  // poller, only time drives the participant. A second call replaces the step.
  void Drive(absl::string_view name, Step step);
  // Removes the participant (it crashed). Its poller stays.
  void Stop(absl::string_view name);

  // Goes on until `done` returns true (asked between two steps), or for `limit`
  // of virtual time. Returns false if the limit was reached or failure() is
  // set.
  bool RunUntil(absl::FunctionRef<bool()> done,
                absl::Duration limit = absl::Hours(24));
  // Goes on for this time.
  void RunFor(absl::Duration time);

  // The failure of the run itself, or empty: a million steps were made without
  // time passing, or all participants wait forever.
  const std::string& failure() const { return failure_; }
  // The number of steps made so far.
  uint64_t steps() const { return steps_; }
  // A number that depends on the participant and the time of every step. Two
  // runs with one seed have equal numbers.
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  friend class SimulatedPoller;

  struct Participant {
    std::string name;
    std::weak_ptr<SimulatedPoller> poller;
    Step step;
    // The time of the participant's next timer.
    absl::Time next = absl::InfinitePast();
    bool stepping = false;
  };

  Participant* Find(absl::string_view name);
  static bool CanStep(const Participant& participant, absl::Time now);
  // Lets one participant with work make a step. Returns false if none has work.
  bool StepAnyone();
  // Returns the next time at which a participant has work.
  absl::Time NextMoment();
  // For a poller whose owner waits: lets the other participants or the time go
  // on, until the poller has work or `deadline` has come.
  void WaitFor(SimulatedPoller* poller, absl::Time deadline);
  // Lets every participant look for work, because the test has called one of
  // them.
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
