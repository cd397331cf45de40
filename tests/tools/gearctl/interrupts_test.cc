// gearctl at servers that take its questions and never answer: Ctrl-C ends it
// at once, and all servers are asked at once.
#include <signal.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/terminal_process.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::RawConnection;
using support::RawListener;
using support::TerminalProcess;
using ::testing::HasSubstr;

// A limit that no test waits for.
constexpr char kTimeout[] = "--timeout=1h";

TEST(InterruptsTest, ACtrlCEndsAQuestionThatIsNotAnswered) {
  for (const int signal : {SIGINT, SIGTERM}) {
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"status", "--watch"},
                                               {"ping", "--count", "3"},
                                               {"job", "H:x:1", "--watch"},
                                               {"bench"}}) {
      RawListener listener;
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(),
                       {kTimeout, "--server", listener.address()});
      const auto process = StartGearctl(std::move(arguments));
      absl::StatusOr<RawConnection> connection = listener.Accept();
      ASSERT_TRUE(connection.ok()) << connection.status();
      EXPECT_TRUE(connection->Receive(1).ok());
      process->Signal(signal);
      const auto end = process->Wait();
      ASSERT_TRUE(end.ok()) << command[0] << end.status();
      EXPECT_EQ(end->code, 130) << command[0] << process->error_output();
    }
  }
}

TEST(InterruptsTest, ACtrlCIsTheUsualEndOfAWatchThatHasShownSomething) {
  RawListener listener;
  const auto process = StartGearctl({"status", "--watch", "--interval", "10ms",
                                     kTimeout, "--server", listener.address()});
  absl::StatusOr<RawConnection> connection = listener.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(*connection->ReceiveLine(), "status\r\n");
  ASSERT_TRUE(connection->Send(".\n").ok());
  EXPECT_EQ(*connection->ReceiveLine(), "status\r\n");
  process->Signal(SIGINT);
  const auto end = process->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 0);
}

TEST(InterruptsTest, ACtrlCInAQuestionGivesTheTerminalBack) {
  RawListener listener;
  auto process = TerminalProcess::Start(
      {kGearctl, "status", "--watch", kTimeout, "--server", listener.address()},
      40, 10);
  ASSERT_TRUE(process.ok()) << process.status();
  absl::StatusOr<RawConnection> connection = listener.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(connection->Receive(1).ok());
  (*process)->Type("\x03");
  const auto end = (*process)->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 130);
  EXPECT_THAT((*process)->output(), HasSubstr("\x1b[?1049l"));
}

TEST(InterruptsTest, AllServersAreAskedAtOnce) {
  for (const char* command : {"status", "workers", "version"}) {
    RawListener listeners[3];
    const auto process = StartGearctl(
        {command, kTimeout, "--server",
         absl::StrCat(listeners[0].address(), ",", listeners[1].address(), ",",
                      listeners[2].address())});
    // Every server has its question before any has answered.
    std::vector<RawConnection> connections;
    for (RawListener& listener : listeners) {
      absl::StatusOr<RawConnection> connection = listener.Accept();
      ASSERT_TRUE(connection.ok()) << command << connection.status();
      EXPECT_TRUE(connection->Receive(1).ok()) << command;
      connections.push_back(*std::move(connection));
    }
    connections.clear();
    const auto end = process->Wait();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(end->code, 3) << process->error_output();
  }
}

// Receives packets until one of this type, and answers an OPTION_REQ.
void ReceiveUntil(RawConnection& connection, char type) {
  constexpr char kOptionRequest = 26;
  for (;;) {
    const absl::StatusOr<std::string> packet = connection.ReceivePacket();
    ASSERT_TRUE(packet.ok()) << packet.status();
    if ((*packet)[7] == kOptionRequest) {
      ASSERT_TRUE(
          connection.Send(support::ResponsePacket(27, {"exceptions"})).ok());
    }
    if ((*packet)[7] == type) return;
  }
}

