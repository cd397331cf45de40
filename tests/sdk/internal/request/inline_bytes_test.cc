#include "gearman/sdk/internal/request/inline_bytes.h"

#include <string>

#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

TEST(InlineBytesTest, HoldsAnyBytesOfUpToSixtyThree) {
  InlineBytes bytes;
  for (size_t size = 0; size <= 63; ++size) {
    std::string text(size, 'x');
    if (size > 0) text.back() = '\0';
    ASSERT_TRUE(bytes.Assign(text)) << size;
    EXPECT_EQ(bytes.view(), text) << size;
    EXPECT_EQ(bytes.empty(), size == 0) << size;
  }
  EXPECT_FALSE(bytes.Assign(std::string(64, 'y')));
  EXPECT_EQ(bytes.view().size(), 63u);
  bytes.Clear();
  EXPECT_TRUE(bytes.empty());
}

TEST(InlineBytesTest, ACopyHasBytesOfItsOwn) {
  for (const size_t size : {5u, 39u, 40u, 63u}) {
    InlineBytes first;
    ASSERT_TRUE(first.Assign(std::string(size, 'a')));
    InlineBytes second(first);
    InlineBytes third;
    ASSERT_TRUE(third.Assign(std::string(63, 'c')));
    third = first;
    ASSERT_TRUE(first.Assign(std::string(size, 'b')));
    EXPECT_EQ(second.view(), std::string(size, 'a'));
    EXPECT_EQ(third.view(), std::string(size, 'a'));
  }
}

TEST(InlineBytesTest, IsSmall) { EXPECT_EQ(sizeof(InlineBytes), 40u); }

}  // namespace
}  // namespace internal
}  // namespace gearman
