// In process, a large payload passes from side to side as the string that it
// is. A byte that is copied would lie at another address.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/inproc_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

constexpr size_t kLarge = 1 << 20;

class InprocPayloadTest : public InprocTest {
 protected:
  InprocPayloadTest() : InprocTest("inproc://payloads") {}

  // Makes a result of so many bytes, and notes where data and result lie.
  void RunWorker(size_t result_bytes) {
    const absl::Status status = worker_->Register(
        "echo",
        [this,
         result_bytes](JobContext& context) -> absl::StatusOr<std::string> {
          std::string result(result_bytes, 'r');
          absl::MutexLock lock(&mutex_);
          data_.push_back(context.job().data().data());
          results_.push_back(result.data());
          return result;
        });
    ASSERT_TRUE(status.ok()) << status;
    InprocTest::RunWorker();
  }

  absl::Mutex mutex_;
  std::vector<const char*> data_;
  std::vector<const char*> results_;
};

TEST_F(InprocPayloadTest, ALargePayloadIsCopiedNowhere) {
  RunWorker(kLarge);
  std::string data(kLarge, 'd');
  const char* const bytes = data.data();
  const JobRequest request = client_->SubmitJob("echo", std::move(data));
  ASSERT_TRUE(client_->Wait(request).ok()) << request.status();
  EXPECT_EQ(request.data().data(), bytes);
  EXPECT_THAT(data_, ElementsAre(bytes));
  EXPECT_THAT(results_, ElementsAre(request.result_view().data()));
  EXPECT_EQ(request.result_view(), std::string(kLarge, 'r'));
  const std::string taken = *request.TakeResult();
  EXPECT_THAT(results_, ElementsAre(taken.data()));
}

TEST_F(InprocPayloadTest, ManyOfThemKeepTheirOrderBesideSmallOnes) {
  RunWorker(/*result_bytes=*/20000);
  std::vector<JobSpec> specs;
  for (int i = 0; i < 200; ++i) {
    specs.emplace_back("echo", std::string(i % 3 == 0 ? 5 : 30000, 'd'));
  }
  const std::vector<JobRequest> requests =
      client_->SubmitMultipleJobs(std::move(specs));
  EXPECT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  for (const JobRequest& request : requests) {
    EXPECT_EQ(request.result_view(), std::string(20000, 'r'));
  }
}

TEST_F(InprocPayloadTest, ClientsThatShareAJobEachGetItsResult) {
  auto other = MakeClient();
  CallOptions options;
  options.unique = "shared";
  const JobRequest first =
      client_->SubmitJob("echo", std::string(kLarge, 'd'), options);
  const JobRequest second =
      other->SubmitJob("echo", std::string(kLarge, 'd'), options);
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&first, 1}).ok());
  ASSERT_TRUE(other->WaitUntilJobsAccepted({&second, 1}).ok());
  RunWorker(kLarge);
  EXPECT_TRUE(client_->Wait(first).ok()) << first.status();
  EXPECT_TRUE(other->Wait(second).ok()) << second.status();
  EXPECT_EQ(first.result_view(), std::string(kLarge, 'r'));
  EXPECT_EQ(second.result_view(), std::string(kLarge, 'r'));
  EXPECT_EQ(data_.size(), 1u);
}

// The string outlives the client that made it: the server's queue, the pipe and
// the handler may be its last owners.
TEST_F(InprocPayloadTest, APayloadOutlivesItsClient) {
  {
    auto gone = MakeClient();
    const JobRequest request =
        gone->SubmitBackgroundJob("echo", std::string(kLarge, 'd'));
    ASSERT_TRUE(gone->Wait(request).ok()) << request.status();
  }
  RunWorker(/*result_bytes=*/1);
  const JobRequest last = client_->SubmitJob("echo", "");
  ASSERT_TRUE(client_->Wait(last).ok()) << last.status();
  EXPECT_EQ(data_.size(), 2u);
}

TEST_F(InprocPayloadTest, ARequestCanBeSubmittedAgainWithItsPayload) {
  RunWorker(kLarge);
  std::string data(kLarge, 'd');
  const char* const bytes = data.data();
  JobRequest request(JobSpec("echo", std::move(data)));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client_->SubmitMultipleRequests({&request, 1}).ok());
    ASSERT_TRUE(client_->Wait(request).ok()) << request.status();
    ASSERT_TRUE(request.Reset().ok());
  }
  EXPECT_THAT(data_, ElementsAre(bytes, bytes));
}

}  // namespace
}  // namespace gearman
