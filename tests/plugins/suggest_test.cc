#include "gearman/plugins/suggest.h"

#include <string>

#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(ClosestName, FindsWhatWasMistyped) {
  EXPECT_EQ(ClosestName("imediate", {"none", "immediate"}), "immediate");
  EXPECT_EQ(ClosestName("immedaite", {"none", "immediate"}), "immediate");
  EXPECT_EQ(ClosestName("servers_", {"servers", "timeouts"}), "servers");
}

TEST(ClosestName, DoesNotMindCaseAndSeparators) {
  EXPECT_EQ(ClosestName("maxPacketBytes", {"max_packet_bytes"}),
            "max_packet_bytes");
  EXPECT_EQ(ClosestName("Round-Robin", {"random", "round_robin"}),
            "round_robin");
}

TEST(ClosestName, PrefersWhatBeginsTheSame) {
  EXPECT_EQ(ClosestName("retries", {"metrics", "retry"}), "retry");
}

TEST(ClosestName, FindsNothingWhenNothingIsNear) {
  EXPECT_EQ(ClosestName("exponential_backoff", {"none", "immediate"}), "");
  EXPECT_EQ(ClosestName("", {"none"}), "");
  EXPECT_EQ(ClosestName("none", {}), "");
  EXPECT_EQ(ClosestName(std::string(1 << 20, 'x'), {"none"}), "");
}

TEST(Suggest, ListsWhatIsKnownInOrder) {
  EXPECT_EQ(Suggest("nome", {"none", "immediate"}),
            "did you mean \"none\"? Known: immediate, none");
  EXPECT_EQ(Suggest("budget", {"none", "immediate"}), "Known: immediate, none");
}

}  // namespace
}  // namespace gearman
