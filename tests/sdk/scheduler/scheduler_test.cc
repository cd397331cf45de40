// Schedulers on a virtual clock.
#include "gearman/sdk/scheduler.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    stack_.StartServer("jobs");
    // One worker. Its "tick" notes the time that is its data, and when it ran.
    const absl::Status status =
        stack_.StartWorker("worker", {"inproc://jobs"})
            .Register("tick", [this](JobContext& context) {
              int64_t tick = 0;
              EXPECT_TRUE(absl::SimpleAtoi(context.job().data(), &tick));
              ran_[absl::FromUnixSeconds(tick)].push_back(
                  stack_.simulation.now());
              return std::string();
            });
    EXPECT_TRUE(status.ok()) << status;
  }
  ~SchedulerTest() override {
    for (const auto& scheduler : schedulers_) {
      stack_.simulation.Stop(scheduler.first);
    }
  }

  SchedulerOptions Options(const std::string& name) {
    SchedulerOptions options;
    options.client = stack_.ClientDefaults(name, {"inproc://jobs"});
    options.client.logger = Logger(
        LogLevel::kWarning,
        [this](LogLevel, absl::string_view line) { log_.emplace_back(line); });
    return options;
  }
  Scheduler& StartScheduler(const std::string& name, SchedulerOptions options) {
    auto scheduler = Scheduler::Create(std::move(options));
    EXPECT_TRUE(scheduler.ok()) << scheduler.status();
    Scheduler* const raw = scheduler->get();
    schedulers_[name] = *std::move(scheduler);
    stack_.simulation.Drive(
        name, [raw] { return raw->RunOnce(absl::InfinitePast()); });
    return *raw;
  }
  Scheduler& StartScheduler(const std::string& name) {
    return StartScheduler(name, Options(name));
  }
  void KillScheduler(const std::string& name) {
    stack_.simulation.Stop(name);
    schedulers_.erase(name);
  }
  static Schedule Every(absl::Duration every) {
    Schedule schedule;
    schedule.name = absl::StrCat("every ", absl::FormatDuration(every));
    schedule.every = every;
    schedule.task = "tick";
    schedule.data_of = [](absl::Time tick) {
      return absl::StrCat(absl::ToUnixSeconds(tick));
    };
    return schedule;
  }
  // How many runs each tick had.
  std::vector<size_t> Runs() const {
    std::vector<size_t> runs;
    for (const auto& [tick, times] : ran_) runs.push_back(times.size());
    return runs;
  }

  SimulatedStack stack_{1};
  std::map<std::string, std::unique_ptr<Scheduler>> schedulers_;
  std::map<absl::Time, std::vector<absl::Time>> ran_;  // by tick
  std::vector<std::string> log_;
};

TEST_F(SchedulerTest, EachTickRunsOnceAtItsTime) {
  Scheduler& scheduler = StartScheduler("one");
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(5))).ok());
  stack_.simulation.RunFor(absl::Hours(2));
  EXPECT_GE(ran_.size(), 23u);
  EXPECT_THAT(Runs(), Each(1));
  for (const auto& [tick, times] : ran_) {
    EXPECT_EQ(absl::ToUnixSeconds(tick) % 300, 0);
    EXPECT_GE(times[0], tick);
    EXPECT_LE(times[0], tick + absl::Seconds(1));
  }
  EXPECT_GE(scheduler.stats().accepted, ran_.size());
  EXPECT_EQ(scheduler.stats().missed, 0u);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SchedulerTest, TicksThatAreCloserThanTheLeadRunOnceEach) {
  ASSERT_TRUE(StartScheduler("one").Add(Every(absl::Seconds(1))).ok());
  stack_.simulation.RunFor(absl::Minutes(4));
  EXPECT_GE(ran_.size(), 220u);
  EXPECT_THAT(Runs(), Each(1));
}

