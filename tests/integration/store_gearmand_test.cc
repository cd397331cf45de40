// A client of two gearmands, one of which has a persistent queue that fails.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/server_selection/ordered_selector.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/integration/database_lock.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class StoreGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(storing_.ok());
    ASSERT_TRUE(other_.ok());
    ClientOptions options;
    // A job goes to the first server that takes it.
    options.servers = {storing_.address(), other_.address()};
    options.server_selector = std::make_shared<OrderedServerSelector>();
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  // Submits a background job while the store fails, and returns its request.
  JobRequest SubmitToFailingStore(CallOptions call) {
    const DatabaseLock lock(path_);
    JobRequest request =
        client_->SubmitBackgroundJob("thumbnail", "image 17", std::move(call));
    client_->Wait(request, kLong).IgnoreError();
    EXPECT_TRUE(request.finished());
    return request;
  }

  const support::TestDirectory directory_;
  const std::string path_ = directory_.File("queue.db");
  support::GearmandProcess storing_{
      {"-q", "libsqlite3", absl::StrCat("--libsqlite3-db=", path_)}};
  support::GearmandProcess other_;
  std::unique_ptr<Client> client_;
};

TEST_F(StoreGearmandTest, AJobThatTheStoreMayHoldIsNotGivenToAnotherServer) {
  const JobRequest request = SubmitToFailingStore({});
  const absl::Status status = request.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr(storing_.address()), HasSubstr("QUEUE_ERROR"),
                    HasSubstr("the job may be stored there")));
  EXPECT_THAT(*other_.Admin("status"),
              Not(Contains(StartsWith("thumbnail\t1"))));
}

TEST_F(StoreGearmandTest, AJobThatMayRunTwiceIsGivenToAnotherServer) {
  CallOptions call;
  call.idempotent = true;
  const JobRequest request = SubmitToFailingStore(std::move(call));
  EXPECT_TRUE(request.status().ok()) << request.status();
  EXPECT_EQ(request.connection(), other_.address());
  EXPECT_THAT(*other_.Admin("status"), Contains(StartsWith("thumbnail\t1")));
}

}  // namespace
}  // namespace gearman
