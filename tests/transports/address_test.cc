#include "gearman/transports/address.h"

#include <iterator>
#include <random>
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

// --- what is no address of any host ------------------------------------------

TEST(AddressTest, BracketsHoldAnIpv6Address) {
  for (const char* text :
       {"[[]", "[]", "[jobs]:4730", "[127.0.0.1]:4730", "[::1]]", "[:::]",
        "[1::2::3]", "[12345::]", "[::1%]", "[::1%]:4730", "[::1%a b]",
        "[1:2:3:4:5:6:7]", "1:2:3", "::1%", "[::256.0.0.1]"}) {
    EXPECT_EQ(ParseAddress(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(AddressTest, AHostHasOnlyTheCharactersOfHosts) {
  for (const char* text : {"127.0.0.1;14730",
                           "jobs;4730",
                           "jobs-1,jobs-2",
                           "jobs 4730",
                           "jobs\t:4730",
                           "user@jobs",
                           "jobs/path",
                           "jobs?x",
                           "jobs#x",
                           "jobs\\x",
                           "\"jobs\"",
                           "jobs%eth0",
                           "(jobs)",
                           "jobs..example",
                           ".jobs",
                           "-jobs",
                           "m\xC3\xBCnchen",
                           "jobs\x01",
                           "*",
                           "tcp:///",
                           "tls://:4730"}) {
    const absl::Status status = ParseAddress(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_THAT(std::string(ParseAddress("127.0.0.1;14730").status().message()),
              HasSubstr("';'"));
  EXPECT_EQ(Canonical("jobs_1.my-net.example."),
            "tcp://jobs_1.my-net.example.:4730");
}

TEST(AddressTest, ANameHasALength) {
  const std::string label(63, 'a');
  EXPECT_TRUE(ParseAddress(label).ok());
  EXPECT_FALSE(ParseAddress(label + "a").ok());
  const std::string name =
      label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_TRUE(ParseAddress(name).ok());
  EXPECT_FALSE(ParseAddress(name + "a").ok());
}

// Resolvers take some of them for addresses that nobody meant: a number alone
// for 0.0.18.122, and a leading zero for an octal number.
TEST(AddressTest, WhatEndsInANumberIsAnIpv4Address) {
  for (const char* text : {"4730", "127.1", "127.0.0.256", "127.0.0.1.1",
                           "127.0.0.010", "1.2.3", "jobs.1", "0x7f000001"}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
  EXPECT_THAT(std::string(ParseAddress("4730").status().message()),
              HasSubstr("IPv4"));
  EXPECT_EQ(Canonical("0.0.0.0:0"), "tcp://0.0.0.0:0");
  EXPECT_EQ(Canonical("255.255.255.255"), "tcp://255.255.255.255:4730");
  EXPECT_EQ(Canonical("1jobs"), "tcp://1jobs:4730");
}

TEST(AddressTest, APortIsANumberInDigits) {
  for (const char* text :
       {"jobs:+80", "jobs: 80", "jobs:80 1", "jobs:0x50", "jobs:65536",
        "jobs:99999999999999999999", "[::1]:", "[::1]:65536", "jobs:8O"}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
  EXPECT_EQ(Canonical("jobs:65535"), "tcp://jobs:65535");
  EXPECT_EQ(Canonical("jobs:00080"), "tcp://jobs:80");
}

TEST(AddressTest, OneIpv6AddressHasOneText) {
  EXPECT_EQ(Canonical("[0:0:0:0:0:0:0:1]"), "tcp://[::1]:4730");
  EXPECT_EQ(Canonical("[2001:DB8:0::0:1]:1"), "tcp://[2001:db8::1]:1");
}

TEST(AddressTest, OtherSchemesHoldNoControlCharacters) {
  EXPECT_FALSE(ParseAddress("inproc://a\nb").ok());
  EXPECT_FALSE(ParseAddress(std::string("unix:///a\0b", 11)).ok());
  EXPECT_FALSE(ParseAddress("1tcp://jobs").ok());
  EXPECT_EQ(Canonical("unix:///run/my jobs"), "unix:///run/my jobs");
}

// Whatever is taken prints as an address that reads as the same one.
TEST(AddressTest, WhatIsTakenIsReadAgainAsItIsPrinted) {
  const std::string pieces[] = {
      "[",   "]",      ":", "::", "%",   "1",    "4730", "jobs",
      ".",   "-",      "_", ";",  "/",   "//",   "://",  "tcp",
      "TLS", "inproc", " ", "\t", "@",   "fe80", "eth0", "127.0.0.1",
      "A",   "\n",     ",", "0",  "::1", "255"};
  std::mt19937 random(1);
  int taken = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    const int count = std::uniform_int_distribution<>(1, 6)(random);
    for (int j = 0; j < count; ++j) {
      text += pieces[std::uniform_int_distribution<size_t>(
          0, std::size(pieces) - 1)(random)];
    }
    const absl::StatusOr<Address> address = ParseAddress(text);
    if (!address.ok()) {
      EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
      continue;
    }
    ++taken;
    const std::string printed = address->ToString();
    const absl::StatusOr<Address> again = ParseAddress(printed);
    ASSERT_TRUE(again.ok()) << '"' << text << "\": " << again.status();
    EXPECT_EQ(*again, *address) << '"' << text << '"';
    EXPECT_EQ(again->ToString(), printed);
  }
  EXPECT_GT(taken, 1000);
}

}  // namespace
}  // namespace gearman
