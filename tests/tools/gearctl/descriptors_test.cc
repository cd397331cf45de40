// `gearctl server` when there are few descriptors.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/transports/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RequestPacket;
using support::Subprocess;
using ::testing::AllOf;
using ::testing::HasSubstr;

class DescriptorsTest : public ::testing::Test {
 protected:
  // Starts the server after `limit`, a command of the shell.
  void Start(const std::string& limit) {
    support::SubprocessOptions options;
    options.argv = {"/bin/sh", "-c",
                    absl::StrCat(limit,
                                 " && exec tools/gearctl/gearctl server "
                                 "--listen 127.0.0.1:0")};
    options.keep_input_open = true;
    auto process = Subprocess::Start(std::move(options));
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
    const absl::Status listens = process_->WaitForOutput("\n");
    ASSERT_TRUE(listens.ok()) << listens;
    const auto address =
        ParseAddress(absl::StripAsciiWhitespace(process_->output()));
    ASSERT_TRUE(address.ok()) << address.status();
    port_ = ParseHostPort(address->authority)->port;
  }
  // Connects, and asks for an echo. False: the server has closed instead.
  bool Connect() {
    auto connection = RawConnection::Connect(port_);
    EXPECT_TRUE(connection.ok()) << connection.status();
    const bool served = connection->Send(RequestPacket(16, {"echo"})).ok() &&
                        connection->ReceivePacket().ok();
    if (served) served_.push_back(*std::move(connection));
    return served;
  }

  uint16_t port_ = 0;
  std::unique_ptr<Subprocess> process_;
  std::vector<RawConnection> served_;
};

TEST_F(DescriptorsTest, ClosesAtOnceWhomItHasNoDescriptorFor) {
  Start("ulimit -n 32");
  bool refused = false;
  for (int i = 0; i < 40 && !refused; ++i) refused = !Connect();
  EXPECT_TRUE(refused);
  EXPECT_GT(served_.size(), 5u);
  const absl::Status said = process_->WaitForErrorOutput("ulimit -n");
  EXPECT_TRUE(said.ok()) << said;
  EXPECT_THAT(
      process_->error_output(),
      AllOf(HasSubstr("can't accept"), HasSubstr("Too many open files")));
  // When one connection ends, there is room for the next.
  served_.pop_back();
  bool served = false;
  for (int i = 0; i < 1000 && !served; ++i) served = Connect();
  EXPECT_TRUE(served);
}

TEST_F(DescriptorsTest, RaisesTheSoftLimitAsFarAsItMay) {
  Start("ulimit -S -n 32");
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Connect()) << i;
}

}  // namespace
}  // namespace gearman
