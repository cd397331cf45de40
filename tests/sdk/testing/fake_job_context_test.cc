// A handler is tested without a worker.
#include "gearman/sdk/testing/fake_job_context.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_update.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/sdk/testing/matchers.h"
#include "gearman/tests/support/body_sources.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(FakeJobContextTest, TheHandlerSeesTheFactsOfTheJob) {
  FakeJob job;
  job.task = "resize";
  job.data = "image";
  job.unique = "u1";
  job.handle = "H:a:7";
  job.connection = "tcp://a:4730";
  job.reducer = "join";
  job.time_limit = absl::Seconds(5);
  FakeJobContext fake(std::move(job));
  const absl::Time begin = fake.clock().Now();
  const auto result =
      fake.Run([&](JobContext& context) -> absl::StatusOr<std::string> {
        EXPECT_EQ(context.job().task(), "resize");
        EXPECT_EQ(context.job().data(), "image");
        EXPECT_EQ(context.job().unique(), "u1");
        EXPECT_EQ(context.job().handle(), "H:a:7");
        EXPECT_EQ(context.job().connection(), "tcp://a:4730");
        EXPECT_EQ(context.reducer(), "join");
        EXPECT_EQ(context.started(), begin);
        EXPECT_EQ(context.deadline(), begin + absl::Seconds(5));
        EXPECT_EQ(context.span(), nullptr);
        return std::string("done");
      });
  EXPECT_THAT(result, IsComplete("done"));
  EXPECT_THAT(*fake.answer(), IsComplete("done"));
}

TEST(FakeJobContextTest, KeepsWhatTheHandlerSentInItsOrder) {
  FakeJobContext fake("x");
  const auto result =
      fake.Run([](JobContext& context) -> absl::StatusOr<std::string> {
        EXPECT_TRUE(context.SendStatus(1, 2).ok());
        EXPECT_TRUE(context.SendData("first").ok());
        EXPECT_FALSE(context.stop_token().WaitFor(absl::Hours(1)));
        EXPECT_TRUE(context.SendWarning("careful").ok());
        EXPECT_TRUE(context.SendStatus(2, 2).ok());
        EXPECT_TRUE(context.SendData("second").ok());
        return std::string();
      });
  EXPECT_THAT(result, IsComplete(""));
  EXPECT_THAT(fake.data(), ElementsAre("first", "second"));
  EXPECT_THAT(fake.warnings(), ElementsAre("careful"));
  EXPECT_THAT(fake.statuses(), ElementsAre(Pair(1, 2), Pair(2, 2)));
  ASSERT_THAT(fake.updates(), SizeIs(5));
  EXPECT_EQ(fake.updates()[1].kind, JobUpdate::Kind::kData);
  EXPECT_EQ(fake.updates()[2].kind, JobUpdate::Kind::kWarning);
  EXPECT_EQ(fake.updates()[2].time_received - fake.updates()[1].time_received,
            absl::Hours(1));
}

TEST(FakeJobContextTest, KeepsTheBodyOfTheResult) {
  const auto body = std::make_shared<PatternSource>(5);
  FakeJobContext fake("");
  EXPECT_EQ(fake.result_body(), nullptr);
  EXPECT_THAT(fake.Run([&](JobContext& context) {
    context.SetBody(body);
    return std::string("head");
  }),
              IsComplete("head"));
  EXPECT_EQ(fake.result_body(), body);

  FakeJobContext pending("");
  pending.RunAsync([&](PendingJob job) { job.FinishWithBody(body); });
  EXPECT_EQ(pending.result_body(), body);
  EXPECT_THAT(*pending.answer(), IsComplete(""));
}