TEST_F(SchedulerTest, ACronLineMakesTicksInItsTimeZone) {
  Schedule schedule = Every(absl::ZeroDuration());
  schedule.name = "nightly";
  schedule.cron = "30 2,3 * * *";
  schedule.time_zone = absl::FixedTimeZone(5 * 3600);
  ASSERT_TRUE(StartScheduler("one").Add(schedule).ok());
  stack_.simulation.RunFor(absl::Hours(24));
  std::vector<std::string> times;
  for (const auto& tick : ran_) {
    times.push_back(absl::FormatTime("%H:%M", tick.first, absl::UTCTimeZone()));
  }
  EXPECT_THAT(times, UnorderedElementsAre("21:30", "22:30"));
  EXPECT_THAT(Runs(), Each(1));
}

TEST_F(SchedulerTest, SchedulersThatRunAtOnceMakeOneJobOfATick) {
  for (const char* const name : {"one", "two", "three"}) {
    ASSERT_TRUE(StartScheduler(name).Add(Every(absl::Minutes(1))).ok());
    // The schedulers do not submit at one moment.
    stack_.simulation.RunFor(absl::Seconds(17));
  }
  stack_.simulation.RunFor(absl::Hours(1));
  EXPECT_GE(ran_.size(), 59u);
  EXPECT_THAT(Runs(), Each(1));
}

TEST_F(SchedulerTest, ASchedulerThatEndsLosesNoTickOfAnother) {
  for (const char* const name : {"one", "two"}) {
    ASSERT_TRUE(StartScheduler(name).Add(Every(absl::Minutes(1))).ok());
  }
  for (int i = 0; i < 20; ++i) {
    stack_.simulation.RunFor(absl::Seconds(71));
    const std::string name = i % 2 == 0 ? "one" : "two";
    KillScheduler(name);
    stack_.simulation.RunFor(absl::Seconds(29));
    ASSERT_TRUE(StartScheduler(name).Add(Every(absl::Minutes(1))).ok());
  }
  ASSERT_GE(ran_.size(), 30u);
  EXPECT_THAT(Runs(), Each(1));
  // No tick is missing between the first and the last one.
  EXPECT_EQ(ran_.rbegin()->first - ran_.begin()->first,
            absl::Minutes(static_cast<int64_t>(ran_.size()) - 1));
}

TEST_F(SchedulerTest, ATickThatIsTooNearIsLeftToOthers) {
  SchedulerOptions options = Options("one");
  options.margin = absl::Seconds(30);
  Scheduler& scheduler = StartScheduler("one", std::move(options));
  // 20 seconds before a minute.
  const int64_t second = absl::ToUnixSeconds(stack_.simulation.now());
  stack_.simulation.RunFor(absl::Seconds(60 - second % 60 + 40));
  const absl::Time now = stack_.simulation.now();
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(1))).ok());
  ASSERT_THAT(scheduler.next_ticks(), SizeIs(1));
  EXPECT_GE(scheduler.next_ticks()[0].time, now + absl::Seconds(30));
  EXPECT_EQ(scheduler.stats().missed, 0u);
}

TEST_F(SchedulerTest, ATickIsMissedWhileNoServerIsThere) {
  Scheduler& scheduler = StartScheduler("one");
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(5))).ok());
  stack_.simulation.RunFor(absl::Minutes(12));
  const size_t before = ran_.size();
  stack_.KillServer("jobs");
  stack_.simulation.RunFor(absl::Minutes(11));
  EXPECT_EQ(scheduler.stats().missed, 2u);
  ASSERT_THAT(log_, ::testing::Contains(HasSubstr("is missed")));
  EXPECT_THAT(log_, ::testing::Contains(HasSubstr("schedule \"every 5m\"")));
  stack_.StartServer("jobs");
  stack_.simulation.RunFor(absl::Minutes(20));
  EXPECT_GE(ran_.size(), before + 3);
  EXPECT_THAT(Runs(), Each(1));
}

