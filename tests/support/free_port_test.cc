#include "gearman/tests/support/free_port.h"

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "gearman/tests/support/raw_connection.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

TEST(ReservedPort, RefusesConnectsWithoutAServer) {
  const ReservedPort port;
  EXPECT_EQ(RawConnection::Connect(port.port()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ReservedPort, LetsAServerListenStopAndListenAgain) {
  const ReservedPort port;
  for (int run = 0; run < 2; ++run) {
    RawListener listener(port.port());
    ASSERT_EQ(listener.port(), port.port());
    EXPECT_TRUE(RawConnection::Connect(port.port()).ok());
    EXPECT_TRUE(listener.Accept().ok());
  }
}

TEST(ReservedPort, IsGivenToNobodyElse) {
  std::vector<std::unique_ptr<ReservedPort>> ports;
  std::set<uint16_t> numbers;
  for (int i = 0; i < 200; ++i) {
    ports.push_back(std::make_unique<ReservedPort>());
    numbers.insert(ports.back()->port());
    numbers.insert(RawListener().port());
  }
  for (const auto& port : ports) {
    EXPECT_NE(RawListener().port(), port->port());
  }
  EXPECT_GT(numbers.size(), ports.size());
  EXPECT_EQ(numbers.count(0), 0u);
}

TEST(FreePort, IsOneWhereNobodyListens) {
  EXPECT_EQ(RawConnection::Connect(FreePort()).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace support
}  // namespace gearman
