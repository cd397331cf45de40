// The end of a client: what is in flight is told of it, and what is submitted
// from then on is refused at once.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::SizeIs;

class ClientShutdownTest : public ClientTest {
 protected:
  // A callback submits again at most so often: a client that does not refuse
  // its submissions fails the test, which still ends.
  static constexpr int kEndless = 100;

  // A job whose end, if it was cancelled, makes another one like it.
  JobSpec Stubborn(Client* client) {
    JobSpec spec("t", "");
    spec.options.callbacks.on_complete = [this,
                                          client](const JobRequest& request) {
      if (++ends_ == kEndless || !absl::IsCancelled(request.status())) return;
      again_.push_back(client->SubmitJob(Stubborn(client)));
    };
    return spec;
  }

  int ends_ = 0;
  std::vector<JobRequest> again_;
};

TEST_F(ClientShutdownTest, ACallbackThatSubmitsAgainIsRefusedAtOnce) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(Stubborn(client.get()));
  client = nullptr;
  EXPECT_TRUE(absl::IsCancelled(request.status()));
  EXPECT_EQ(ends_, 1);
  ASSERT_THAT(again_, SizeIs(1));
  EXPECT_TRUE(again_[0].finished());
  EXPECT_TRUE(absl::IsCancelled(again_[0].status()));
}

TEST_F(ClientShutdownTest, ACallbackThatSubmitsItsRequestAgainIsRefusedAtOnce) {
  auto client = MakeClient();
  JobSpec spec("t", "");
  absl::Status status;
  spec.options.callbacks.on_complete =
      [&, raw = client.get()](const JobRequest& request) {
        if (++ends_ == kEndless) return;
        status = raw->SubmitMultipleRequests({request});
        EXPECT_TRUE(request.finished());
      };
  const JobRequest request = client->SubmitJob(std::move(spec));
  client = nullptr;
  EXPECT_TRUE(absl::IsCancelled(request.status()));
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(ends_, 1);
}

TEST_F(ClientShutdownTest, AHookThatSubmitsAgainIsRefusedAtOnce) {
  ClientOptions options = Options();
  Client* raw = nullptr;
  int intercepted = 0;
  options.interceptors.push_back([&](OutgoingJob& job) {
    ++intercepted;
    job.OnEnd([&](const JobRequest&, absl::StatusOr<std::string>& result) {
      if (++ends_ == kEndless || !absl::IsCancelled(result.status())) return;
      again_.push_back(raw->SubmitJob("t", ""));
    });
  });
  auto client = MakeClient(std::move(options));
  raw = client.get();
  client->SubmitJob("t", "");
  client = nullptr;
  EXPECT_EQ(intercepted, 1);
  EXPECT_EQ(ends_, 1);
  ASSERT_THAT(again_, SizeIs(1));
  EXPECT_TRUE(again_[0].finished());
  EXPECT_TRUE(absl::IsCancelled(again_[0].status()));
}

TEST_F(ClientShutdownTest, ACallbackThatRunsWhenTheEndBeginsIsRefusedAtOnce) {
  auto client = MakeClient();
  absl::Notification in_callback;
  JobSpec spec("t", "");
  spec.options.unique = std::string(64, 'u');  // refused, so that it ends
  spec.options.callbacks.on_complete = [&,
                                        raw = client.get()](const JobRequest&) {
    in_callback.Notify();
    // A question tells which it is: asked by a callback, or too late.
    EXPECT_TRUE(support::WaitFor(
        [raw] { return absl::IsCancelled(raw->Echo().status()); }));
    again_.push_back(raw->SubmitJob(Stubborn(raw)));
    EXPECT_TRUE(again_[0].finished());
  };
  client->SubmitJob(std::move(spec));
  ASSERT_TRUE(in_callback.WaitForNotificationWithTimeout(kLong));
  client = nullptr;
  ASSERT_THAT(again_, SizeIs(1));
  EXPECT_TRUE(absl::IsCancelled(again_[0].status()));
  EXPECT_EQ(ends_, 0);
}

}  // namespace
}  // namespace gearman
