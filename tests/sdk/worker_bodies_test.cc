// Results that come from sources.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/body_source.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/tests/support/body_sources.h"

namespace gearman {
namespace {

using ::gearman::testing::FunctionSource;
using ::gearman::testing::PatternSource;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::shared_ptr<BodySource> Letters(size_t size) {
  return std::make_shared<FunctionSource>(
      size, [](uint64_t offset, absl::Span<char> into) {
        for (char& byte : into) {
          byte = static_cast<char>('a' + offset++ % 26);
        }
        return into.size();
      });
}

class WorkerBodiesTest : public WorkerTest {
 protected:
  // The messages of the log, from warnings on.
  std::string log_;

  void KeepLog() {
    options_.logger =
        Logger(LogLevel::kWarning, [this](LogLevel, absl::string_view text) {
          absl::StrAppend(&log_, text, "\n");
        });
  }
};

TEST_F(WorkerBodiesTest, ABodyIsTheResult) {
  StartAndGrab("f", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SetBody(Letters(28));
    return std::string();
  });
  Give("H:1", "f", "");
  EXPECT_EQ(server_->Receive(),
            "WORK_COMPLETE H:1|abcdefghijklmnopqrstuvwxyzab");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerBodiesTest, ABodyStandsBehindTheString) {
  StartAndGrab("f", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SetBody(Letters(3));
    return std::string("head ");
  });
  Give("H:1", "f", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|head abc");
}

// The record of a job is used again.
TEST_F(WorkerBodiesTest, TheNextJobHasNoBody) {
  bool first = true;
  StartAndGrab("f",
               [&first](JobContext& context) -> absl::StatusOr<std::string> {
                 if (std::exchange(first, false)) context.SetBody(Letters(3));
                 return absl::UnknownError("an error");
               });
  Give("H:1", "f", "");
  EXPECT_EQ(ReceiveFailure(), FailureOf("H:1", "UNKNOWN: an error"));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  ASSERT_TRUE(worker_->Register("f", Echo).ok());
  Settle();
  Give("H:2", "f", "plain");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|plain");
}

TEST_F(WorkerBodiesTest, APendingJobMayHaveOne) {
  StartAsyncAndGrab("f",
                    [](PendingJob job) { job.FinishWithBody(Letters(5)); });
  Give("H:1", "f", "");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|abcde");
}

// The pipe holds 1 MiB.
TEST_F(WorkerBodiesTest, ALargeOneLeavesAsTheServerTakesIt) {
  static constexpr size_t kSize = 20 << 20;
  StartAndGrab("f", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SetBody(Letters(kSize));
    return std::string();
  });
  Give("H:1", "f", "");
  std::string expected = "WORK_COMPLETE H:1|";
  for (size_t i = 0; i < kSize; ++i) {
    expected += static_cast<char>('a' + i % 26);
  }
  EXPECT_TRUE(server_->Receive() == expected);
}

TEST_F(WorkerBodiesTest, OneThatIsTooLargeFailsItsJob) {
  options_.limits.max_packet_bytes = 1000;
  StartAndGrab("f", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SetBody(std::make_shared<PatternSource>(UINT64_MAX));
    return std::string("head");
  });
  Give("H:1", "f", "");
  EXPECT_THAT(ReceiveFailure(), AllOf(HasSubstr("the result of job H:1 has"),
                                      HasSubstr("max_packet_bytes")));
}

TEST_F(WorkerBodiesTest, OneThatWasReadFailsItsJob) {
  const auto once = std::make_shared<FunctionSource>(
      3,
      [](uint64_t, absl::Span<char> into) {
        std::fill(into.begin(), into.end(), 'o');
        return into.size();
      },
      /*repeatable=*/false);
  StartAndGrab("f", [once](JobContext& context) -> absl::StatusOr<std::string> {
    context.SetBody(once);
    return std::string();
  });
  Give("H:1", "f", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|ooo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "f", "");
  EXPECT_THAT(ReceiveFailure(), HasSubstr("not repeatable"));
}

// Nothing else is possible: a part of the packet may have left.
TEST_F(WorkerBodiesTest, ASourceThatFailsEndsTheConnection) {
  KeepLog();
  StartAndGrab("f", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SetBody(std::make_shared<FunctionSource>(
        100, [](uint64_t, absl::Span<char>) -> absl::StatusOr<size_t> {
          return absl::NotFoundError("the disk is gone");
        }));
    return std::string();
  });
  Give("H:1", "f", "");
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_THAT(log_, AllOf(HasSubstr("the result of job H:1 could not be read "
                                    "from its source: 0 of 100 bytes, then the "
                                    "disk is gone"),
                          HasSubstr("inproc://jobs")));
  // The worker goes on.
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO f");
}

}  // namespace
}  // namespace gearman
