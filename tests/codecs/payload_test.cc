#include "gearman/codecs/payload.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(PayloadTest, IsEmptyUnlessGivenBytes) {
  EXPECT_TRUE(Payload().empty());
  EXPECT_EQ(Payload().view(), "");
  EXPECT_TRUE(Payload(std::string()).empty());
  EXPECT_TRUE(Payload(std::shared_ptr<const std::string>()).empty());
}

TEST(PayloadTest, BorrowsWithoutCopying) {
  const std::string bytes = "borrowed";
  const Payload payload = Payload::View(bytes);
  EXPECT_TRUE(payload.borrowed());
  EXPECT_EQ(payload.view().data(), bytes.data());
  EXPECT_EQ(payload.size(), 8u);
}

TEST(PayloadTest, MovesAnOwnedStringOut) {
  std::string bytes(1000, 'x');
  const char* const address = bytes.data();
  Payload payload(std::move(bytes));
  EXPECT_FALSE(payload.borrowed());
  EXPECT_EQ(payload.view().data(), address);
  const std::string taken = std::move(payload).TakeString();
  EXPECT_EQ(taken.data(), address);
}

TEST(PayloadTest, CopiesABorrowedOneIntoAString) {
  std::string bytes = "bytes";
  const std::string taken = Payload::View(bytes).TakeString();
  bytes = "other";
  EXPECT_EQ(taken, "bytes");
}

TEST(PayloadTest, LeavesASharedOneToTheOthers) {
  const auto shared = std::make_shared<const std::string>("shared");
  EXPECT_EQ(Payload(shared).TakeString(), "shared");
  EXPECT_EQ(*shared, "shared");
}

TEST(PayloadTest, PassesASharedOneOn) {
  const auto shared = std::make_shared<const std::string>("shared");
  Payload payload(shared);
  EXPECT_EQ(payload.shared(), shared);
  EXPECT_EQ(std::move(payload).TakeShared(), shared);
}

TEST(PayloadTest, MovesAnOwnedOneIntoASharedOne) {
  std::string bytes(1000, 'x');
  const char* const address = bytes.data();
  const auto shared = Payload(std::move(bytes)).TakeShared();
  EXPECT_EQ(shared->data(), address);
}

TEST(PayloadTest, SharesEvenNothing) {
  EXPECT_EQ(*Payload().TakeShared(), "");
  EXPECT_EQ(*Payload(std::shared_ptr<const std::string>()).TakeShared(), "");
}

TEST(PayloadTest, KeepsNulsWhateverItsKind) {
  const std::string bytes("\0a\0", 3);
  EXPECT_EQ(Payload::View(bytes).TakeString(), bytes);
  EXPECT_EQ(Payload(bytes).TakeString(), bytes);
  EXPECT_EQ(Payload(std::make_shared<const std::string>(bytes)).TakeString(),
            bytes);
}

TEST(PayloadTest, IsTheOtherOneWhenAssigned) {
  const std::string bytes = "borrowed";
  Payload payload(std::string("owned"));
  payload = Payload::View(bytes);
  EXPECT_TRUE(payload.borrowed());
  EXPECT_EQ(payload.view(), "borrowed");
  payload = Payload(std::make_shared<const std::string>("shared"));
  EXPECT_EQ(payload.view(), "shared");
  payload = Payload();
  EXPECT_EQ(payload.shared(), nullptr);
  EXPECT_TRUE(payload.empty());
}

}  // namespace
}  // namespace gearman
