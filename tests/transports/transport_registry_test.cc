#include "gearman/transports/transport_registry.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::StartsWith;

TEST(TransportRegistry, AMissingTransportSaysHowToGetIt) {
  TransportRegistry registry;
  const absl::Status none = registry.Find("tls").status();
  EXPECT_TRUE(absl::IsNotFound(none)) << none;
  EXPECT_THAT(
      std::string(none.message()),
      AllOf(StartsWith("no transport for tls:// is linked or registered; there "
                       "are none: link @gearman_sdk//sdk:builtins (CMake: "
                       "gearman_sdk::config), or register "),
            EndsWith("the factory of @gearman_sdk//transports/tls "
                     "(TransportRegistry::Register)")));
  ASSERT_TRUE(
      registry.Register("tcp", std::make_shared<TcpTransportFactory>()).ok());
  const absl::Status other = registry.Find("quic").status();
  EXPECT_TRUE(absl::IsNotFound(other)) << other;
  EXPECT_THAT(
      std::string(other.message()),
      AllOf(StartsWith("no transport for quic:// is linked or registered; "
                       "there are tcp://: "),
            EndsWith("register its factory (TransportRegistry::Register)")));
}

TEST(TransportRegistry, ASchemeHasOneTransport) {
  TransportRegistry registry;
  const auto factory = std::make_shared<TcpTransportFactory>();
  EXPECT_TRUE(registry.Register("tcp", factory).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(registry.Register("tcp", factory)));
  EXPECT_TRUE(absl::IsInvalidArgument(registry.Register("", factory)));
  EXPECT_TRUE(absl::IsInvalidArgument(registry.Register("x", nullptr)));
  ASSERT_TRUE(registry.Find("tcp").ok());
  EXPECT_EQ(*registry.Find("tcp"), factory);
}

}  // namespace
}  // namespace gearman