TEST_F(SchedulerTest, ATickIsSubmittedWhenItsServerComesBackInTime) {
  Scheduler& scheduler = StartScheduler("one");
  const int64_t second = absl::ToUnixSeconds(stack_.simulation.now());
  // The moment at which a tick is submitted.
  stack_.simulation.RunFor(absl::Seconds(600 - second % 300 - 62));
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(5))).ok());
  stack_.KillServer("jobs");
  stack_.simulation.RunFor(absl::Seconds(20));
  EXPECT_EQ(scheduler.stats().accepted, 0u);
  EXPECT_EQ(scheduler.stats().unknown, 1u);
  stack_.StartServer("jobs");
  stack_.simulation.RunFor(absl::Minutes(2));
  EXPECT_EQ(scheduler.stats().accepted, 1u);
  EXPECT_EQ(scheduler.stats().missed, 0u);
  EXPECT_EQ(scheduler.stats().unknown, 0u);
  EXPECT_THAT(Runs(), ::testing::ElementsAre(1));
}

TEST_F(SchedulerTest, TicksThatWereSleptThroughAreMissedTogether) {
  Scheduler& scheduler = StartScheduler("one");
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(5))).ok());
  stack_.simulation.RunFor(absl::Minutes(12));
  stack_.simulation.Stop("one");
  stack_.simulation.RunFor(absl::Hours(3));
  const size_t before = ran_.size();
  stack_.simulation.Drive(
      "one", [&scheduler] { return scheduler.RunOnce(absl::InfinitePast()); });
  stack_.simulation.RunFor(absl::Minutes(11));
  EXPECT_EQ(scheduler.stats().missed, 1u);
  EXPECT_GE(ran_.size(), before + 2);
  EXPECT_THAT(Runs(), Each(1));
}

TEST_F(SchedulerTest, AClockThatIsSetForwardMissesTheTicksOnTheirWay) {
  Scheduler& scheduler = StartScheduler("one");
  const int64_t second = absl::ToUnixSeconds(stack_.simulation.now());
  // A second after the moment at which a tick is submitted.
  stack_.simulation.RunFor(absl::Seconds(600 - second % 300 - 59));
  stack_.KillServer("jobs");
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(5))).ok());
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_EQ(scheduler.stats().unknown, 1u);
  stack_.simulation.clock()->SetWallClock(absl::Minutes(2));
  stack_.simulation.RunFor(absl::Seconds(10));
  EXPECT_EQ(stack_.simulation.failure(), "");
  EXPECT_EQ(scheduler.stats().unknown, 0u);
  EXPECT_EQ(scheduler.stats().missed, 1u);
  EXPECT_THAT(log_, ::testing::Contains(HasSubstr("set forward")));
  // Another scheduler's job of the tick may be done, so it comes no more.
  stack_.StartServer("jobs");
  stack_.simulation.RunFor(absl::Minutes(2));
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(SchedulerTest, DataThatAreMadeSlowlyMakeNoTickLate) {
  Scheduler& scheduler = StartScheduler("one");
  Schedule slow = Every(absl::Minutes(5));
  slow.name = "a slow one";
  slow.data_of = [this](absl::Time tick) {
    stack_.simulation.clock()->Advance(absl::Minutes(2));
    return absl::StrCat(absl::ToUnixSeconds(tick));
  };
  ASSERT_TRUE(scheduler.Add(slow).ok());
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(5))).ok());
  stack_.simulation.RunFor(absl::Minutes(10));
  // Both ticks of a moment are too late then.
  EXPECT_THAT(ran_, IsEmpty());
  EXPECT_EQ(scheduler.stats().accepted, 0u);
  EXPECT_EQ(scheduler.stats().missed, 4u);
  EXPECT_EQ(scheduler.stats().unknown, 0u);
}

TEST_F(SchedulerTest, TheLongestDistanceHasNoTick) {
  Scheduler& scheduler = StartScheduler("one");
  Schedule schedule = Every(absl::Seconds(std::numeric_limits<int64_t>::max()));
  schedule.name = "never";
  ASSERT_TRUE(scheduler.Add(schedule).ok());
  ASSERT_THAT(scheduler.next_ticks(), SizeIs(1));
  EXPECT_GT(scheduler.next_ticks()[0].time,
            stack_.simulation.now() + absl::Hours(24 * 365 * 1000));
}

