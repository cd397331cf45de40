#include "gearman/sdk/internal/client/handle_table.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class HandleTableTest : public ::testing::Test {
 protected:
  // A request that was answered with this handle.
  JobRequestState* Request(const std::string& handle) {
    requests_.push_back(std::make_unique<JobRequestState>());
    requests_.back()->handle.Assign(handle);
    return requests_.back().get();
  }
  // One more submission, with one request.
  JobRequestState* Submitted(const std::string& handle) {
    JobRequestState* const request = Request(handle);
    table_.AddSubmission(handle, request);
    return request;
  }
  static std::vector<JobRequestState*> Chain(JobRequestState* request) {
    std::vector<JobRequestState*> chain;
    for (; request != nullptr;
         request = static_cast<JobRequestState*>(request->next_shared)) {
      chain.push_back(request);
    }
    return chain;
  }

  HandleTable table_;
  std::vector<std::unique_ptr<JobRequestState>> requests_;
};

TEST_F(HandleTableTest, KnowsOnlyWhatWasSubmitted) {
  Submitted("H:1");
  EXPECT_FALSE(table_.Arrive("H:2", false).known);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(HandleTableTest, AJobIsInItUntilItEnds) {
  JobRequestState* const request = Submitted("H:1");
  for (int i = 0; i < 3; ++i) {
    const HandleTable::Arrival data = table_.Arrive("H:1", false);
    EXPECT_TRUE(data.first_copy);
    EXPECT_THAT(Chain(data.requests), ElementsAre(request));
  }
  EXPECT_THAT(Chain(table_.Arrive("H:1", true).requests), ElementsAre(request));
  EXPECT_FALSE(table_.Arrive("H:1", true).known);
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(HandleTableTest, EachPacketComesOnceForEachSubmission) {
  JobRequestState* const first = Submitted("H:1");
  JobRequestState* const second = Submitted("H:1");
  JobRequestState* const third = Submitted("H:1");
  const HandleTable::Arrival data = table_.Arrive("H:1", false);
  EXPECT_TRUE(data.first_copy);
  EXPECT_THAT(Chain(data.requests), UnorderedElementsAre(first, second, third));
  EXPECT_FALSE(table_.Arrive("H:1", false).first_copy);
  EXPECT_FALSE(table_.Arrive("H:1", false).first_copy);
  EXPECT_TRUE(table_.Arrive("H:1", true).first_copy);
  // The request that got the end is gone. Nobody waits for the copies of the
  // end.
  const HandleTable::Arrival copy = table_.Arrive("H:1", true);
  EXPECT_TRUE(copy.known);
  EXPECT_THAT(Chain(copy.requests), IsEmpty());
  EXPECT_TRUE(table_.Arrive("H:1", true).known);
  EXPECT_FALSE(table_.Arrive("H:1", true).known);
}

TEST_F(HandleTableTest, WhoLeavesIsNotTold) {
  JobRequestState* const first = Submitted("H:1");
  JobRequestState* const joined = Request("H:1");
  table_.Join(joined);
  JobRequestState* const last = Request("H:1");
  table_.Join(last);
  table_.Remove(first);
  EXPECT_THAT(Chain(table_.Arrive("H:1", false).requests),
              UnorderedElementsAre(joined, last));
  table_.Remove(joined);
  EXPECT_THAT(Chain(table_.Arrive("H:1", false).requests), ElementsAre(last));
  table_.Remove(last);
  const HandleTable::Arrival end = table_.Arrive("H:1", true);
  EXPECT_TRUE(end.known);
  EXPECT_THAT(Chain(end.requests), IsEmpty());
}

TEST_F(HandleTableTest, AJobThatEveryoneLeftCanBeJoinedAgain) {
  table_.Remove(Submitted("H:1"));
  JobRequestState* const later = Submitted("H:1");
  EXPECT_THAT(Chain(table_.Arrive("H:1", false).requests), ElementsAre(later));
  EXPECT_FALSE(table_.Arrive("H:1", false).first_copy);
}

TEST_F(HandleTableTest, ASubmissionThatNobodyWaitsForIsKnown) {
  table_.AddSubmission("H:1", nullptr);
  const HandleTable::Arrival end = table_.Arrive("H:1", true);
  EXPECT_TRUE(end.known);
  EXPECT_THAT(Chain(end.requests), IsEmpty());
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(HandleTableTest, ForgetsAJobWithAllItsRequestsAndSubmissions) {
  JobRequestState* const alone = Submitted("H:1");
  EXPECT_THAT(Chain(table_.Forget("H:1")), ElementsAre(alone));
  JobRequestState* const first = Submitted("H:2");
  JobRequestState* const second = Submitted("H:2");
  EXPECT_THAT(Chain(table_.Forget("H:2")), UnorderedElementsAre(first, second));
  table_.AddSubmission("H:3", nullptr);
  EXPECT_EQ(table_.Forget("H:3"), nullptr);
  EXPECT_EQ(table_.Forget("H:4"), nullptr);
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.awaited(), 0u);
  EXPECT_FALSE(table_.Arrive("H:2", /*ends_job=*/true).known);
}

TEST_F(HandleTableTest, DrainVisitsEachRequestOnce) {
  std::multiset<JobRequestState*> expected;
  for (int i = 0; i < 100; ++i) {
    expected.insert(Submitted(absl::StrCat("H:", i)));
  }
  expected.insert(Submitted("H:7"));
  JobRequestState* const joined = Request("H:9");
  table_.Join(joined);
  expected.insert(joined);
  table_.AddSubmission("H:nobody", nullptr);
  std::multiset<JobRequestState*> visited;
  table_.Drain([&visited](JobRequestState* request) {
    EXPECT_EQ(request->next_shared, nullptr);
    visited.insert(request);
  });
  EXPECT_EQ(visited, expected);
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(HandleTableTest, ForgetsTheOldestOfTooManyThatNobodyWaitsFor) {
  for (size_t i = 0; i <= HandleTable::kMaxAbandoned; ++i) {
    EXPECT_FALSE(table_.has_forgotten());
    table_.AddSubmission(absl::StrCat("H:", i), nullptr);
  }
  EXPECT_TRUE(table_.has_forgotten());
  EXPECT_EQ(table_.size(), HandleTable::kMaxAbandoned);
  EXPECT_FALSE(table_.Arrive("H:0", /*ends_job=*/true).known);
  EXPECT_TRUE(table_.Arrive("H:1", /*ends_job=*/true).known);
}

// A server may owe copies of the end for ever.
TEST_F(HandleTableTest, CopiesOfAnEndAreForgottenLikewise) {
  for (size_t i = 0; i <= HandleTable::kMaxAbandoned; ++i) {
    const std::string handle = absl::StrCat("H:", i);
    Submitted(handle);
    Submitted(handle);
    table_.Arrive(handle, /*ends_job=*/true);
  }
  EXPECT_EQ(table_.size(), HandleTable::kMaxAbandoned);
  EXPECT_TRUE(table_.has_forgotten());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
