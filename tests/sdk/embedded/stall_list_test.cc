#include "gearman/sdk/embedded/stall_list.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

TEST(StallList, LinksWithoutProgressExpireInTheirOrder) {
  const absl::Time start = absl::UnixEpoch();
  StallList list(absl::Seconds(16));
  StallEntry a(1);
  StallEntry b(2);
  StallEntry c(3);
  EXPECT_EQ(list.next_deadline(), absl::InfiniteFuture());
  list.Update(a, true, 10, start);
  list.Update(b, true, 10, start + absl::Seconds(1));
  list.Update(c, true, 10, start + absl::Seconds(2));
  EXPECT_EQ(list.next_deadline(), start + absl::Seconds(16));
  // The first entry gets on, the second stays, and the third has ended what it
  // was at.
  list.Update(a, true, 11, start + absl::Seconds(3));
  list.Update(b, true, 10, start + absl::Seconds(3));
  list.Update(c, false, 12, start + absl::Seconds(3));
  EXPECT_EQ(list.TakeExpired(start + absl::Seconds(16)), nullptr);
  EXPECT_EQ(list.TakeExpired(start + absl::Seconds(17)), &b);
  EXPECT_EQ(list.TakeExpired(start + absl::Seconds(17)), nullptr);
  EXPECT_EQ(list.TakeExpired(start + absl::Seconds(19)), &a);
  EXPECT_EQ(list.next_deadline(), absl::InfiniteFuture());
}

TEST(StallList, NeverExpiresWithoutALimit) {
  StallList list(absl::InfiniteDuration());
  StallEntry a(1);
  list.Update(a, true, 0, absl::UnixEpoch());
  EXPECT_EQ(list.next_deadline(), absl::InfiniteFuture());
  EXPECT_EQ(list.TakeExpired(absl::UnixEpoch() + absl::Hours(10000)), nullptr);
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