TEST_F(SchedulerTest, ARemovedScheduleMakesNoMoreTicks) {
  Scheduler& scheduler = StartScheduler("one");
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(1))).ok());
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(7))).ok());
  stack_.simulation.RunFor(absl::Minutes(10));
  ASSERT_TRUE(scheduler.Remove("every 1m").ok());
  EXPECT_TRUE(absl::IsNotFound(scheduler.Remove("every 1m")));
  // Ticks that were submitted stay.
  stack_.simulation.RunFor(absl::Minutes(2));
  const size_t before = ran_.size();
  stack_.simulation.RunFor(absl::Minutes(70));
  EXPECT_EQ(ran_.size(), before + 10);
}

TEST_F(SchedulerTest, AnExceptionFromDataOfCostsItsTickAlone) {
  Scheduler& scheduler = StartScheduler("one");
  Schedule schedule = Every(absl::Minutes(1));
  schedule.data_of = [](absl::Time tick) -> std::string {
    const int64_t second = absl::ToUnixSeconds(tick);
    if (second % 120 == 0) throw std::runtime_error("no data");
    return absl::StrCat(second);
  };
  ASSERT_TRUE(scheduler.Add(schedule).ok());
  stack_.simulation.RunFor(absl::Minutes(20));
  EXPECT_GE(ran_.size(), 9u);
  EXPECT_GE(scheduler.stats().missed, 9u);
  EXPECT_EQ(scheduler.stats().unknown, 0u);
  EXPECT_THAT(log_, Each(HasSubstr("data_of threw: no data")));
}

TEST_F(SchedulerTest, SaysWhatIsWrongWithASchedule) {
  Scheduler& scheduler = StartScheduler("one");
  const auto refused = [&scheduler](const Schedule& schedule) {
    const absl::Status status = scheduler.Add(schedule);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  Schedule schedule = Every(absl::Minutes(1));
  schedule.name = "";
  EXPECT_THAT(refused(schedule), HasSubstr("needs a name"));
  schedule.name = std::string(Scheduler::kMaxNameBytes + 1, 'n');
  EXPECT_THAT(refused(schedule), HasSubstr("41 bytes"));
  schedule.name = "a\nb";
  EXPECT_THAT(refused(schedule), HasSubstr("\"a\\x0ab\""));
  schedule = Every(absl::Minutes(1));
  schedule.task = "";
  EXPECT_THAT(refused(schedule), HasSubstr("needs a task"));
  schedule = Every(absl::Milliseconds(1500));
  EXPECT_THAT(refused(schedule), HasSubstr("whole seconds"));
  schedule = Every(-absl::Minutes(1));
  EXPECT_THAT(refused(schedule), HasSubstr("at least one"));
  schedule = Every(absl::ZeroDuration());
  EXPECT_THAT(refused(schedule), HasSubstr("a cron line or a distance"));
  schedule.cron = "* * * *";
  EXPECT_THAT(refused(schedule), HasSubstr("has 4 fields"));
  schedule.cron = "@daily";
  schedule.every = absl::Minutes(1);
  EXPECT_THAT(refused(schedule), HasSubstr("not both"));
  ASSERT_TRUE(scheduler.Add(Every(absl::Minutes(1))).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(scheduler.Add(Every(absl::Minutes(1)))));
  EXPECT_THAT(scheduler.next_ticks(), SizeIs(1));
}

TEST_F(SchedulerTest, SaysWhatIsWrongWithItsOptions) {
  for (const auto& [lead, margin] :
       {std::make_pair(absl::Seconds(10), absl::Seconds(10)),
        std::make_pair(absl::Seconds(10), -absl::Seconds(1)),
        std::make_pair(absl::Hours(25), absl::Seconds(1))}) {
    SchedulerOptions options = Options("wrong");
    options.lead = lead;
    options.margin = margin;
    const absl::Status status = Scheduler::Create(std::move(options)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  SchedulerOptions options = Options("wrong");
  options.client.servers = {"no://scheme"};
  EXPECT_TRUE(absl::IsNotFound(Scheduler::Create(std::move(options)).status()));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
