// Tests of SleepPlan: what a connection sends for a script of inputs.
#include "gearman/sdk/internal/worker/sleep_plan.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

// Does what a session does with a plan. The inputs of a script:
//
//   connected, noop, offer, regrab    inputs of the plan
//   slow, quick                       whether jobs end at once (first: quick)
//   job, no_job                       the answer to one grab
//   done, timed_done                  a job is answered, here or under a timer
//   12ms                              time passes
//   turn                              grabs as many as are wanted, and settles
//   one_grab                          a turn with one grab at most
//
// It sends "grab*3" for three grabs, "PRE_SLEEP", and "rest" for a rest.
class Script {
 public:
  std::string Run(absl::string_view inputs) {
    for (const absl::string_view input :
         absl::StrSplit(inputs, ' ', absl::SkipEmpty())) {
      Do(input);
    }
    return absl::StrJoin(sent_, " ");
  }

 private:
  void Do(absl::string_view input) {
    int ms = 0;
    if (input == "connected") {
      plan_.OnConnected(now_);
    } else if (input == "noop") {
      plan_.OnNoop(now_);
    } else if (input == "offer") {
      plan_.OnOffer();
    } else if (input == "regrab") {
      plan_.OnTimeToGrab();
    } else if (input == "slow" || input == "quick") {
      work_.may_sleep_ahead = input == "quick";
    } else if (input == "job") {
      Answered();
      ++work_.held;
      plan_.OnJob();
    } else if (input == "no_job") {
      plan_.OnNoJob(/*may_sleep=*/true);
      Answered();
    } else if (input == "done") {
      --work_.held;
    } else if (input == "timed_done") {
      --work_.held;
      plan_.OnTimedJobEnded();
    } else if (input == "turn") {
      Turn(/*most=*/1000);
    } else if (input == "one_grab") {
      Turn(/*most=*/1);
    } else if (absl::SimpleAtoi(input.substr(0, input.find("ms")), &ms)) {
      now_ += absl::Milliseconds(ms);
    } else {
      ADD_FAILURE() << input;
    }
  }

  void Answered() {
    EXPECT_GT(work_.outstanding, 0) << absl::StrJoin(sent_, " ");
    if (--work_.outstanding == 0) plan_.OnAllAnswered(now_);
  }

  void Turn(int most) {
    const int grabs =
        plan_.may_grab() ? std::min(most, plan_.wanted_grabs(work_)) : 0;
    if (grabs > 0) {
      sent_.push_back(absl::StrCat("grab*", grabs));
      if (plan_.ExpectsNoJob(work_)) {
        sent_.push_back("PRE_SLEEP");
        plan_.OnSleepSent();
      }
      work_.outstanding += grabs;
    }
    if (work_.outstanding > 0) return;
    const SleepPlan::Step step = plan_.Settle(work_, now_);
    if (step == SleepPlan::Step::kSleep) sent_.push_back("PRE_SLEEP");
    if (step == SleepPlan::Step::kRest) sent_.push_back("rest");
  }

  SleepPlan plan_;
  SleepPlan::Work work_{0, 0, /*may_sleep_ahead=*/true};
  absl::Time now_ = absl::UnixEpoch();
  std::vector<std::string> sent_;
};

struct Row {
  const char* name;
  const char* inputs;
  const char* sent;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.inputs; }

// The first wake-up with one job: the next one with as many is not expected to
// bring another.
#define FIRST_SLEEP "connected turn no_job turn "
#define FIRST_SLEEP_SENT "grab*1 PRE_SLEEP"

