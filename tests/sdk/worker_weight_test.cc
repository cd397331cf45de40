// Tests of TaskOptions::weight, on a virtual clock.
// tests/integration/worker_limits_gearmand_test.cc has a real server.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/worker_limits_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class WeightTest : public WorkerLimitsTest {
 protected:
  static TaskOptions Weight(int weight) {
    TaskOptions options;
    options.weight = weight;
    return options;
  }
  // Starts a second worker, which grabs one job at a time.
  Worker& StartOneByOne() {
    WorkerOptions options = stack_.WorkerDefaults("one", {"inproc://jobs"});
    options.prefetch.max_jobs = 0;
    return stack_.StartWorker("one", std::move(options));
  }
  // The tasks of the jobs that were done, a letter each.
  std::string Letters() const {
    std::string letters;
    for (const std::string& job : done_) letters += job[0];
    return letters;
  }
};

size_t Count(const std::string& letters, char letter) {
  return std::count(letters.begin(), letters.end(), letter);
}

TEST_F(WeightTest, JobsBeginByWeightWhileEachTaskHasSome) {
  Worker& worker = StartOneByOne();
  RegisterQuick(worker, "c");
  RegisterQuick(worker, "a", Weight(3));
  RegisterQuick(worker, "b", Weight(2));
  Submit("a", 60);
  Submit("b", 60);
  Submit("c", 60);
  Settle();
  const std::string letters = Letters();
  ASSERT_THAT(letters, SizeIs(180));
  // 60 jobs of "a" are 20 turns. The first turns may lack a lane whose
  // connection is not made yet.
  for (size_t turn = 2; turn < 18; ++turn) {
    const std::string jobs = letters.substr(turn * 6, 6);
    EXPECT_EQ(Count(jobs, 'a'), 3u) << letters;
    EXPECT_EQ(Count(jobs, 'b'), 2u) << letters;
    EXPECT_EQ(Count(jobs, 'c'), 1u) << letters;
  }
}

// Many grabs at once are shared in one pass.
TEST_F(WeightTest, GrabsAheadAreSharedByWeight) {
  RegisterQuick(*worker_, "a", Weight(3));
  RegisterQuick(*worker_, "b", Weight(1));
  Settle();
  Submit("a", 3000);
  Submit("b", 3000);
  Settle();
  const std::string letters = Letters();
  ASSERT_THAT(letters, SizeIs(6000));
  const std::string some = letters.substr(1000, 2000);
  EXPECT_GE(Count(some, 'a'), 1400u);
  EXPECT_LE(Count(some, 'a'), 1600u);
}

TEST_F(WeightTest, ATaskWithoutJobsLeavesItsShareToTheOthers) {
  Worker& worker = StartOneByOne();
  RegisterQuick(worker, "a", Weight(1000));
  RegisterQuick(worker, "b", Weight(1));
  Settle();
  Submit("b", 500);
  Settle();
  EXPECT_THAT(done_, SizeIs(500));
  // The first task has not saved up the grabs that it left.
  done_.clear();
  Submit("a", 3);
  Submit("b", 500);
  Submit("a", 3);
  Settle();
  EXPECT_THAT(done_, SizeIs(506));
}

TEST_F(WeightTest, ALimitHoldsWhateverTheWeight) {
  TaskOptions options = AtMost(2);
  options.weight = 1000;
  RegisterHeld("slow", options);
  RegisterQuick(*worker_, "b");
  Submit("slow", 10);
  Submit("b", 500);
  Settle();
  EXPECT_THAT(running_, SizeIs(2));
  EXPECT_THAT(done_, SizeIs(500));
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
}

// A task at its limit waits for a job of its own to end, and not for others.
TEST_F(WeightTest, ALimitDoesNotEndATurn) {
  for (const int limit : {1, 2, 3}) {
    done_.clear();
    Worker& worker = StartOneByOne();
    TaskOptions options = AtMost(limit);
    options.weight = 3;
    RegisterQuick(worker, "a", options);
    RegisterQuick(worker, "b", Weight(1));
    Submit("a", 90);
    Submit("b", 90);
    Settle();
    const std::string letters = Letters();
    ASSERT_THAT(letters, SizeIs(180));
    EXPECT_EQ(Count(letters.substr(8, 80), 'a'), 60u)
        << "limit " << limit << ": " << letters;
    stack_.KillWorker("one");
  }
}

TEST_F(WeightTest, APausedTaskLeavesItsShare) {
  RegisterQuick(*worker_, "a", Weight(3));
  RegisterQuick(*worker_, "b", Weight(1));
  Settle();
  ASSERT_TRUE(worker_->Pause("a").ok());
  Settle();
  Submit("a", 100);
  Submit("b", 100);
  Settle();
  EXPECT_EQ(Letters(), std::string(100, 'b'));
  ASSERT_TRUE(worker_->Resume("a").ok());
  Settle();
  EXPECT_THAT(done_, SizeIs(200));
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
}

TEST_F(WeightTest, AWeightMayChangeAndGo) {
  RegisterQuick(*worker_, "a", Weight(1));
  RegisterQuick(*worker_, "b", Weight(1));
  RegisterQuick(*worker_, "c");
  Settle();
  EXPECT_EQ(worker_->stats().servers_connected, 3u);
  RegisterQuick(*worker_, "a", Weight(4));
  Settle();
  EXPECT_EQ(worker_->stats().servers_connected, 3u);
  Submit("a", 4000);
  Submit("b", 4000);
  Settle();
  const std::string some = Letters().substr(1000, 2000);
  EXPECT_GE(Count(some, 'a'), 1500u);
  EXPECT_LE(Count(some, 'a'), 1700u);
  RegisterQuick(*worker_, "a");
  RegisterQuick(*worker_, "b");
  Pass(absl::Minutes(1));
  EXPECT_EQ(worker_->stats().servers_connected, 1u);
  done_.clear();
  Submit("a", 10);
  Submit("b", 10);
  Settle();
  EXPECT_THAT(done_, SizeIs(20));
}

TEST_F(WeightTest, AWeightThatIsNoneIsRefused) {
  for (const int weight : {-1, 1001}) {
    const absl::Status status = worker_->Register(
        "echo", [](JobContext&) -> absl::StatusOr<std::string> { return ""; },
        Weight(weight));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("task \"echo\": weight is "));
  }
}

}  // namespace
}  // namespace gearman
