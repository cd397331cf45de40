#include "gearman/sdk/testing/simulation.h"

#include <algorithm>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/testing/simulated_poller.h"

namespace gearman {
namespace testing {
namespace {

// More steps than this at one moment mean an endless loop.
constexpr int kMaxStepsAtOnce = 1000000;

}  // namespace

Simulation::Simulation(uint64_t seed) : random_(seed) {}

Simulation::~Simulation() = default;

Simulation::Participant* Simulation::Find(absl::string_view name) {
  for (const std::unique_ptr<Participant>& participant : participants_) {
    if (participant->name == name) return participant.get();
  }
  participants_.push_back(std::make_unique<Participant>());
  participants_.back()->name = std::string(name);
  return participants_.back().get();
}

std::shared_ptr<Poller> Simulation::MakePoller(absl::string_view name) {
  auto poller = std::make_shared<SimulatedPoller>(this);
  Find(name)->poller = poller;
  return poller;
}

void Simulation::Drive(absl::string_view name, Step step) {
  Participant* const participant = Find(name);
  participant->step = std::move(step);
  participant->next = absl::InfinitePast();
}

void Simulation::Stop(absl::string_view name) { Find(name)->step = nullptr; }

bool Simulation::CanStep(const Participant& participant, absl::Time now) {
  if (participant.stepping || !participant.step) return false;
  if (participant.next <= now) return true;
  const std::shared_ptr<SimulatedPoller> poller = participant.poller.lock();
  return poller != nullptr && poller->HasSomething();
}

bool Simulation::StepAnyone() {
  if (!failure_.empty()) return false;
  if (participants_.empty()) return false;
  const absl::Time now = clock_.Now();
  // Takes the first participant that has work, from a random place on. Asking a
  // thousand participants for every step would cost too much.
  const size_t count = participants_.size();
  const size_t from = absl::Uniform<size_t>(random_, 0, count);
  Participant* participant = nullptr;
  for (size_t i = 0; i < count && participant == nullptr; ++i) {
    Participant* const asked = participants_[(from + i) % count].get();
    if (CanStep(*asked, now)) participant = asked;
  }
  if (participant == nullptr) return false;
  if (++steps_at_this_moment_ > kMaxStepsAtOnce) {
    failure_ = absl::StrCat("a million steps at ", absl::FormatTime(now),
                            ", the last one of '", participant->name, "'");
    return false;
  }
  ++steps_;
  for (const char c : participant->name) {
    fingerprint_ = fingerprint_ * 31 + static_cast<unsigned char>(c);
  }
  fingerprint_ =
      fingerprint_ * 31 + static_cast<uint64_t>(absl::ToUnixNanos(now));
  participant->stepping = true;
  // The step may stop its own participant. That must not destroy the running
  // function.
  const Step step = participant->step;
  participant->next = step();
  participant->stepping = false;
  return true;
}

absl::Time Simulation::NextMoment() {
  absl::Time next = absl::InfiniteFuture();
  for (const std::unique_ptr<Participant>& participant : participants_) {
    if (participant->stepping || !participant->step) continue;
    next = std::min(next, participant->next);
    if (const std::shared_ptr<SimulatedPoller> poller =
            participant->poller.lock()) {
      next = std::min(next, poller->NextDeadline());
    }
  }
  return next;
}

void Simulation::LookAgain() {
  for (const std::unique_ptr<Participant>& participant : participants_) {
    participant->next = absl::InfinitePast();
  }
}

void Simulation::WaitFor(SimulatedPoller* poller, absl::Time deadline) {
  LookAgain();
  while (!poller->HasSomething() && clock_.Now() < deadline) {
    if (StepAnyone()) continue;
    const absl::Time next =
        std::min({deadline, NextMoment(), poller->NextDeadline()});
    // No participant will ever have work. A real poller would wait forever.
    if (next == absl::InfiniteFuture() || !failure_.empty()) {
      if (failure_.empty()) failure_ = "everybody waits for ever";
      return;
    }
    clock_.AdvanceTo(next);
    steps_at_this_moment_ = 0;
  }
}

bool Simulation::RunUntil(absl::FunctionRef<bool()> done,
                          absl::Duration limit) {
  const absl::Time end = clock_.Now() + limit;
  LookAgain();
  while (!done()) {
    if (StepAnyone()) continue;
    if (!failure_.empty() || clock_.Now() >= end) return false;
    clock_.AdvanceTo(std::min(end, NextMoment()));
    steps_at_this_moment_ = 0;
  }
  return true;
}

void Simulation::RunFor(absl::Duration time) {
  RunUntil([] { return false; }, time);
}

}  // namespace testing
}  // namespace gearman
