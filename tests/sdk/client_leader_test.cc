// Tests of changes that a sleeping leader must be told of. The server is
// silent, and nothing comes by itself.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/bounds.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

class ClientLeaderTest : public ClientTest {
 protected:
  ClientLeaderTest() {
    ClientOptions options = Options();
    options.reply_timeout = absl::InfiniteDuration();
    options.heartbeat_interval = absl::InfiniteDuration();
    options.limits.max_requests_in_flight = 2;
    client_ = MakeClient(std::move(options));
    request_ = std::make_unique<JobRequest>(client_->SubmitJob("slow", ""));
    server_ = std::make_unique<PlayedServer>(&listener_);
    server_->ReceiveBody(kSubmitJob);
    server_->Send(kJobCreated, {"H:1"});
    leader_ = std::thread(
        [this] { EXPECT_TRUE(absl::IsCancelled(client_->Wait(*request_))); });
  }
  ~ClientLeaderTest() override {
    request_->Cancel();
    leader_.join();
  }

  // Calls it some times: when it returns for the first time, the other thread
  // leads at the latest. False: it does not return.
  bool Returns(absl::FunctionRef<void()> call) {
    absl::Notification returned;
    std::thread thread([&] {
      for (int i = 0; i < 3; ++i) call();
      returned.Notify();
    });
    const bool in_time =
        returned.WaitForNotificationWithTimeout(support::kBound);
    // Lets it return in any case.
    while (!returned.HasBeenNotified()) {
      request_->Cancel();
      client_->RunOnce(absl::InfinitePast());
    }
    thread.join();
    return in_time;
  }
  static CallOptions Soon() {
    CallOptions options;
    options.timeout = absl::Milliseconds(10);
    return options;
  }

  std::unique_ptr<Client> client_;
  std::unique_ptr<JobRequest> request_;  // which the leader waits for
  std::unique_ptr<PlayedServer> server_;
  std::thread leader_;
};

TEST_F(ClientLeaderTest, ATimeoutOfAnotherThreadsRun) {
  EXPECT_TRUE(Returns([this] {
    EXPECT_TRUE(
        absl::IsDeadlineExceeded(client_->Run("t", "", Soon()).status()));
  }));
}

TEST_F(ClientLeaderTest, ACallbackOfAnotherThreadsRun) {
  EXPECT_TRUE(Returns([this] {
    int ends = 0;
    CallOptions options;
    options.unique = std::string(64, 'u');
    options.callbacks.on_complete = [&ends](const JobRequest&) { ++ends; };
    EXPECT_TRUE(
        absl::IsInvalidArgument(client_->Run("t", "", options).status()));
    EXPECT_EQ(ends, 1);
  }));
}

// The first of two takes the last room until its timeout.
TEST_F(ClientLeaderTest, ATimeoutThatMakesRoomForTheRestOfABatch) {
  EXPECT_TRUE(Returns([this] {
    std::vector<JobSpec> specs(2, JobSpec("t", ""));
    specs[0].options = Soon();
    const std::vector<JobRequest> requests =
        client_->SubmitMultipleJobs(std::move(specs));
    EXPECT_TRUE(absl::IsDeadlineExceeded(requests[0].status()));
    EXPECT_FALSE(requests[1].finished());
    requests[1].Cancel();
  }));
}

}  // namespace
}  // namespace gearman