TEST(FakeJobContextTest, AnErrorAndAnExceptionAreAnswers) {
  FakeJobContext error("");
  EXPECT_THAT(error.Run([](JobContext&) -> absl::StatusOr<std::string> {
    return absl::NotFoundError("no image 17");
  }),
              FailedWith(absl::StatusCode::kNotFound, "no image 17"));
  FakeJobContext thrown("");
  EXPECT_THAT(thrown.Run([](JobContext&) -> absl::StatusOr<std::string> {
    throw std::runtime_error("out of paper");
  }),
              FailedWith(absl::StatusCode::kUnknown, "out of paper"));
}

TEST(FakeJobContextTest, TheTokenFiresAtTheTimeThatTheTestGives) {
  FakeJobContext fake("");
  const absl::Time begin = fake.clock().Now();
  fake.StopAfter(absl::Minutes(10), StopReason::kDrainLimit);
  int rounds = 0;
  StopReason reason = StopReason::kNone;
  const auto result =
      fake.Run([&](JobContext& context) -> absl::StatusOr<std::string> {
        while (!context.stop_token().WaitFor(absl::Minutes(3))) ++rounds;
        reason = context.stop_token().reason();
        EXPECT_EQ(context.SendData("late").code(),
                  absl::StatusCode::kCancelled);
        return absl::CancelledError("stopped");
      });
  EXPECT_THAT(result, FailedWith(absl::StatusCode::kCancelled));
  EXPECT_EQ(rounds, 3);
  EXPECT_EQ(reason, StopReason::kDrainLimit);
  EXPECT_EQ(fake.clock().Now() - begin, absl::Minutes(10));
  EXPECT_THAT(fake.updates(), IsEmpty());
}

TEST(FakeJobContextTest, TheTokenFiresAtTheTimeLimit) {
  FakeJob job;
  job.time_limit = absl::Seconds(30);
  FakeJobContext fake(job);
  fake.StopAfter(absl::Minutes(1));
  bool called = false;
  const auto result =
      fake.Run([&](JobContext& context) -> absl::StatusOr<std::string> {
        context.stop_token().OnStop([&called] { called = true; });
        EXPECT_TRUE(context.stop_token().WaitFor(absl::Hours(1)));
        EXPECT_EQ(context.stop_token().reason(), StopReason::kTimeLimit);
        return std::string("late");
      });
  EXPECT_THAT(result, IsComplete("late"));
  EXPECT_TRUE(called);
}

TEST(FakeJobContextTest, TheTokenFiresAtACheckOfAHandlerThatNeverWaits) {
  FakeJobContext fake("");
  fake.StopAtCheck(4, StopReason::kConnectionLost);
  int done = 0;
  const auto result =
      fake.Run([&](JobContext& context) -> absl::StatusOr<std::string> {
        while (!context.stop_token().stop_requested()) ++done;
        return std::string("partial");
      });
  EXPECT_THAT(result, IsComplete("partial"));
  EXPECT_EQ(done, 3);
}

TEST(FakeJobContextTest, TheTokenFiresWhenAnUpdateIsSent) {
  FakeJobContext fake("");
  fake.OnUpdate([&fake](const JobUpdate& update) {
    if (update.numerator == 2) fake.Stop();
  });
  const auto result =
      fake.Run([](JobContext& context) -> absl::StatusOr<std::string> {
        for (int i = 1; i <= 5; ++i) {
          const absl::Status sent = context.SendStatus(i, 5);
          if (!sent.ok()) return sent;
        }
        return std::string("all");
      });
  EXPECT_THAT(result,
              FailedWith(absl::StatusCode::kCancelled, HasSubstr("stopped")));
  EXPECT_THAT(fake.statuses(), ElementsAre(Pair(1, 5), Pair(2, 5)));
}

TEST(FakeJobContextTest, AWaitThatNothingEndsIsNamed) {
  FakeJobContext fake("");
  EXPECT_THAT(fake.Run([](JobContext& context) -> absl::StatusOr<std::string> {
    context.stop_token().WaitFor(absl::InfiniteDuration());
    return std::string("never");
  }),
              FailedWith(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("StopAfter")));
  FakeJobContext loop("");
  EXPECT_THAT(loop.Run([](JobContext& context) -> absl::StatusOr<std::string> {
    while (!context.stop_token().WaitFor(absl::Seconds(1))) continue;
    return std::string("never");
  }),
              FailedWith(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("StopAfter")));
}