const Row kRows[] = {
    {"NothingBeforeTheConnection", "turn offer turn", ""},
    {"AGrabInVainIsFollowedBySleep", FIRST_SLEEP, FIRST_SLEEP_SENT},
    {"ASleeperSendsNothing", FIRST_SLEEP "turn 500ms turn", FIRST_SLEEP_SENT},
    {"ANoopWakes", FIRST_SLEEP "noop turn", FIRST_SLEEP_SENT " grab*1"},
    {"ANoopOfAnAwakeWorkerSaysNothingNew", "connected turn noop no_job turn",
     "grab*1 PRE_SLEEP"},
    {"TimeToGrabWakes", FIRST_SLEEP "regrab turn", FIRST_SLEEP_SENT " grab*1"},
    {"ANewTaskWakes", FIRST_SLEEP "offer turn", FIRST_SLEEP_SENT " grab*1"},
    {"ANewTaskIsGrabbedBeforeSleep", "connected turn no_job offer turn",
     "grab*1 grab*1"},

    // The window.
    {"EachJobWidensTheWindow",
     "connected turn job done turn job job done done turn",
     "grab*1 grab*2 grab*4"},
    {"GrabsThatAreOutCount", "connected turn job turn job turn",
     "grab*1 grab*2 grab*2"},
    {"ThereIsNoGrabAfterOneInVain",
     "connected turn job done turn no_job turn job done turn",
     "grab*1 grab*2 PRE_SLEEP"},
    {"TheNextWakeUpBeginsWithTheJobsOfTheLast",
     "slow connected turn job turn job job turn no_job no_job no_job no_job "
     "done done done turn noop turn",
     "grab*1 grab*2 grab*4 PRE_SLEEP grab*3"},

    // NOOPs that lead nowhere.
    {"TwoWakeUpsInVainLeadToARest",
     FIRST_SLEEP "noop turn no_job turn noop turn no_job turn",
     FIRST_SLEEP_SENT " grab*1 PRE_SLEEP grab*1 rest"},
    {"ARestEndsInSleep",
     FIRST_SLEEP
     "noop turn no_job turn noop turn no_job turn turn 1ms turn turn",
     FIRST_SLEEP_SENT " grab*1 PRE_SLEEP grab*1 rest PRE_SLEEP"},
    {"TheNextRestIsLonger",
     FIRST_SLEEP
     "noop turn no_job turn noop turn no_job turn 1ms turn noop turn no_job "
     "turn 1ms turn",
     FIRST_SLEEP_SENT " grab*1 PRE_SLEEP grab*1 rest PRE_SLEEP grab*1 rest"},
    {"ANewTaskEndsARest",
     FIRST_SLEEP "noop turn no_job turn noop turn no_job turn offer turn",
     FIRST_SLEEP_SENT " grab*1 PRE_SLEEP grab*1 rest grab*1"},
    {"ALateNoopIsNotInARow",
     FIRST_SLEEP "noop turn no_job turn 10ms noop turn no_job turn",
     FIRST_SLEEP_SENT " grab*1 PRE_SLEEP grab*1 PRE_SLEEP"},
    {"AJobEndsTheRow",
     "slow " FIRST_SLEEP
     "noop turn no_job turn noop turn job done turn no_job no_job turn noop "
     "turn no_job turn",
     FIRST_SLEEP_SENT
     " grab*1 PRE_SLEEP grab*1 grab*2 PRE_SLEEP grab*1 PRE_SLEEP"},
    {"WakingWithoutANoopIsNotInVain",
     FIRST_SLEEP "regrab turn no_job turn regrab turn no_job turn",
     FIRST_SLEEP_SENT " grab*1 PRE_SLEEP grab*1 PRE_SLEEP"},

    // A server's timer.
    {"ATimedJobIsFollowedBySleep", "connected turn job timed_done turn turn",
     "grab*1 PRE_SLEEP"},
    {"AfterThatSleepItIsAsBefore",
     "connected turn job timed_done turn noop turn", "grab*1 PRE_SLEEP grab*2"},
    {"TheTimerStopsWhenAllJobsHaveEnded",
     "connected turn job turn job no_job timed_done turn timed_done turn",
     "grab*1 grab*2 PRE_SLEEP"},

    // Sleeping ahead.
    {"PreSleepFollowsTheGrabThatWillFindNothing",
     FIRST_SLEEP "noop turn job done turn turn no_job turn",
     FIRST_SLEEP_SENT " grab*1 grab*1 PRE_SLEEP"},
    {"NotWhileAJobIsHeld", FIRST_SLEEP "noop turn job turn",
     FIRST_SLEEP_SENT " grab*1 grab*2"},
    {"NotWithSlowJobs", "slow " FIRST_SLEEP "noop turn job done turn",
     FIRST_SLEEP_SENT " grab*1 grab*2"},
    {"NotWithoutANoop", FIRST_SLEEP "regrab turn job done turn",
     FIRST_SLEEP_SENT " grab*1 grab*2"},
    {"PreSleepThenTakesThePlaceOfTheGrabSevenTimes",
     FIRST_SLEEP
     "noop turn job done turn no_job turn "
     "noop turn job done turn noop turn job done turn noop turn job done turn "
     "noop turn job done turn noop turn job done turn noop turn job done turn "
     "noop turn job done turn noop turn job done turn",
     FIRST_SLEEP_SENT
     " grab*1 grab*1 PRE_SLEEP"
     " grab*1 PRE_SLEEP grab*1 PRE_SLEEP grab*1 PRE_SLEEP grab*1 PRE_SLEEP"
     " grab*1 PRE_SLEEP grab*1 PRE_SLEEP grab*1 PRE_SLEEP"
     " grab*1 grab*1 PRE_SLEEP"},
    {"AJobThatWasNotExpectedEndsItForThisWakeUp",
     FIRST_SLEEP "noop turn job done turn job done turn",
     FIRST_SLEEP_SENT " grab*1 grab*1 PRE_SLEEP grab*3"},
    {"TheNextWakeUpTriesAgain",
     FIRST_SLEEP
     "noop turn job done turn job done turn no_job no_job no_job turn "
     "noop turn job job done done turn",
     FIRST_SLEEP_SENT
     " grab*1 grab*1 PRE_SLEEP grab*3 PRE_SLEEP grab*2 grab*1 PRE_SLEEP"},
    {"FewerJobsThanTheLastTimeMeanThatMoreMayCome",
     "slow " FIRST_SLEEP
     "noop turn job turn job done done turn no_job no_job no_job turn "
     "quick noop one_grab job done turn",
     FIRST_SLEEP_SENT " grab*1 grab*2 grab*2 PRE_SLEEP grab*1 grab*3"},
    {"ATaskOfferedMeanwhileIsGrabbed",
     FIRST_SLEEP "noop turn job done turn offer no_job turn",
     FIRST_SLEEP_SENT " grab*1 grab*1 PRE_SLEEP grab*1"},
};

