// A JobRequest needs its record and this interface, and no client: this test
// links neither Client nor ClientCore.
#include "gearman/sdk/internal/request/request_owner.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_state.h"
#include "gearman/tests/support/body_sources.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;

class FakeOwner final : public RequestOwner {
 public:
  void Cancel(JobRequestState* request) override {
    cancelled.push_back(request);
  }
  bool InLastCallbackOf(const JobRequestState* request) const override {
    return request == calling_back;
  }

  size_t spare_bytes() const { return spares_.bytes(); }

  std::vector<const JobRequestState*> cancelled;
  const JobRequestState* calling_back = nullptr;
};

// A request in flight at the owner.
class RequestOwnerTest : public ::testing::Test {
 protected:
  RequestOwnerTest() : request_(JobSpec("reverse", "hello")) {
    record().core = owner_;
    record().state = JobState::kPending;
    record().finished = false;
  }

  JobRequestState& record() { return *Access::StateOf(request_); }

  const std::shared_ptr<FakeOwner> owner_ = std::make_shared<FakeOwner>();
  JobRequest request_;
};

TEST_F(RequestOwnerTest, IsAskedToCancelARequest) {
  request_.Cancel();
  EXPECT_THAT(owner_->cancelled, ElementsAre(&record()));
}

TEST_F(RequestOwnerTest, SaysWhetherACallbackMayResetItsRequest) {
  record().finished = true;
  record().state = JobState::kComplete;
  record().callbacks_pending = 1;
  EXPECT_EQ(request_.Reset().code(), absl::StatusCode::kFailedPrecondition);
  owner_->calling_back = &record();
  EXPECT_TRUE(request_.Reset().ok());
  EXPECT_EQ(request_.state(), JobState::kUnknown);
}

// A child made by fork may submit the request to a client of its own.
TEST_F(RequestOwnerTest, ARequestThatIsLeftBehindKeepsItsJob) {
  const auto body = std::make_shared<testing::PatternSource>(10);
  JobSpec spec("store", "");
  spec.body = body;
  const std::string large(100000, 'x');
  JobRequest requests[] = {JobRequest(std::move(spec)),
                           JobRequest(JobSpec("reverse", large))};
  for (const JobRequest& request : requests) {
    JobRequestState& left = *Access::StateOf(request);
    left.core = owner_;
    left.finished = false;
    RequestOwner::LeaveBehind(&left);
    EXPECT_TRUE(absl::IsFailedPrecondition(request.status()));
  }
  EXPECT_EQ(requests[0].body(), body.get());
  EXPECT_EQ(requests[1].data(), large);
}

TEST_F(RequestOwnerTest, LendsItsLockToTheAccessorsOfARequestInFlight) {
  absl::Mutex* const lock = owner_->request_mutex();
  EXPECT_EQ(request_.state(), JobState::kPending);
  if (!lock->TryLock()) FAIL() << "the accessor has kept the lock";
  record().state = JobState::kComplete;
  record().finished = true;
  // A finished request is read without the lock.
  EXPECT_EQ(request_.state(), JobState::kComplete);
  lock->Unlock();
}

TEST_F(RequestOwnerTest, GetsTheMemoryOfLargeData) {
  record().SetData(std::string(100000, 'x'));
  request_ = JobRequest(JobSpec("reverse", "hello"));
  EXPECT_GE(owner_->spare_bytes(), 100000u);
}

TEST_F(RequestOwnerTest, GetsNoDataThatAPacketHas) {
  record().SetData(std::string(100000, 'x'));
  const std::shared_ptr<const std::string> packet = record().extras->large_data;
  request_ = JobRequest(JobSpec("reverse", "hello"));
  EXPECT_EQ(owner_->spare_bytes(), 0u);
  EXPECT_TRUE(*packet == std::string(100000, 'x'));
}

}  // namespace
}  // namespace internal
}  // namespace gearman
