// A client in 512 MiB of address space sends a job with 700 MiB of data from a
// source, takes as large a result in pieces, and grows by a few MiB.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/support/address_space.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RawListener;
using support::ResponsePacket;
using support::Subprocess;
using ::testing::HasSubstr;

constexpr uint32_t kJobCreated = 8;
constexpr uint32_t kWorkComplete = 13;
constexpr uint32_t kOptionRes = 27;
constexpr uint64_t kMiB = uint64_t{1} << 20;

// Reads the next packet and drops it. Returns the size of its body.
uint64_t DropPacket(RawConnection& connection) {
  const auto header = connection.Receive(12);
  EXPECT_TRUE(header.ok()) << header.status();
  if (!header.ok()) return 0;
  uint64_t size = 0;
  for (size_t i = 8; i < 12; ++i) {
    size = size * 256 + static_cast<unsigned char>((*header)[i]);
  }
  for (uint64_t left = size; left > 0;) {
    const size_t part = static_cast<size_t>(std::min(left, kMiB));
    const auto bytes = connection.Receive(part);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok()) return 0;
    left -= part;
  }
  return size;
}

// Sends a WORK_COMPLETE of H:1 with so many zeros.
void SendResult(RawConnection& connection, uint64_t size) {
  std::string head = ResponsePacket(kWorkComplete, {"H:1", ""});
  const uint64_t body = head.size() - 12 + size;
  for (size_t i = 0; i < 4; ++i) {
    head[11 - i] = static_cast<char>(body >> (8 * i));
  }
  EXPECT_TRUE(connection.Send(head).ok());
  const std::string zeros(kMiB, '\0');
  for (uint64_t left = size; left > 0;) {
    const size_t part = static_cast<size_t>(std::min(left, kMiB));
    const absl::Status sent =
        connection.Send(absl::string_view(zeros).substr(0, part));
    EXPECT_TRUE(sent.ok()) << sent;
    if (!sent.ok()) return;
    left -= part;
  }
}

TEST(BodyTest, AClientSendsAndTakesMoreThanItCouldHold) {
  if (!support::kAddressSpaceIsLimitable) {
    GTEST_SKIP() << "a sanitizer reserves more address space than that";
  }
  constexpr uint64_t kSize = 700 * kMiB;
  RawListener listener;
  support::SubprocessOptions options;
  options.argv = support::InAddressSpace(
      512 * kMiB,
      {"tests/memory/peer", "body", listener.address(), absl::StrCat(kSize)});
  auto process = Subprocess::Start(std::move(options));
  ASSERT_TRUE(process.ok()) << process.status();
  auto connection = listener.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  DropPacket(*connection);
  ASSERT_TRUE(
      connection->Send(ResponsePacket(kOptionRes, {"exceptions"})).ok());
  for (const uint64_t size : {uint64_t{0}, kSize}) {
    const uint64_t packet = DropPacket(*connection);
    EXPECT_GE(packet, size);
    EXPECT_LT(packet, size + 100);
    ASSERT_TRUE(connection->Send(ResponsePacket(kJobCreated, {"H:1"})).ok());
    SendResult(*connection, size);
  }
  const auto ended = (*process)->Wait();
  ASSERT_TRUE(ended.ok()) << ended.status();
  const std::string output = (*process)->output();
  EXPECT_TRUE(ended->ok()) << ended->ToString() << (*process)->error_output();
  EXPECT_THAT(output, HasSubstr("sent: \n"));
  EXPECT_THAT(output, HasSubstr(absl::StrCat("received: ", kSize, "\n")));
  const size_t at = output.find("grown: ");
  ASSERT_NE(at, std::string::npos) << output;
  const std::string grown = output.substr(at + 7, output.find(" KiB") - at - 7);
  int kib = 0;
  ASSERT_TRUE(absl::SimpleAtoi(grown, &kib)) << output;
  EXPECT_LT(kib, 4096);
}

}  // namespace
}  // namespace gearman
