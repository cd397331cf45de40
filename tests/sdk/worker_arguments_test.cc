// Tests of the kinds of arguments that a worker takes: handlers and callbacks
// that can't be copied, each kind of text, and each kind of duration.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_interceptor.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/worker_fixture.h"

namespace gearman {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WorkerArgumentsTest : public WorkerTest {
 protected:
  // Starts the worker with the handler of the task "own".
  void StartWith(Worker::Handler handler) {
    Start({});
    ASSERT_TRUE(worker_->Register("own", std::move(handler)).ok());
    Accept();
    ASSERT_EQ(server_->Receive(), "CAN_DO own");
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
};

std::unique_ptr<std::string> Owned() {
  return std::make_unique<std::string>("owned");
}

TEST_F(WorkerArgumentsTest, AHandlerMayOwnWhatCannotBeCopied) {
  StartWith([owned = Owned()](JobContext&) -> absl::StatusOr<std::string> {
    return *owned;
  });
  Give("H:1", "own", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|owned");
}

TEST_F(WorkerArgumentsTest, AnAsyncHandlerMayOwnWhatCannotBeCopied) {
  StartAsyncAndGrab("own",
                    [owned = Owned()](PendingJob job) { job.Finish(*owned); });
  Give("H:1", "own", "");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|owned");
}

TEST_F(WorkerArgumentsTest, CallbacksMayOwnWhatCannotBeCopied) {
  std::vector<std::string> log;
  options_.interceptors.push_back([](IncomingJob& job) {
    job.OnEnd(
        [owned = Owned()](const Job&, absl::StatusOr<std::string>& result) {
          *result += *owned;
        });
  });
  StartWith([&](JobContext& context) -> absl::StatusOr<std::string> {
    context.stop_token().OnStop(
        [&log, owned = Owned()] { log.push_back(*owned); });
    if (context.job().data() == "stop") worker_->Stop();
    context.stop_token().WaitFor(1ms);
    return "and ";
  });
  Give("H:1", "own", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|and owned");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "own", "stop");
  Settle();
  EXPECT_THAT(log, ElementsAre("owned"));
}

TEST_F(WorkerArgumentsTest, HooksOfOptionsMayOwnWhatCannotBeCopied) {
  static_assert(std::is_copy_constructible_v<WorkerOptions>);
  std::vector<std::string> log;
  options_.interceptors.push_back([&log, owned = Owned()](IncomingJob& job) {
    log.push_back(*owned + " interceptor of " + std::string(job.job().task()));
  });
  options_.after_poll = [owned = Owned()](bool) {
    return *owned == "owned" ? Proceed::kContinue : Proceed::kStop;
  };
  options_.after_job = [&log, owned = Owned()](const JobReport& report) {
    log.push_back(*owned + " report of " + std::string(report.job.task()));
    return Proceed::kStop;
  };
  const WorkerOptions copy = options_;
  EXPECT_EQ(copy.after_poll(false), Proceed::kContinue);
  StartWith(Echo);
  Give("H:1", "own", "");
  Settle();
  EXPECT_TRUE(worker_->stopped());
  EXPECT_THAT(log,
              ElementsAre("owned interceptor of own", "owned report of own"));
}

// The worker would make a new connection at every look.
TEST_F(WorkerArgumentsTest, ALifetimeOfNothingIsRefused) {
  for (const absl::Duration lifetime :
       {absl::ZeroDuration(), -absl::Seconds(1)}) {
    options_.reconnect.connection_lifetime = lifetime;
    const absl::Status status = Worker::Create(options_).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("reconnect.connection_lifetime is "));
  }
}

TEST_F(WorkerArgumentsTest, AnEmptyHandlerIsRefused) {
  Start({});
  const auto invalid = absl::StatusCode::kInvalidArgument;
  absl::StatusOr<std::string> (*const function)(JobContext&) = nullptr;
  EXPECT_EQ(worker_->Register("f", nullptr).code(), invalid);
  EXPECT_EQ(worker_->Register("f", function).code(), invalid);
  EXPECT_EQ(worker_->Register("f", Worker::Handler()).code(), invalid);
  EXPECT_EQ(worker_->Register("f", Function()).code(), invalid);
  const Function constant;
  EXPECT_EQ(worker_->Register("f", constant).code(), invalid);
  EXPECT_EQ(worker_->RegisterAsync("f", nullptr).code(), invalid);
  EXPECT_EQ(worker_->RegisterAsync("f", Worker::AsyncHandler()).code(),
            invalid);
  EXPECT_EQ(
      worker_->RegisterAsync("f", std::function<void(PendingJob)>()).code(),
      invalid);
  const Function full = Echo;
  EXPECT_TRUE(worker_->Register("f", full).ok());
  EXPECT_THAT(worker_->tasks(), ElementsAre("f"));
}

TEST_F(WorkerArgumentsTest, AnEmptyCallbackDoesNothing) {
  options_.interceptors.push_back([](IncomingJob& job) { job.OnEnd(nullptr); });
  StartWith([this](JobContext& context) -> absl::StatusOr<std::string> {
    context.stop_token().OnStop(nullptr);
    if (context.job().data() == "stop") worker_->Stop();
    context.stop_token().WaitFor(1ms);
    context.stop_token().OnStop(nullptr);
    return "done";
  });
  Give("H:1", "own", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "own", "stop");
  Settle();
  EXPECT_TRUE(worker_->stopped());
}

TEST_F(WorkerArgumentsTest, TextIsTakenAndGivenAsEachKindOfView) {
  // The worker logs until the fixture ends.
  const auto log = std::make_shared<std::vector<std::string>>();
  options_.logger =
      Logger(LogLevel::kInfo, [log](LogLevel, std::string_view message) {
        log->emplace_back(message);
      });
  Start({});
  const std::string task = "reverse";
  const auto reverse = [](JobContext& context) -> absl::StatusOr<std::string> {
    const std::string_view standard = context.job().data();
    const absl::string_view abseil = context.job().data();
    if (standard.data() != abseil.data()) return JobFailed(standard);
    return std::string(standard.rbegin(), standard.rend());
  };
  EXPECT_TRUE(worker_->Register(std::string_view(task), reverse).ok());
  EXPECT_TRUE(worker_->Register(absl::string_view(task), reverse).ok());
  EXPECT_TRUE(worker_->Register(StringView(task), reverse).ok());
  EXPECT_TRUE(worker_->Register(task, reverse).ok());
  EXPECT_TRUE(worker_->Unregister(std::string_view(task)).ok());
  EXPECT_TRUE(worker_->Register("reverse", reverse).ok());
  EXPECT_TRUE(worker_->AddServer(std::string_view("inproc://other")).ok());
  EXPECT_TRUE(worker_->RemoveServer(std::string_view("inproc://other")).ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO reverse");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "reverse", "abc");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|cba");
  EXPECT_THAT(*log, ::testing::Contains(::testing::HasSubstr("connected")));
}

TEST_F(WorkerArgumentsTest, DurationsAreTakenAsEachKind) {
  options_.connect_timeout = 250ms;
  options_.heartbeat_interval = 1h;
  options_.regrab_interval = std::chrono::seconds::max();
  options_.reconnect.max_delay = 1.5s;
  options_.prefetch.max_wait = 1ms;
  TaskOptions limit;
  limit.time_limit = 2s;
  absl::Duration waited;
  Start({{"slow",
          [this, &waited](JobContext& context) {
            const absl::Time before = now();
            context.stop_token().WaitFor(1s);
            context.stop_token().WaitFor(absl::Hours(1));
            waited = now() - before;
            return Echo(context);
          }}},
        limit);
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(waited, absl::Seconds(2));
  worker_->Drain(1h);
}

}  // namespace
}  // namespace gearman
