// gearctl with two servers, of which one is gone, or answers nothing: what one
// says hides nothing that the other one does not say.
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::GearmandProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TwoServersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(first_.ok());
    ASSERT_TRUE(second_.ok());
    both_ = absl::StrCat(first_.address(), ",", second_.address());
  }
  // A background job of the unique "key" at the first one; its handle.
  std::string Queue() {
    const std::string output =
        Gearctl({"submit", "resize", "--background", "--unique", "key",
                 "--server", first_.address()})
            .output;
    const std::vector<std::string> fields = absl::StrSplit(output, '|');
    EXPECT_EQ(fields.size(), 3u) << output;
    return fields.size() == 3 ? fields[1] : "";
  }

  GearmandProcess first_;
  GearmandProcess second_;
  std::string both_;
};

TEST_F(TwoServersTest, AQueuedJobWhoseServerIsGoneHasNotEnded) {
  Queue();
  const auto watch = StartGearctl({"job", "--unique", "key", "--watch",
                                   "--interval", "100ms", "--server", both_});
  ASSERT_TRUE(watch->WaitForOutput("queued").ok());
  first_.Kill();
  const auto end = watch->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 3);
  EXPECT_THAT(watch->output(), Not(HasSubstr("ended")));
  EXPECT_THAT(watch->error_output(), HasSubstr(first_.address()));
  // Asked afresh.
  const ProgramResult run =
      Gearctl({"job", "--unique", "key", "--server", both_});
  EXPECT_EQ(run.status.code, 3);
  EXPECT_THAT(run.error_output, AllOf(HasSubstr(first_.address()),
                                      Not(HasSubstr("no server knows"))));
}

TEST_F(TwoServersTest, AQueuedJobWhoseServerIsSilentHasNotEnded) {
  Queue();
  first_.Signal(SIGSTOP);
  const ProgramResult run =
      Gearctl({"job", "--unique", "key", "--timeout", "1s", "--server", both_});
  first_.Signal(SIGCONT);
  EXPECT_EQ(run.status.code, 4);
  EXPECT_THAT(run.error_output, HasSubstr(first_.address()));
}

TEST_F(TwoServersTest, AJobThatEndsAtItsServerHasEndedThoughAnotherIsGone) {
  Queue();
  const auto watch = StartGearctl({"job", "--unique", "key", "--watch",
                                   "--interval", "100ms", "--server", both_});
  ASSERT_TRUE(watch->WaitForOutput("queued").ok());
  second_.Kill();
  TestWorker worker(first_.address());
  worker.Register("resize", [](JobContext&) { return std::string(); });
  worker.Start();
  const auto end = watch->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 0) << watch->error_output();
  EXPECT_THAT(watch->output(), HasSubstr("ended"));
}

TEST_F(TwoServersTest, AHandleIsFoundAtTheServerThatAnswers) {
  const std::string handle = Queue();
  second_.Kill();
  const ProgramResult run = Gearctl({"job", handle, "--server", both_});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_EQ(run.output, "queued\n");
  // A command that changes something must not guess: both servers may have a
  // job of this handle.
  const ProgramResult cancel = Gearctl({"cancel", handle, "--server", both_});
  EXPECT_EQ(cancel.status.code, 3);
  EXPECT_THAT(
      cancel.error_output,
      AllOf(HasSubstr(second_.address()),
            HasSubstr(absl::StrCat("'", first_.address(), "|", handle, "|'"))));
}

TEST_F(TwoServersTest, EqualUniquesMeetAtOneServer) {
  for (int i = 0; i < 16; ++i) {
    const ProgramResult run = Gearctl({"submit", "resize", "--background",
                                       "--unique", "key", "--server", both_});
    EXPECT_EQ(run.status.code, 0) << run.error_output;
  }
  const std::string uniques =
      Gearctl({"jobs", "--uniques", "--json", "--server", both_}).output;
  const std::vector<std::string> jobs =
      absl::StrSplit(uniques, '\n', absl::SkipEmpty());
  EXPECT_EQ(jobs.size(), 1u) << uniques;
}

TEST_F(TwoServersTest, EachTaskThatCantBeDroppedIsNamed) {
  const ProgramResult run =
      Gearctl({"drop", "one", "two", "--server", first_.address()});
  EXPECT_EQ(run.status.code, 5);
  EXPECT_THAT(run.error_output,
              AllOf(HasSubstr("task \"one\""), HasSubstr("task \"two\"")));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
