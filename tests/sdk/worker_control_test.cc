// Tests of WorkerOptions::control_task, on a virtual clock.
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
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

class WorkerControlTest : public WorkerLimitsTest {
 protected:
  WorkerControlTest() { worker_ = &StartWith("control/1", "first"); }

  Worker& StartWith(const std::string& control, const std::string& name,
                    WorkerLimits limits = {}) {
    WorkerOptions options = stack_.WorkerDefaults(name, {"inproc://jobs"});
    options.control_task = control;
    options.limits = limits;
    return stack_.StartWorker(name, std::move(options));
  }
  // Gives an order, and returns the paused tasks, or the error.
  std::string Order(const std::string& order,
                    const std::string& control = "control/1") {
    const absl::StatusOr<std::string> paused = client_->Run(control, order);
    return paused.ok() ? *paused : paused.status().ToString();
  }
};

TEST_F(WorkerControlTest, OrdersPauseAndResumeTasks) {
  RegisterQuick(*worker_, "echo");
  RegisterQuick(*worker_, "with blanks in it");
  EXPECT_EQ(Order("paused"), "");
  EXPECT_EQ(Order("pause echo"), "echo");
  EXPECT_EQ(Order("pause with blanks in it"), "echo\nwith blanks in it");
  EXPECT_THAT(worker_->paused_tasks(),
              ElementsAre("echo", "with blanks in it"));
  Submit("echo", 3);
  Pass(absl::Minutes(1));
  EXPECT_THAT(done_, IsEmpty());
  EXPECT_EQ(Order("resume echo"), "with blanks in it");
  EXPECT_EQ(Order("paused"), "with blanks in it");
  Settle();
  EXPECT_THAT(done_, SizeIs(3));
}

TEST_F(WorkerControlTest, AnOrderReachesItsWorkerAlone) {
  Worker& second = StartWith("control/2", "second");
  for (Worker* const worker : {worker_, &second})
    RegisterQuick(*worker, "echo");
  EXPECT_EQ(Order("pause echo", "control/2"), "echo");
  EXPECT_THAT(worker_->paused_tasks(), IsEmpty());
  EXPECT_THAT(second.paused_tasks(), ElementsAre("echo"));
}

TEST_F(WorkerControlTest, AWorkerTakesOrdersWhileItTakesNoJobs) {
  WorkerLimits limits;
  limits.max_pending_jobs = 1;
  worker_ = &StartWith("control/2", "second", limits);
  RegisterHeld("slow");
  Submit("slow", 3);
  Pass(absl::Minutes(1));
  ASSERT_THAT(running_, SizeIs(1));
  EXPECT_EQ(Order("pause slow", "control/2"), "slow");
  End();
  Pass(absl::Minutes(1));
  EXPECT_THAT(running_, IsEmpty());
  EXPECT_EQ(Order("resume slow", "control/2"), "");
  Settle();
  EXPECT_THAT(running_, SizeIs(1));
}

// The handler is on the thread that takes orders.
TEST_F(WorkerControlTest, AHandlerThatLooksAtItsStopTokenLetsOrdersIn) {
  const auto other = stack_.MakeClient("other client", {"inproc://jobs"});
  bool paused = false;
  ASSERT_TRUE(
      worker_
          ->Register("slow",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       const JobRequest order =
                           other->SubmitJob("control/1", "pause slow");
                       context.stop_token().WaitFor(absl::Seconds(1));
                       paused = worker_->paused_tasks().size() == 1;
                       return "";
                     })
          .ok());
  EXPECT_TRUE(client_->Run("slow", "").ok());
  EXPECT_TRUE(paused);
}

TEST_F(WorkerControlTest, AnOrderThatCannotBeDoneSaysWhy) {
  EXPECT_THAT(Order("pause none"),
              HasSubstr("NOT_FOUND: task \"none\" is not registered"));
  EXPECT_THAT(Order("pause"), HasSubstr("task \"\" is not registered"));
  for (const char* order : {"", "stop", "paused none", "Pause x", "pausex"}) {
    EXPECT_THAT(Order(order),
                HasSubstr(absl::StrCat("\"", order, "\" is no order")));
  }
}

TEST_F(WorkerControlTest, TheControlTaskIsNoTaskOfTheUsers) {
  RegisterQuick(*worker_, "echo");
  EXPECT_THAT(worker_->tasks(), ElementsAre("echo"));
  const absl::Status status =
      worker_->RegisterAsync("control/1", [](PendingJob) {});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("control_task"));
  for (const absl::Status& other :
       {worker_->Unregister("control/1"), worker_->Pause("control/1"),
        worker_->Resume("control/1")}) {
    EXPECT_EQ(other.code(), absl::StatusCode::kNotFound) << other;
  }
  EXPECT_THAT(Order("pause control/1"), HasSubstr("is not registered"));
}

TEST_F(WorkerControlTest, ThePrefixStandsBeforeTheControlTaskToo) {
  WorkerOptions options = stack_.WorkerDefaults("prefixed", {"inproc://jobs"});
  options.control_task = "control";
  options.task_prefix = "staging/";
  worker_ = &stack_.StartWorker("prefixed", std::move(options));
  RegisterQuick(*worker_, "echo");
  EXPECT_EQ(Order("pause echo", "staging/control"), "echo");
}

TEST_F(WorkerControlTest, ANameThatNoServerTakesIsRefused) {
  WorkerOptions options;
  options.servers = {"inproc://jobs"};
  for (const std::string& name :
       {std::string("a\nb"), std::string(10000, 'x')}) {
    options.control_task = name;
    const auto worker = Worker::Create(options);
    ASSERT_FALSE(worker.ok());
    EXPECT_EQ(worker.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(worker.status().message()),
                HasSubstr("control_task"));
  }
}

}  // namespace
}  // namespace gearman
