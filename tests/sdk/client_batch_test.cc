// Requests that stand twice in one batch: each is submitted once, however it
// ends meanwhile.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

class ClientBatchTest : public ClientTest {
 protected:
  // A request that counts how often it ends.
  JobRequest Counted(CallOptions options = {}) {
    JobSpec spec("t", "");
    spec.options = std::move(options);
    spec.options.callbacks.on_complete = [this](const JobRequest&) { ++ends_; };
    return JobRequest(std::move(spec));
  }
  // Submits `request` twice in one batch, and returns its status.
  absl::Status SubmitTwice(Client& client, const JobRequest& request) {
    EXPECT_TRUE(client.SubmitMultipleRequests({request, request}).ok());
    return client.Wait(request, kLong);
  }

  int ends_ = 0;
};

TEST_F(ClientBatchTest, AnInvalidRequestIsRefusedOnce) {
  auto client = MakeClient();
  CallOptions options;
  options.unique = std::string(64, 'u');
  const JobRequest request = Counted(std::move(options));
  EXPECT_TRUE(absl::IsInvalidArgument(SubmitTwice(*client, request)));
  EXPECT_EQ(ends_, 1);
}

TEST_F(ClientBatchTest, ARequestThatFindsNoRoomIsRefusedOnce) {
  ClientOptions options = Options();
  options.limits.max_requests_in_flight = 1;
  options.limits.when_full = WhenFull::kFail;
  auto client = MakeClient(std::move(options));
  client->SubmitJob("t", "");
  const JobRequest request = Counted();
  EXPECT_TRUE(absl::IsResourceExhausted(SubmitTwice(*client, request)));
  EXPECT_EQ(ends_, 1);
}

TEST_F(ClientBatchTest, ARequestWhoseServerRefusesAtOnceIsTriedOnce) {
  ClientOptions options = Options();
  options.servers = {"inproc://none"};
  options.transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(options.transports
                  ->Register("inproc", std::make_shared<InprocTransportFactory>(
                                           std::make_shared<InprocNetwork>()))
                  .ok());
  auto client = MakeClient(std::move(options));
  const JobRequest request = Counted();
  EXPECT_FALSE(SubmitTwice(*client, request).ok());
  EXPECT_EQ(ends_, 1);
}

TEST_F(ClientBatchTest, ARequestThatEndsWhileTheNextWaitsForRoomEndsOnce) {
  ClientOptions options = Options();
  options.limits.max_requests_in_flight = 1;
  auto client = MakeClient(std::move(options));
  CallOptions soon;
  soon.timeout = absl::Milliseconds(10);
  const JobRequest request = Counted(soon);
  JobSpec next("t", "");
  next.options = soon;
  ASSERT_TRUE(
      client->SubmitMultipleRequests({request, JobRequest(next), request})
          .ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(client->Wait(request, kLong)));
  EXPECT_EQ(ends_, 1);
}

TEST_F(ClientBatchTest, TheNextBatchSubmitsWhatWasRefusedAgain) {
  auto client = MakeClient();
  CallOptions options;
  options.unique = std::string(64, 'u');
  const JobRequest request = Counted(std::move(options));
  for (int batch = 1; batch <= 3; ++batch) {
    EXPECT_TRUE(absl::IsInvalidArgument(SubmitTwice(*client, request)));
    EXPECT_EQ(ends_, batch);
  }
}

}  // namespace
}  // namespace gearman
