#include "gearman/codecs/byte_account.h"

#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(ByteAccount, HoldsTheBytesOfThoseThatBelongToIt) {
  ByteAccount all;
  {
    ByteAccount one(&all);
    ByteAccount other(&all);
    one.Add(10);
    other.Add(5);
    one.Remove(3);
    EXPECT_EQ(one.bytes(), 7u);
    EXPECT_EQ(all.bytes(), 12u);
  }
  EXPECT_EQ(all.bytes(), 0u);
}

TEST(ByteShare, IsWhatItsObjectHoldsNow) {
  ByteAccount account;
  {
    ByteShare share(&account);
    share.Set(100);
    EXPECT_EQ(account.bytes(), 100u);
    share.Set(30);
    EXPECT_EQ(account.bytes(), 30u);
    EXPECT_EQ(share.bytes(), 30u);
  }
  EXPECT_EQ(account.bytes(), 0u);
  ByteShare nobodys(nullptr);
  nobodys.Set(5);
  EXPECT_EQ(nobodys.bytes(), 5u);
}

}  // namespace
}  // namespace gearman
