// Tests of a TraceObserver of a worker, on a virtual clock: the processing of
// jobs.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/recording_observer.h"
#include "gearman/tests/sdk/tracing_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::IsEmpty;
using testing::RecordedSpan;

class WorkerTracingTest : public TracingTest {
 protected:
  // A worker whose task "later" leaves its job pending.
  void StartWorkerOfLater() {
    EXPECT_TRUE(
        StartWorker()
            .RegisterAsync(
                "later", [this](PendingJob job) { pending_ = std::move(job); })
            .ok());
  }

  PendingJob pending_;
};

TEST_F(WorkerTracingTest, AJobThatIsLateEndsWhenItsHandlerReturns) {
  stack_.StartServer("jobs");
  TaskOptions options;
  options.time_limit = absl::Seconds(1);
  ASSERT_TRUE(StartWorker()
                  .Register(
                      "slow",
                      [this](JobContext& context) {
                        context.stop_token().WaitFor(absl::Minutes(1));
                        EXPECT_TRUE(context.stop_token().stop_requested());
                        // Answered, and not done.
                        stack_.simulation.clock()->Advance(absl::Seconds(2));
                        return absl::StatusOr<std::string>("late");
                      },
                      options)
                  .ok());
  StartClient();
  EXPECT_FALSE(client_->Run("slow", "").ok());
  stack_.simulation.RunFor(absl::Minutes(2));
  const RecordedSpan span = Spans(TraceOperation::kProcess).at(0);
  EXPECT_EQ(span.error_type, "timed_out");
  EXPECT_EQ(span.end_time - span.begin_time, absl::Seconds(3));
}

TEST_F(WorkerTracingTest, APendingJobEndsWithItsAnswer) {
  stack_.StartServer("jobs");
  StartWorkerOfLater();
  StartClient();
  const JobRequest request = client_->SubmitJob("later", "");
  DriveClient();
  stack_.simulation.RunFor(absl::Seconds(3));
  EXPECT_EQ(Spans(TraceOperation::kProcess).at(0).ends, 0);
  pending_.Finish(std::string("done"));
  stack_.simulation.RunUntil([&] { return request.finished(); });
  const RecordedSpan span = Spans(TraceOperation::kProcess).at(0);
  EXPECT_EQ(span.ends, 1);
  EXPECT_EQ(span.outcome, "complete");
  EXPECT_EQ(span.end_time - span.begin_time, absl::Seconds(3));
}

TEST_F(WorkerTracingTest, AJobWhoseServerIsLostEndsAsLost) {
  stack_.StartServer("jobs");
  StartWorkerOfLater();
  StartClient();
  const JobRequest request = client_->SubmitBackgroundJob("later", "");
  ASSERT_TRUE(client_->Wait(request).ok());
  stack_.simulation.RunFor(absl::Seconds(1));
  stack_.KillServer("jobs");
  stack_.simulation.RunFor(absl::Minutes(1));
  const RecordedSpan span = Spans(TraceOperation::kProcess).at(0);
  EXPECT_EQ(span.ends, 1);
  EXPECT_EQ(span.error_type, "lost");
  pending_.Finish(std::string("too late"));
  stack_.simulation.RunFor(absl::Minutes(1));
}

TEST_F(WorkerTracingTest, TheEndOfTheWorkerEndsWhatItHolds) {
  stack_.StartServer("jobs");
  StartWorkerOfLater();
  StartClient();
  const JobRequest request = client_->SubmitBackgroundJob("later", "");
  ASSERT_TRUE(client_->Wait(request).ok());
  stack_.simulation.RunFor(absl::Seconds(1));
  stack_.KillWorker("worker");
  const RecordedSpan span = Spans(TraceOperation::kProcess).at(0);
  EXPECT_EQ(span.ends, 1);
  EXPECT_EQ(span.error_type, "lost");
}

TEST_F(WorkerTracingTest, JobsThatWereNeverBegunHaveNoSpan) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "jobs");
  StartWorker();
  auto server = played.Accept();
  while (server->Receive() != "GRAB_JOB_ALL") {
  }
  stack_.KillWorker("worker");
  EXPECT_THAT(observer_->spans(), IsEmpty());
}

TEST_F(WorkerTracingTest, AHandlerSeesItsSpan) {
  stack_.StartServer("jobs");
  TraceSpan* seen = nullptr;
  ASSERT_TRUE(StartWorker()
                  .Register("look",
                            [&](JobContext& context) {
                              seen = context.span();
                              return absl::StatusOr<std::string>("");
                            })
                  .ok());
  StartClient();
  ASSERT_TRUE(client_->Run("look", "").ok());
  EXPECT_NE(seen, nullptr);
}

}  // namespace
}  // namespace gearman
