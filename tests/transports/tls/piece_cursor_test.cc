#include "gearman/transports/tls/piece_cursor.h"

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(PieceCursorTest, StepsOverPiecesAndEmptyOnes) {
  const std::vector<absl::string_view> pieces = {"", "abc", "", "de", ""};
  PieceCursor cursor(pieces);
  std::string memory;
  EXPECT_EQ(cursor.Gather(1, &memory), "abc");
  cursor.Advance(2);
  EXPECT_EQ(cursor.Gather(1, &memory), "c");
  cursor.Advance(1);
  EXPECT_EQ(cursor.Gather(1, &memory), "de");
  cursor.Advance(2);
  EXPECT_TRUE(cursor.at_end());
}

TEST(PieceCursorTest, StepsOverSeveralAtOnce) {
  const std::vector<absl::string_view> pieces = {"abc", "de", "fgh"};
  PieceCursor cursor(pieces);
  std::string memory;
  cursor.Advance(6);
  EXPECT_EQ(cursor.Gather(100, &memory), "gh");
  cursor.Advance(100);
  EXPECT_TRUE(cursor.at_end());
}

TEST(PieceCursorTest, GathersSmallPieces) {
  const std::vector<absl::string_view> pieces = {"abc", "de", "fgh"};
  PieceCursor cursor(pieces);
  cursor.Advance(1);
  std::string memory;
  EXPECT_EQ(cursor.Gather(5, &memory), "bcdef");
  EXPECT_EQ(cursor.Gather(100, &memory), "bcdefgh");
}

// No copy of what is large enough by itself.
TEST(PieceCursorTest, GivesALargePieceAsItIs) {
  const std::vector<absl::string_view> pieces = {"abcdef", "gh"};
  const PieceCursor cursor(pieces);
  std::string memory;
  EXPECT_EQ(cursor.Gather(6, &memory).data(), pieces[0].data());
  EXPECT_TRUE(memory.empty());
}

TEST(PieceCursorTest, KnowsWhetherMuchIsLeft) {
  const std::vector<absl::string_view> pieces = {"abc", "de"};
  PieceCursor cursor(pieces);
  EXPECT_TRUE(cursor.HasMoreThan(4));
  EXPECT_FALSE(cursor.HasMoreThan(5));
  cursor.Advance(2);
  EXPECT_TRUE(cursor.HasMoreThan(2));
  EXPECT_FALSE(cursor.HasMoreThan(3));
}

TEST(PieceCursorTest, OfNothingIsAtItsEnd) {
  EXPECT_TRUE(PieceCursor({}).at_end());
  const std::vector<absl::string_view> pieces = {"", ""};
  EXPECT_TRUE(PieceCursor(pieces).at_end());
}

}  // namespace
}  // namespace gearman
