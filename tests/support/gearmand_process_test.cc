#include "gearman/tests/support/gearmand_process.h"

#include <signal.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

constexpr uint32_t kEchoReq = 16;
constexpr uint32_t kEchoRes = 17;

TEST(GearmandProcess, ServesBinaryAndText) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  absl::StatusOr<RawConnection> connection =
      RawConnection::Connect(server.port());
  ASSERT_TRUE(connection.ok()) << connection.status();
  ASSERT_TRUE(connection->Send(RequestPacket(kEchoReq, {"hello"})).ok());
  EXPECT_EQ(*connection->ReceivePacket(), ResponsePacket(kEchoRes, {"hello"}));
  const absl::StatusOr<std::vector<std::string>> version =
      server.Admin("version");
  ASSERT_TRUE(version.ok()) << version.status();
  ASSERT_EQ(version->size(), 1u);
  EXPECT_TRUE(absl::StartsWith(version->front(), "OK ")) << version->front();
  EXPECT_GE(server.major_version(), 1);
}

TEST(GearmandProcess, RunsTheProgramThatTheEnvironmentNames) {
  const char* const named = getenv("GEARMAND");
  const std::string earlier = named == nullptr ? "" : named;
  const TestDirectory directory;
  const std::string script = directory.Write(
      "gearmand", absl::StrCat("#!/bin/sh\n"
                               "echo another one >&2\n"
                               "exec ",
                               earlier.empty() ? "/usr/sbin/gearmand" : earlier,
                               " \"$@\"\n"));
  ASSERT_EQ(chmod(script.c_str(), 0755), 0);
  ASSERT_EQ(setenv("GEARMAND", script.c_str(), 1), 0);
  GearmandProcess server;
  // An empty one is none.
  EXPECT_EQ(setenv("GEARMAND", earlier.c_str(), 1), 0);
  EXPECT_TRUE(server.ok());
  EXPECT_TRUE(absl::StartsWith(server.log(), "another one\n"));
}

TEST(GearmandProcess, ReadsListsToTheirEnd) {
  GearmandProcess server;
  EXPECT_EQ(*server.Admin("status"), std::vector<std::string>());
  EXPECT_EQ(*server.Admin("create function f"), std::vector<std::string>{"OK"});
  EXPECT_EQ(*server.Admin("status"), std::vector<std::string>{"f\t0\t0\t0"});
}

TEST(GearmandProcess, TakesOptions) {
  GearmandProcess server({"--job-handle-prefix=J:x"});
  absl::StatusOr<RawConnection> connection =
      RawConnection::Connect(server.port());
  ASSERT_TRUE(connection.ok()) << connection.status();
  ASSERT_TRUE(connection->Send(RequestPacket(7, {"f", "u", ""})).ok());
  EXPECT_EQ(*connection->ReceivePacket(), ResponsePacket(8, {"J:x:1"}));
}

TEST(GearmandProcess, RunsBesideOthers) {
  GearmandProcess one;
  GearmandProcess two;
  EXPECT_TRUE(one.ok());
  EXPECT_TRUE(two.ok());
  EXPECT_NE(one.port(), two.port());
}

TEST(GearmandProcess, ClosesConnectionsAndItsPortWhenStopped) {
  GearmandProcess server;
  absl::StatusOr<RawConnection> connection =
      RawConnection::Connect(server.port());
  ASSERT_TRUE(connection.ok()) << connection.status();
  const absl::Status stopped = server.Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
  EXPECT_FALSE(server.ok());
  EXPECT_EQ(*connection->ReceiveUntilClosed(), "");
  EXPECT_EQ(RawConnection::Connect(server.port()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(GearmandProcess, RestartsOnTheSamePortAfterStopAndKill) {
  GearmandProcess server;
  const uint16_t port = server.port();
  const pid_t first = server.pid();
  ASSERT_TRUE(server.Restart().ok());
  EXPECT_NE(server.pid(), first);
  server.Kill();
  EXPECT_FALSE(server.ok());
  ASSERT_TRUE(server.Restart().ok());
  EXPECT_EQ(server.port(), port);
  EXPECT_TRUE(RawConnection::Connect(port).ok());
  EXPECT_TRUE(absl::StrContains(server.log(), absl::StrCat("pid ", first)));
}

TEST(GearmandProcess, LeavesNoProcessBehindWhenDestroyed) {
  pid_t pid;
  {
    GearmandProcess server;
    pid = server.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(GearmandProcess, DiesWithAnOwnerThatIsKilled) {
  SubprocessOptions options;
  options.argv = {"tests/support/gearmand_owner"};
  options.keep_input_open = true;
  auto owner = Subprocess::Start(std::move(options));
  ASSERT_TRUE(owner.ok()) << owner.status();
  const absl::Status started = (*owner)->WaitForOutput("\n");
  ASSERT_TRUE(started.ok()) << started;
  const std::string output = (*owner)->output();
  absl::string_view text = output;
  ASSERT_TRUE(absl::ConsumePrefix(&text, "port "));
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(text, &port));
  absl::StatusOr<RawConnection> connection =
      RawConnection::Connect(static_cast<uint16_t>(port));
  ASSERT_TRUE(connection.ok()) << connection.status();
  (*owner)->Signal(SIGKILL);
  // Only gearmand itself can close it.
  EXPECT_EQ(*connection->ReceiveUntilClosed(), "");
}

}  // namespace
}  // namespace support
}  // namespace gearman