// The server reads no more, and the client's output is full.
TEST(InterruptsTest, ACtrlCEndsALoadThatWaitsForRoom) {
  constexpr char kEchoRequest = 16;
  constexpr uint32_t kEchoResponse = 17;
  RawListener listener;
  listener.LimitReceiveBuffer(65536);
  const support::TestDirectory directory;
  const auto process = StartGearctl(
      {"bench", "nobody", "--size", "20000000", "--server", listener.address(),
       "--json", "--config",
       directory.Write(
           "config.textproto",
           "timeouts { reply: \"1h\" } limits { max_output_bytes: 1024 }")});
  absl::StatusOr<RawConnection> connection = listener.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  ReceiveUntil(*connection, kEchoRequest);
  ASSERT_TRUE(
      connection->Send(support::ResponsePacket(kEchoResponse, {""})).ok());
  // More than what the kernel takes at once, so it waits for room by now.
  EXPECT_TRUE(connection->Receive(15000000).ok());
  process->Signal(SIGINT);
  const auto end = process->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 130) << process->error_output();
  EXPECT_THAT(process->output(), HasSubstr("\"failed\":0,"));
}

TEST(InterruptsTest, ACtrlCEndsLinesThatWaitForRoom) {
  constexpr char kSubmitJob = 7;
  RawListener listener;
  listener.LimitReceiveBuffer(65536);
  const support::TestDirectory directory;
  const auto process = StartGearctl(
      {"submit", "t", "--lines", "-", "--server", listener.address(),
       "--config",
       directory.Write(
           "config.textproto",
           "timeouts { reply: \"1h\" } limits { max_output_bytes: 1024 }")});
  process->Write(std::string(20000000, 'x') + "\nsecond\nthird\n");
  absl::StatusOr<RawConnection> connection = listener.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  // Behind the packet of options, of the kind that ReceiveUntil answers.
  const absl::StatusOr<std::string> begin = connection->Receive(15000000);
  ASSERT_TRUE(begin.ok()) << begin.status();
  ASSERT_THAT(*begin, HasSubstr(std::string("\0\0\0", 3) + kSubmitJob));
  process->Signal(SIGINT);
  const auto end = process->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 130) << process->error_output();
  EXPECT_EQ(process->output(), "");
  EXPECT_THAT(process->error_output(), HasSubstr("jobs had not ended"));
}

// A script that reads the results beside its input must not take the result of
// one line for that of another line.
TEST(InterruptsTest, AResultBehindALineThatWasGivenUpKeepsItsPlace) {
  constexpr char kSubmitJob = 7;
  constexpr uint32_t kJobCreated = 8;
  constexpr uint32_t kWorkComplete = 13;
  for (const bool json : {false, true}) {
    RawListener listener;
    // A line that is lost is submitted again.
    std::vector<std::string> arguments = {
        "submit",    "t", "--lines",  "-",
        "--retries", "3", "--server", listener.address()};
    if (json) arguments.emplace_back("--json");
    const auto process = StartGearctl(std::move(arguments));
    process->Write("slow\nfast\nslow\n");
    absl::StatusOr<RawConnection> connection = listener.Accept();
    ASSERT_TRUE(connection.ok()) << connection.status();
    for (int job = 1; job <= 3; ++job) {
      ReceiveUntil(*connection, kSubmitJob);
      ASSERT_TRUE(connection
                      ->Send(support::ResponsePacket(
                          kJobCreated, {absl::StrCat("H:x:", job)}))
                      .ok());
    }
    ASSERT_TRUE(
        connection
            ->Send(support::ResponsePacket(kWorkComplete, {"H:x:2", "result"}))
            .ok());
    connection->ShutdownWrite();
    // The other lines come again, so the result has been read.
    absl::StatusOr<RawConnection> again = listener.Accept();
    ASSERT_TRUE(again.ok()) << again.status();
    ReceiveUntil(*again, kSubmitJob);
    process->Signal(SIGINT);
    const auto end = process->Wait();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(end->code, 130) << process->error_output();
    if (json) {
      EXPECT_THAT(process->output(), HasSubstr("{\"line\":2,"));
    } else {
      EXPECT_EQ(process->output(), "\nresult\n");
    }
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
