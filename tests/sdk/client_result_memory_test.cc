// The memory of a large result that a request no longer needs is used for a
// later one. Fresh memory costs more than reading into it.
#include <memory>
#include <string>
#include <utility>

#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

class ClientResultMemoryTest : public ClientTest {
 protected:
  // Plays the server of one job with this result. Returns the address of the
  // result.
  const char* Complete(const JobRequest& request, const std::string& result) {
    if (server_ == nullptr)
      server_ = std::make_unique<PlayedServer>(&listener_);
    server_->ReceiveBody(kSubmitJob);
    server_->Send(kJobCreated, {"H:1"});
    server_->Send(kWorkComplete, {"H:1", result});
    EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
    EXPECT_TRUE(request.result_view() == result);
    return request.result_view().data();
  }

  const std::unique_ptr<Client> client_ = MakeClient();
  std::unique_ptr<PlayedServer> server_;
};

TEST_F(ClientResultMemoryTest, OfARequestThatIsSubmittedAgain) {
  JobRequest request = client_->SubmitJob(ReverseSpec());
  const char* const place = Complete(request, std::string(1 << 20, 'a'));
  ASSERT_TRUE(request.Reset().ok());
  ASSERT_TRUE(client_->SubmitMultipleRequests({request}).ok());
  EXPECT_EQ(Complete(request, std::string(1 << 20, 'b')), place);
}

TEST_F(ClientResultMemoryTest, OfARequestThatIsGone) {
  const char* place = nullptr;
  {
    const JobRequest request = client_->SubmitJob(ReverseSpec("1"));
    place = Complete(request, std::string(1 << 20, 'a'));
  }
  const JobRequest request = client_->SubmitJob(ReverseSpec("2"));
  EXPECT_EQ(Complete(request, std::string(1 << 20, 'b')), place);
}

// The user's string has that memory.
TEST_F(ClientResultMemoryTest, IsTheUsersIfTheResultWasTaken) {
  JobRequest request = client_->SubmitJob(ReverseSpec());
  Complete(request, std::string(1 << 20, 'a'));
  const std::string taken = *request.TakeResult();
  ASSERT_TRUE(request.Reset().ok());
  ASSERT_TRUE(client_->SubmitMultipleRequests({request}).ok());
  EXPECT_NE(Complete(request, std::string(1 << 20, 'b')), taken.data());
  EXPECT_TRUE(taken == std::string(1 << 20, 'a'));
}

}  // namespace
}  // namespace gearman
