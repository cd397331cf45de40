// JobContext, PendingJob and StopToken need the record of their job, and no
// worker: this test links none.
#include "gearman/sdk/job_context.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/sdk/testing/simulated_poller.h"
#include "gearman/sdk/testing/simulation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using internal::Access;
using ::testing::SizeIs;

// A job that is held, and what is posted about it.
class JobContextTest : public ::testing::Test {
 protected:
  JobContextTest() {
    held_->job =
        Job("reverse", "u", std::make_shared<const std::string>("hello"),
            "tcp://jobs", "H:1");
    held_->mailbox = mailbox_;
  }
  ~JobContextTest() override { mailbox_->Close(); }

  std::vector<internal::Message> Posted() {
    std::vector<internal::Message> messages;
    mailbox_->Take(&messages);
    return messages;
  }

  testing::Simulation simulation_{1};
  const std::shared_ptr<internal::Mailbox> mailbox_ =
      std::make_shared<internal::Mailbox>(
          std::make_shared<testing::SimulatedPoller>(&simulation_), 1 << 20,
          1 << 20);
  const internal::HeldJobPtr held_ = std::make_shared<internal::HeldJob>();
};

TEST_F(JobContextTest, ShowsTheJobOfItsRecord) {
  const JobContext context = Access::Make<JobContext>(held_);
  EXPECT_EQ(context.job().handle(), "H:1");
  EXPECT_EQ(context.job().data(), "hello");
}

TEST_F(JobContextTest, AnUpdateIsPosted) {
  JobContext context = Access::Make<JobContext>(held_);
  ASSERT_TRUE(context.SendData("half").ok());
  const std::vector<internal::Message> posted = Posted();
  ASSERT_THAT(posted, SizeIs(1));
  EXPECT_EQ(posted[0].kind, internal::Message::Kind::kData);
  EXPECT_EQ(posted[0].bytes, "half");
}

TEST_F(JobContextTest, ATokenFiresWithTheRecordAndOutlivesTheContext) {
  StopToken token;
  {
    const JobContext context = Access::Make<JobContext>(held_);
    token = context.stop_token();
  }
  EXPECT_FALSE(token.stop_requested());
  held_->stop.Fire(StopReason::kTimeLimit);
  EXPECT_EQ(token.reason(), StopReason::kTimeLimit);
}

TEST_F(JobContextTest, AnAnswerIsPostedOnce) {
  PendingJob job = Access::Make<PendingJob>(held_);
  job.Finish(std::string("olleh"));
  job.Finish(JobFailed("too late"));
  const std::vector<internal::Message> posted = Posted();
  ASSERT_THAT(posted, SizeIs(1));
  EXPECT_EQ(posted[0].kind, internal::Message::Kind::kFinished);
  EXPECT_EQ(*posted[0].result, "olleh");
}

TEST_F(JobContextTest, ADroppedJobIsPostedAsFailed) {
  std::optional<PendingJob> job = Access::Make<PendingJob>(held_);
  job.reset();
  const std::vector<internal::Message> posted = Posted();
  ASSERT_THAT(posted, SizeIs(1));
  EXPECT_EQ(posted[0].result.status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(posted[0].forgotten);
}

}  // namespace
}  // namespace gearman
