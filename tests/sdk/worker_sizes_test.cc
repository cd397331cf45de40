// A worker and payloads that are too large: a job that it can't take ends alone
// and at once, and so does one whose result nobody could take.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr size_t kLimit = 1000;

class WorkerSizesTest : public WorkerTest {
 protected:
  WorkerSizesTest() { options_.limits.max_packet_bytes = kLimit; }

  // A JOB_ASSIGN_UNIQ for the task "t" of so many bytes.
  static std::string Assignment(const std::string& handle, size_t bytes) {
    const std::vector<std::string> names = {handle, "t", "u"};
    const uint32_t type = static_cast<uint32_t>(Command::kJobAssignUniq);
    std::vector<std::string> arguments = names;
    arguments.emplace_back();
    const size_t head = support::ResponsePacket(type, arguments).size();
    arguments.back().assign(bytes - head, 'x');
    return support::ResponsePacket(type, arguments);
  }
  // The next packet that is no grab.
  std::string ReceiveAnswer() {
    std::string packet = server_->Receive();
    while (packet == "GRAB_JOB_ALL") packet = server_->Receive();
    return packet;
  }
  // The next answer is a failure that names these sizes.
  void ExpectFailed(const std::string& handle, size_t bytes) {
    EXPECT_THAT(ReceiveAnswer(),
                AllOf(StartsWith(absl::StrCat("WORK_WARNING ", handle, "|")),
                      HasSubstr(absl::StrCat(bytes)),
                      HasSubstr("1000 bytes (max_packet_bytes)")));
    EXPECT_EQ(ReceiveAnswer(), absl::StrCat("WORK_FAIL ", handle));
  }
};

TEST_F(WorkerSizesTest, AJobBeyondTheLimitIsFailedAndTheConnectionGoesOn) {
  int calls = 0;
  StartAndGrab("t", [&calls](JobContext& context) {
    ++calls;
    return Echo(context);
  });
  server_->SendBytes(Assignment("H:1", 5000));
  ExpectFailed("H:1", 5000);
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "t", "data");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|data");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(worker_->stats().connections_lost, 0u);
  EXPECT_EQ(worker_->stats().jobs_assigned, 2u);
}

TEST_F(WorkerSizesTest, TheLimitItselfIsTakenAndOneByteMoreIsNot) {
  StartAndGrab("t", [](JobContext&) -> absl::StatusOr<std::string> {
    return std::string("done");
  });
  for (const size_t bytes : {kLimit - 1, kLimit}) {
    server_->SendBytes(Assignment("H:1", bytes));
    EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  for (const size_t bytes : {kLimit + 1, 2 * kLimit}) {
    server_->SendBytes(Assignment("H:1", bytes));
    ExpectFailed("H:1", bytes);
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
}

TEST_F(WorkerSizesTest, AJobIsFailedFromItsHeadWhateverThePieces) {
  StartAndGrab("t", Echo);
  const std::string packet = Assignment("H:1", 5000);
  for (size_t i = 0; i < 22; ++i) {
    server_->SendBytes(packet.substr(i, 1));
    Settle();
  }
  ExpectFailed("H:1", 5000);
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->SendBytes(packet.substr(22));
  Give("H:2", "t", "data");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|data");
}

// With one handler at work the connection must not be closed under it.
TEST_F(WorkerSizesTest, ARunningJobOfTheSameConnectionGoesOn) {
  options_.prefetch.min_jobs = 2;
  options_.prefetch.max_jobs = 2;
  std::vector<PendingJob> pending;
  StartAsyncAndGrab(
      "t", [&pending](PendingJob job) { pending.push_back(std::move(job)); });
  Give("H:1", "t", "data");
  Settle();
  ASSERT_EQ(pending.size(), 1u);
  server_->SendBytes(Assignment("H:2", 5000));
  ExpectFailed("H:2", 5000);
  pending[0].Finish(std::string("result"));
  EXPECT_EQ(ReceiveAnswer(), "WORK_COMPLETE H:1|result");
}

TEST_F(WorkerSizesTest, AResultThatNoClientCouldTakeFailsItsJob) {
  size_t size = 0;
  StartAndGrab("t", [&size](JobContext&) -> absl::StatusOr<std::string> {
    return std::string(size, 'x');
  });
  const size_t fits = kLimit - 12 - 4;
  size = fits;
  Give("H:1", "t", "");
  EXPECT_EQ(server_->Receive(),
            absl::StrCat("WORK_COMPLETE H:1|", std::string(fits, 'x')));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  size = fits + 1;
  Give("H:1", "t", "");
  ExpectFailed("H:1", size);
  EXPECT_EQ(worker_->stats().jobs_complete, 1u);
}

TEST_F(WorkerSizesTest, TheTextOfAFailureIsCutToWhatAClientCanTake) {
  StartAndGrab("t", [](JobContext&) -> absl::StatusOr<std::string> {
    return JobException(std::string(2 * kLimit, 'x'));
  });
  Give("H:1", "t", "");
  const std::string text = ReceiveAnswer();
  EXPECT_THAT(text, StartsWith("WORK_WARNING H:1|gearman exception: xxx"));
  EXPECT_EQ(text.size(), kLimit - 12 + std::string("WORK_WARNING ").size());
  EXPECT_EQ(ReceiveAnswer(), "WORK_FAIL H:1");
}

TEST_F(WorkerSizesTest, AnUpdateThatNoClientCouldTakeIsRefused) {
  absl::Status data, warning;
  StartAndGrab("t", [&](JobContext& context) -> absl::StatusOr<std::string> {
    data = context.SendData(std::string(kLimit, 'x'));
    warning = context.SendWarning(std::string(kLimit, 'x'));
    return std::string("done");
  });
  Give("H:1", "t", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
  for (const absl::Status& status : {data, warning}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("H:1"), HasSubstr("1000")));
  }
}

TEST_F(WorkerSizesTest, AnUpdateOfAPendingJobIsRefusedAsWell) {
  std::vector<PendingJob> pending;
  StartAsyncAndGrab(
      "t", [&pending](PendingJob job) { pending.push_back(std::move(job)); });
  Give("H:1", "t", "");
  Settle();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].SendData(std::string(kLimit, 'x')).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(pending[0].SendData("small").ok());
  EXPECT_EQ(ReceiveAnswer(), "WORK_DATA H:1|small");
}

}  // namespace
}  // namespace gearman
