// gearctl work at a server that does not take its last answer.
#include <signal.h>
#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::RawConnection;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint32_t kGrabJobAll = 39;
constexpr uint32_t kWorkComplete = 13;
constexpr uint32_t kJobAssign = 11;
constexpr uint32_t kEchoRequest = 16;
constexpr uint32_t kEchoResponse = 17;

// The next packet of this type; its body.
std::string ReceiveBody(RawConnection& connection, uint32_t type) {
  for (;;) {
    absl::StatusOr<std::string> packet = connection.ReceivePacket();
    if (!packet.ok()) {
      ADD_FAILURE() << packet.status();
      return "";
    }
    if (static_cast<unsigned char>((*packet)[7]) == type) {
      return packet->substr(12);
    }
  }
}

class WorkAnswersTest : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Taken, WorkAnswersTest, ::testing::Bool(),
                         [](const auto& taken) {
                           return taken.param ? "Taken" : "Lost";
                         });

TEST_P(WorkAnswersTest, CountEndsWellOnlyIfTheAnswerWasTaken) {
  support::RawListener listener;
  auto worker = StartGearctl({"work", "t", "--count", "1", "--server",
                              listener.address(), "--", "cat"});
  absl::StatusOr<RawConnection> connection = listener.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  ReceiveBody(*connection, kGrabJobAll);
  ASSERT_TRUE(
      connection
          ->Send(support::ResponsePacket(kJobAssign, {"H:7", "t", "payload"}))
          .ok());
  EXPECT_THAT(ReceiveBody(*connection, kWorkComplete), HasSubstr("payload"));
  if (GetParam()) {
    const std::string echo = ReceiveBody(*connection, kEchoRequest);
    ASSERT_TRUE(
        connection->Send(support::ResponsePacket(kEchoResponse, {echo})).ok());
  } else {
    connection->Close();
  }
  const auto end = worker->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, GetParam() ? 0 : 3) << worker->error_output();
  if (!GetParam()) {
    EXPECT_THAT(worker->error_output(), HasSubstr("the answer of job H:7"));
  }
}

TEST(WorkAtAHungServerTest, ADrainEndsWithAnErrorThatNamesTheJob) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  const support::TestDirectory directory;
  const std::string gate = directory.File("gate");
  ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
  const std::string config =
      directory.Write("config.textproto", "timeouts { reply: \"1s\" }");
  auto worker = StartGearctl({"work", "t", "--stream", "--config", config,
                              "--server", gearmand.address(), "--", "sh", "-c",
                              absl::StrCat("echo begun; read x <", gate)});
  auto submit = StartGearctl(
      {"submit", "t", "--data", "", "--server", gearmand.address()});
  ASSERT_TRUE(submit->WaitForOutput("begun").ok());
  worker->Signal(SIGTERM);
  ASSERT_TRUE(worker->WaitForErrorOutput("finishes what runs").ok());
  gearmand.Signal(SIGSTOP);
  std::ofstream(gate) << "go\n";
  const auto end = worker->Wait();
  gearmand.Signal(SIGCONT);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 3);
  EXPECT_THAT(worker->error_output(),
              AllOf(HasSubstr("reply_timeout"), HasSubstr("answer of job H:")));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