TEST(FakeJobContextTest, UpdatesOfAHandlersThreadsAreKept) {
  FakeJobContext fake("");
  const auto result =
      fake.Run([](JobContext& context) -> absl::StatusOr<std::string> {
        std::thread helper([&context] {
          EXPECT_TRUE(context.SendData("from a thread").ok());
        });
        helper.join();
        EXPECT_TRUE(context.SendData("from the handler").ok());
        return std::string();
      });
  EXPECT_THAT(result, IsComplete());
  EXPECT_THAT(fake.data(), ElementsAre("from a thread", "from the handler"));
}

TEST(FakeJobContextTest, NothingIsSentAfterTheEnd) {
  FakeJobContext fake("");
  EXPECT_THAT(fake.Run([](JobContext&) -> absl::StatusOr<std::string> {
    return std::string();
  }),
              IsComplete());
  EXPECT_EQ(fake.context().SendData("late").code(),
            absl::StatusCode::kCancelled);
  EXPECT_THAT(fake.Run([](JobContext&) -> absl::StatusOr<std::string> {
    return std::string();
  }),
              FailedWith(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("a FakeJobContext of its own")));
}

TEST(FakeJobContextTest, AnUpdateHasItsLimit) {
  FakeJob job;
  job.max_packet_bytes = 100;
  FakeJobContext fake(job);
  EXPECT_TRUE(fake.context().SendData(std::string(50, 'x')).ok());
  EXPECT_EQ(fake.context().SendData(std::string(100, 'x')).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(fake.data(), SizeIs(1));
}

TEST(FakeJobContextTest, APendingJobIsAnsweredLaterByAnyThread) {
  FakeJobContext fake("x");
  PendingJob held;
  fake.RunAsync([&held](PendingJob job) { held = std::move(job); });
  EXPECT_FALSE(fake.answer().has_value());
  EXPECT_TRUE(held.SendStatus(1, 1).ok());
  std::thread([&held] { held.Finish(std::string("later")); }).join();
  ASSERT_TRUE(fake.answer().has_value());
  EXPECT_THAT(*fake.answer(), IsComplete("later"));
  EXPECT_THAT(fake.statuses(), ElementsAre(Pair(1, 1)));
}

TEST(FakeJobContextTest, APendingJobThatIsDroppedHasFailed) {
  FakeJobContext in_handler("");
  in_handler.RunAsync([](PendingJob) {});
  ASSERT_TRUE(in_handler.answer().has_value());
  EXPECT_THAT(*in_handler.answer(), FailedWith(absl::StatusCode::kAborted));
  FakeJobContext later("");
  PendingJob held;
  later.RunAsync([&held](PendingJob job) { held = std::move(job); });
  held = PendingJob();
  ASSERT_TRUE(later.answer().has_value());
  EXPECT_THAT(*later.answer(), FailedWith(absl::StatusCode::kAborted));
}

TEST(FakeJobContextTest, APendingJobMayBeGivenBack) {
  FakeJobContext fake("x");
  fake.RunAsync([](PendingJob job) { job.GiveBack(); });
  ASSERT_TRUE(fake.answer().has_value());
  EXPECT_EQ(fake.answer()->status().code(), absl::StatusCode::kUnavailable);
}

TEST(FakeJobContextTest, TokensAndPendingJobsMayOutliveIt) {
  StopToken token;
  PendingJob held;
  {
    FakeJobContext fake("");
    token = fake.context().stop_token();
    fake.RunAsync([&held](PendingJob job) { held = std::move(job); });
  }
  EXPECT_FALSE(token.stop_requested());
  EXPECT_EQ(held.SendData("late").code(), absl::StatusCode::kCancelled);
  held.Finish(std::string("late"));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
