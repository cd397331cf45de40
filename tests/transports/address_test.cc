#include "gearman/transports/address.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

std::string Canonical(const std::string& text) {
  const absl::StatusOr<Address> address = ParseAddress(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.ok() ? address->ToString() : "";
}

TEST(AddressTest, ABareHostIsTcpAtGearmansPort) {
  EXPECT_EQ(Canonical("jobs"), "tcp://jobs:4730");
  EXPECT_EQ(Canonical("jobs:4731"), "tcp://jobs:4731");
  EXPECT_EQ(Canonical("127.0.0.1"), "tcp://127.0.0.1:4730");
  EXPECT_EQ(Canonical("tcp://jobs"), "tcp://jobs:4730");
  EXPECT_EQ(Canonical("TCP://jobs:1"), "tcp://jobs:1");
}

TEST(AddressTest, Ipv6AddressesStandInBrackets) {
  EXPECT_EQ(Canonical("[::1]:4731"), "tcp://[::1]:4731");
  EXPECT_EQ(Canonical("[::1]"), "tcp://[::1]:4730");
  EXPECT_EQ(Canonical("tcp://[fe80::1]"), "tcp://[fe80::1]:4730");
  EXPECT_EQ(Canonical("[fe80::1%eth0]:1"), "tcp://[fe80::1%eth0]:1");
  const absl::StatusOr<HostPort> host = ParseHostPort("[::1]:4731");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->host, "::1");
  EXPECT_EQ(host->port, 4731);
  EXPECT_EQ(ParseHostPort("::1")->host, "::1");
}

TEST(AddressTest, AHostIsTheSameInAnyCase) {
  EXPECT_EQ(Canonical("JOBS-1.Example"), "tcp://jobs-1.example:4730");
  EXPECT_EQ(Canonical("tls://Jobs:1"), "tls://jobs:1");
  // An interface's name is not.
  EXPECT_EQ(Canonical("[FE80::1%Eth0]:1"), "tcp://[fe80::1%Eth0]:1");
  EXPECT_EQ(Canonical("inproc://Jobs"), "inproc://Jobs");
}

TEST(AddressTest, OtherSchemesKeepWhatIsBehindThem) {
  EXPECT_EQ(Canonical("inproc://jobs"), "inproc://jobs");
  EXPECT_EQ(Canonical("unix:///run/gearmand.sock"),
            "unix:///run/gearmand.sock");
  EXPECT_EQ(Canonical("tls://jobs"), "tls://jobs:4730");
}

TEST(AddressTest, WhatMakesNoSenseIsNamed) {
  for (const char* text :
       {"", "tcp://", "jobs:", "jobs:0x10", "jobs:65536", "jobs:-1", "[::1",
        "[::1]x", "://jobs", "jobs:47:30:1]", "?]%|]%|18:|18:|1", "[a%b:c]"}) {
    const absl::Status status = ParseAddress(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << '"' << text << '"';
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
}

}  // namespace
}  // namespace gearman
