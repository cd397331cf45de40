// Tests of TaskOptions::rate, on a virtual clock.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WorkerRateTest : public WorkerLimitsTest {
 protected:
  static TaskOptions Rate(double per_second, int burst = 1) {
    TaskOptions options;
    options.rate.jobs_per_second = per_second;
    options.rate.burst = burst;
    return options;
  }
  // Registers a task whose jobs end at once, and note when they began.
  void RegisterTimed(const std::string& task, const TaskOptions& options) {
    const absl::Status status = worker_->Register(
        task,
        [this](JobContext&) -> absl::StatusOr<std::string> {
          begun_.push_back(now() - start_);
          return "";
        },
        options);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Times count from now on.
  void Restart() {
    begun_.clear();
    start_ = now();
  }

  absl::Time start_ = now();
  std::vector<absl::Duration> begun_;
};

TEST_F(WorkerRateTest, JobsBeginWhenTheirTokensCome) {
  RegisterTimed("mail", Rate(2));
  Settle();
  Restart();
  Submit("mail", 5);
  Pass(absl::Minutes(1));
  EXPECT_THAT(begun_, ElementsAre(absl::Seconds(0), absl::Seconds(0.5),
                                  absl::Seconds(1), absl::Seconds(1.5),
                                  absl::Seconds(2)));
  EXPECT_EQ(complete(), 5u);
}

TEST_F(WorkerRateTest, ABurstBeginsAtOnce) {
  RegisterTimed("mail", Rate(1, 3));
  Settle();
  for (int round = 0; round < 2; ++round) {
    Restart();
    Submit("mail", 5);
    Pass(absl::Minutes(1));
    EXPECT_THAT(begun_, ElementsAre(absl::ZeroDuration(), absl::ZeroDuration(),
                                    absl::ZeroDuration(), absl::Seconds(1),
                                    absl::Seconds(2)));
  }
}

TEST_F(WorkerRateTest, JobsWithoutATokenStayAtTheServerForOthers) {
  RegisterTimed("mail", Rate(1e-6, 2));
  RegisterQuick(*worker_, "other");
  Submit("mail", 10);
  Submit("other", 100);
  Pass(absl::Hours(1));
  EXPECT_THAT(begun_, SizeIs(2));
  EXPECT_THAT(done_, SizeIs(100));
  EXPECT_EQ(worker_->stats().jobs_assigned, 102u);
  EXPECT_EQ(worker_->stats().jobs_waiting, 0u);
  Worker& other = stack_.StartWorker("other", {"inproc://jobs"});
  RegisterQuick(other, "mail");
  Settle();
  EXPECT_EQ(other.stats().jobs_complete, 8u);
}

TEST_F(WorkerRateTest, WaitingForTokensTakesNoWork) {
  RegisterTimed("mail", Rate(1.0 / 600));
  Submit("mail", 100);
  Settle();
  const uint64_t polls = worker_->stats().polls;
  Pass(absl::Hours(10));
  EXPECT_THAT(begun_, SizeIs(61));
  // Heartbeats of two connections, each with its answer, every 30 seconds; and
  // some for each job.
  EXPECT_LT(worker_->stats().polls - polls, 10u * 3600 / 30 * 4 + 60 * 10);
}

TEST_F(WorkerRateTest, TheServersShareTheTokens) {
  stack_.StartServer("more");
  const auto more = stack_.MakeClient("more client", {"inproc://more"});
  ASSERT_TRUE(worker_->AddServer("inproc://more").ok());
  RegisterTimed("mail", Rate(1, 2));
  Settle();
  Restart();
  Submit("mail", 3);
  std::vector<JobSpec> specs;
  for (int i = 0; i < 3; ++i) specs.emplace_back("mail", "");
  const auto requests = more->SubmitMultipleJobs(std::move(specs));
  Pass(absl::Minutes(1));
  EXPECT_THAT(begun_, ElementsAre(absl::ZeroDuration(), absl::ZeroDuration(),
                                  absl::Seconds(1), absl::Seconds(2),
                                  absl::Seconds(3), absl::Seconds(4)));
}

