// The matchers, and what they say when a test fails.
#include "gearman/sdk/testing/matchers.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/harness.h"
#include "gearman/sdk/worker.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Returns the words of a failing EXPECT_THAT about the value.
template <typename Subject, typename Matcher>
std::string Explain(const Subject& subject, const Matcher& matcher) {
  ::testing::StringMatchResultListener listener;
  ::testing::ExplainMatchResult(matcher, subject, &listener);
  return listener.str();
}

// Returns the words of a failing EXPECT_THAT about the matcher.
template <typename Subject, typename Matcher>
std::string Describe(const Matcher& matcher) {
  return ::testing::DescribeMatcher<Subject>(matcher);
}

using Result = absl::StatusOr<std::string>;

class MatchersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(harness_->worker()
                    .Register("echo",
                              [](JobContext& context) -> Result {
                                return std::string(context.job().data().data(),
                                                   context.job().data().size());
                              })
                    .ok());
    ASSERT_TRUE(harness_->worker()
                    .Register("fail",
                              [](JobContext&) -> Result {
                                return absl::NotFoundError("no image 17");
                              })
                    .ok());
  }
  // Returns a finished request.
  JobRequest Finished(const std::string& task, const std::string& data) {
    const JobRequest request = harness_->client().SubmitJob(task, data);
    harness_->client().Wait(request).IgnoreError();
    return request;
  }

  const std::unique_ptr<Harness> harness_ = Harness::Create().value();
};

TEST_F(MatchersTest, IsCompleteLooksAtTheResult) {
  EXPECT_THAT(Result("x"), IsComplete());
  EXPECT_THAT(Result("x"), IsComplete("x"));
  EXPECT_THAT(Result("xyz"), IsComplete(HasSubstr("y")));
  EXPECT_THAT(Result("x"), Not(IsComplete("y")));
  EXPECT_THAT(Result(absl::AbortedError("no")), Not(IsComplete()));
  EXPECT_THAT(Finished("echo", "x"), IsComplete("x"));
  EXPECT_THAT(Finished("echo", "x"), Not(IsComplete("y")));
  EXPECT_THAT(Finished("fail", "x"), Not(IsComplete()));
}

TEST_F(MatchersTest, FailedWithLooksAtCodeAndMessage) {
  const Result failed = absl::NotFoundError("no image 17");
  EXPECT_THAT(failed, FailedWith(absl::StatusCode::kNotFound));
  EXPECT_THAT(failed, FailedWith(absl::StatusCode::kNotFound, "no image 17"));
  EXPECT_THAT(failed.status(), FailedWith(AnyOf(absl::StatusCode::kAborted,
                                                absl::StatusCode::kNotFound)));
  EXPECT_THAT(failed, Not(FailedWith(absl::StatusCode::kAborted)));
  EXPECT_THAT(failed, Not(FailedWith(absl::StatusCode::kNotFound, "another")));
  EXPECT_THAT(Result("x"), Not(FailedWith(::testing::_)));
  EXPECT_THAT(absl::OkStatus(), Not(FailedWith(::testing::_)));
  EXPECT_THAT(Finished("fail", ""),
              FailedWith(absl::StatusCode::kAborted, HasSubstr("no image 17")));
  EXPECT_THAT(Finished("echo", ""), Not(FailedWith(::testing::_)));
}

TEST_F(MatchersTest, IsAcceptedLooksAtWhatTheServerSaid) {
  const JobRequest background =
      harness_->client().SubmitBackgroundJob("nobody", "");
  EXPECT_THAT(background, Not(IsAccepted()));
  ASSERT_TRUE(harness_->client().WaitUntilJobsAccepted({background}).ok());
  EXPECT_THAT(background, IsAccepted());
  EXPECT_THAT(Finished("echo", "x"), IsAccepted());
  EXPECT_THAT(Finished("fail", "x"), IsAccepted());
  EXPECT_THAT(JobRequest(JobSpec("echo", "x")), Not(IsAccepted()));
}

TEST_F(MatchersTest, ARequestThatTheServerRefusedIsNotAccepted) {
  HarnessOptions options;
  options.server.max_jobs = 1;
  options.client.max_connection_attempts = 1;
  const auto small = Harness::Create(std::move(options)).value();
  const JobRequest first = small->client().SubmitBackgroundJob("nobody", "1");
  ASSERT_TRUE(small->client().WaitUntilJobsAccepted({first}).ok());
  const JobRequest second = small->client().SubmitBackgroundJob("nobody", "2");
  small->client().Wait(second).IgnoreError();
  EXPECT_THAT(second, AllOf(Not(IsAccepted()),
                            FailedWith(absl::StatusCode::kResourceExhausted)));
}

TEST_F(MatchersTest, TheExplanationSaysHowTheJobEnded) {
  EXPECT_EQ(Explain(Result(absl::AbortedError("no")), IsComplete("x")),
            "which is failed: ABORTED: no");
  EXPECT_EQ(Explain(Result("y"), IsComplete("x")),
            "which is complete with \"y\"");
  EXPECT_EQ(Explain(Result("y"), FailedWith(absl::StatusCode::kAborted)),
            "which is complete with \"y\"");
  EXPECT_EQ(Explain(absl::OkStatus(), FailedWith(absl::StatusCode::kAborted)),
            "which is OK");
  EXPECT_THAT(Explain(Finished("fail", ""), IsComplete("x")),
              AllOf(StartsWith("which is failed: ABORTED: "),
                    HasSubstr("no image 17")));
  EXPECT_EQ(Explain(JobRequest(JobSpec("echo", "")), IsComplete("x")),
            "which is not submitted");
  const JobRequest background =
      harness_->client().SubmitBackgroundJob("nobody", "");
  ASSERT_TRUE(harness_->client().WaitUntilJobsAccepted({background}).ok());
  EXPECT_EQ(Explain(background, IsComplete("x")),
            "which is created at inproc://jobs");
}

TEST_F(MatchersTest, TheExplanationOfALongOrBinaryResultIsReadable) {
  const std::string text =
      Explain(Result("\x01" + std::string(10000, 'x')), IsComplete("x"));
  EXPECT_THAT(text, AllOf(StartsWith("which is complete with \"\\x01xxx"),
                          HasSubstr("...")));
  EXPECT_LT(text.size(), 300);
}

TEST_F(MatchersTest, TheDescriptionNamesWhatIsExpected) {
  EXPECT_EQ(Describe<Result>(IsComplete("x")),
            "is complete with a result that is equal to \"x\"");
  EXPECT_EQ(Describe<Result>(FailedWith(::testing::_, HasSubstr("no"))),
            "is failed with a code that is anything and a message that has "
            "substring \"no\"");
  EXPECT_EQ(Describe<JobRequest>(IsAccepted()), "is accepted by a server");
  EXPECT_EQ(Describe<JobRequest>(Not(IsAccepted())),
            "is not accepted by a server");
}

TEST_F(MatchersTest, ComposeWithOthers) {
  const std::vector<Result> results =
      harness_->client().Results({harness_->client().SubmitJob("echo", "1"),
                                  harness_->client().SubmitJob("fail", "2")});
  EXPECT_THAT(results, ElementsAre(IsComplete("1"),
                                   FailedWith(absl::StatusCode::kAborted)));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