class SleepPlanTest : public ::testing::TestWithParam<Row> {};

TEST_P(SleepPlanTest, SendsWhatItsTableSays) {
  EXPECT_EQ(Script().Run(GetParam().inputs), GetParam().sent);
}

INSTANTIATE_TEST_SUITE_P(Rows, SleepPlanTest, ::testing::ValuesIn(kRows),
                         [](const ::testing::TestParamInfo<Row>& row) {
                           return row.param.name;
                         });

TEST(SleepPlanTimesTest, SleepAndRestHaveAnEnd) {
  SleepPlan plan;
  const absl::Time now = absl::UnixEpoch();
  const absl::Duration regrab = absl::Seconds(10);
  plan.OnConnected(now);
  EXPECT_EQ(plan.end_of_sleep(regrab), absl::InfiniteFuture());
  plan.OnNoJob(/*may_sleep=*/true);
  EXPECT_EQ(plan.Settle({}, now), SleepPlan::Step::kSleep);
  EXPECT_EQ(plan.end_of_sleep(regrab), now + regrab);
  EXPECT_FALSE(plan.asleep_for(regrab, now + absl::Seconds(9)));
  EXPECT_TRUE(plan.asleep_for(regrab, now + regrab));
  EXPECT_EQ(plan.resting_until(), absl::InfiniteFuture());
  for (int vain = 0; vain < 2; ++vain) {
    EXPECT_TRUE(plan.OnNoop(now));
    plan.OnNoJob(/*may_sleep=*/true);
    plan.Settle({}, now);
  }
  EXPECT_EQ(plan.resting_until(), now + absl::Milliseconds(1));
  EXPECT_TRUE(plan.OnOffer());
  EXPECT_EQ(plan.resting_until(), absl::InfiniteFuture());
}

// A NO_JOB says nothing as long as another kind of grab is to be tried.
TEST(SleepPlanTimesTest, ABetterGrabIsTriedBeforeSleep) {
  SleepPlan plan;
  plan.OnConnected(absl::UnixEpoch());
  plan.OnNoJob(/*may_sleep=*/false);
  EXPECT_EQ(plan.Settle({}, absl::UnixEpoch()), SleepPlan::Step::kNone);
  EXPECT_TRUE(plan.may_grab());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