TEST_F(WorkerRateTest, BothLimitsHold) {
  TaskOptions options = Rate(10, 10);
  options.max_running = 2;
  RegisterHeld("slow", options);
  Submit("slow", 30);
  Pass(absl::Seconds(10));
  EXPECT_THAT(running_, SizeIs(2));
  // The bucket is full again, so ten more follow one another at once.
  for (int i = 0; i < 10; ++i) End();
  EXPECT_THAT(running_, SizeIs(2));
  // The rate rules from here on.
  End();
  End();
  EXPECT_THAT(running_, IsEmpty());
  Pass(absl::Milliseconds(100));
  EXPECT_THAT(running_, SizeIs(1));
}

// The long wait for the token of a slow rate ends with that rate.
TEST_F(WorkerRateTest, ANewRateHoldsAtOnce) {
  RegisterTimed("mail", Rate(1e-6));
  Submit("mail", 10);
  Pass(absl::Hours(1));
  EXPECT_THAT(begun_, SizeIs(1));
  RegisterTimed("mail", Rate(1));
  Restart();
  Pass(absl::Seconds(2));
  EXPECT_THAT(begun_, ElementsAre(absl::Seconds(1), absl::Seconds(2)));
  RegisterTimed("mail", {});
  Settle();
  EXPECT_THAT(begun_, SizeIs(9));
  EXPECT_EQ(worker_->stats().jobs_lost, 0u);
}

class PausedRateTest : public WorkerRateTest {
 protected:
  // Registers a task that pauses itself in its job number `pause_at`, while
  // further jobs of it stand in line.
  void RegisterPausing(size_t pause_at, const TaskOptions& options) {
    ASSERT_TRUE(
        worker_
            ->Register(
                "mail",
                [this, pause_at](JobContext&) -> absl::StatusOr<std::string> {
                  begun_.push_back(now() - start_);
                  if (begun_.size() == pause_at) {
                    EXPECT_TRUE(worker_->Pause("mail").ok());
                  }
                  return "";
                },
                options)
            .ok());
  }
};

TEST_F(PausedRateTest, JobsThatAPauseHoldsBackKeepNoToken) {
  RegisterPausing(60, Rate(1e-6, 100));
  Submit("mail", 200);
  Pass(absl::Hours(1));
  ASSERT_THAT(begun_, SizeIs(60));
  EXPECT_GT(worker_->stats().jobs_held_back, 0u);
  ASSERT_TRUE(worker_->Resume("mail").ok());
  Settle();
  EXPECT_THAT(begun_, SizeIs(100));
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
}

// The jobs were received before the task got its limit.
TEST_F(PausedRateTest, JobsHeldBackBeginAtTheRateAndADrainWaitsForThem) {
  RegisterPausing(100, {});
  Submit("mail", 400);
  Settle();
  ASSERT_THAT(begun_, SizeIs(100));
  const uint64_t held_back = worker_->stats().jobs_held_back;
  ASSERT_GT(held_back, 10u);
  RegisterTimed("mail", Rate(1));
  Restart();
  ASSERT_TRUE(worker_->Resume("mail").ok());
  Pass(absl::Seconds(3));
  // The first one is the token of a full bucket. Jobs that came keep their
  // handler.
  EXPECT_THAT(begun_, ElementsAre(absl::Seconds(0), absl::Seconds(1),
                                  absl::Seconds(2), absl::Seconds(3)));
  worker_->Drain();
  Pass(absl::Seconds(static_cast<int64_t>(held_back) - 5));
  EXPECT_FALSE(worker_->stopped());
  Pass(absl::Seconds(1));
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(begun_.size(), held_back);
  EXPECT_EQ(worker_->stats().jobs_given_back, 0u);
}

void Ignore(PendingJob /*job*/) {}

TEST_F(WorkerRateTest, ARateThatCannotBeIsRefused) {
  for (const double rate :
       {-1.0, 1e-7, 1e7, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    const absl::Status status =
        worker_->RegisterAsync("mail", Ignore, Rate(rate));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << rate;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("task \"mail\": rate.jobs_per_second is "));
  }
  for (const int burst : {-1, 0, 1000001}) {
    const absl::Status status =
        worker_->RegisterAsync("mail", Ignore, Rate(1, burst));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << burst;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("task \"mail\": rate.burst is "));
  }
  EXPECT_THAT(worker_->tasks(), IsEmpty());
}

}  // namespace
}  // namespace gearman
