#include "gearman/transports/inproc/pipe.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

Piece Owned(std::string bytes) {
  Piece piece;
  piece.owned = std::move(bytes);
  return piece;
}

std::string Pop(Pipe* pipe, size_t bytes) {
  std::string into(bytes, '\0');
  into.resize(pipe->Pop(absl::MakeSpan(&into[0], into.size())));
  return into;
}

TEST(PipeTest, TakesAPieceWholeInItsPlace) {
  Pipe pipe(100);
  std::string large(50, 'l');
  const char* const bytes = large.data();
  EXPECT_EQ(pipe.Push("before"), 6u);
  pipe.Push(Owned(std::move(large)));
  EXPECT_EQ(pipe.Push("after"), 5u);
  Piece piece;
  EXPECT_FALSE(pipe.Take(50, &piece));  // other bytes come first
  EXPECT_EQ(Pop(&pipe, 100), "before");
  EXPECT_FALSE(pipe.Take(49, &piece));
  ASSERT_TRUE(pipe.Take(50, &piece));
  EXPECT_EQ(piece.owned.data(), bytes);
  EXPECT_EQ(Pop(&pipe, 100), "after");
  EXPECT_TRUE(pipe.empty());
  EXPECT_EQ(pipe.room(), 100u);
}

TEST(PipeTest, PassesASharedStringOn) {
  Pipe pipe(100);
  Piece given;
  given.shared = std::make_shared<std::string>("shared");
  const auto shared = given.shared;
  pipe.Push(std::move(given));
  Piece taken;
  ASSERT_TRUE(pipe.Take(6, &taken));
  EXPECT_EQ(taken.shared, shared);
}

TEST(PipeTest, APieceOfWhichAByteWasReadIsBytes) {
  Pipe pipe(100);
  pipe.Push(Owned("piece"));
  EXPECT_EQ(Pop(&pipe, 2), "pi");
  Piece piece;
  EXPECT_FALSE(pipe.Take(5, &piece));
  EXPECT_FALSE(pipe.Take(3, &piece));
  EXPECT_EQ(pipe.room(), 100u);
  EXPECT_EQ(Pop(&pipe, 100), "ece");
  EXPECT_TRUE(pipe.empty());
}

TEST(PipeTest, HoldsSomePiecesBesideItsBytes) {
  Pipe pipe(10);
  for (size_t i = 0; i < Pipe::kMaxPieces; ++i) {
    EXPECT_EQ(pipe.room(), 10u) << i;
    pipe.Push(Owned("1234567"));
  }
  EXPECT_EQ(pipe.room(), 0u);
  EXPECT_EQ(pipe.Push("more"), 0u);
  Piece piece;
  ASSERT_TRUE(pipe.Take(7, &piece));
  EXPECT_EQ(pipe.room(), 10u);
}

TEST(PipeTest, HoldsOneLargePieceBeyondTheBytesOfAllPieces) {
  Pipe pipe(10);
  pipe.Push(Owned(std::string(10 * Pipe::kMaxPieces - 1, 's')));
  EXPECT_EQ(pipe.room(), 10u);
  pipe.Push(Owned(std::string(1000, 'l')));
  EXPECT_EQ(pipe.room(), 0u);
  Piece piece;
  ASSERT_TRUE(pipe.Take(10 * Pipe::kMaxPieces - 1, &piece));
  EXPECT_EQ(pipe.room(), 0u);
  EXPECT_EQ(Pop(&pipe, 1000).size(), 1000u);
  EXPECT_EQ(pipe.room(), 10u);
}

TEST(PipeTest, TakesNoPieceWhereItsBytesFillIt) {
  Pipe pipe(10);
  EXPECT_EQ(pipe.Push("0123456789"), 10u);
  EXPECT_EQ(pipe.room(), 0u);
}

// Each byte comes out once, in order, however pieces and bytes are mixed.
TEST(PipeTest, KeepsTheOrderOfAnyMixture) {
  std::mt19937 random(1);
  const auto upto = [&random](size_t most) {
    return std::uniform_int_distribution<size_t>(1, most)(random);
  };
  Pipe pipe(64);
  std::string written, read;
  char next = 'a';
  const auto bytes = [&](size_t count) {
    std::string made(count, next);
    next = next == 'z' ? 'a' : static_cast<char>(next + 1);
    return made;
  };
  for (int i = 0; i < 20000; ++i) {
    switch (upto(4)) {
      case 1: {
        const std::string made = bytes(upto(20));
        written += made.substr(0, pipe.Push(made));
        break;
      }
      case 2:
        if (pipe.room() > 0) {
          std::string made = bytes(upto(100));
          written += made;
          pipe.Push(Owned(std::move(made)));
        }
        break;
      case 3:
        read += Pop(&pipe, upto(30));
        break;
      default:
        for (size_t size = 1; size <= 100; ++size) {
          Piece piece;
          if (pipe.Take(size, &piece)) read += piece.owned;
        }
    }
  }
  while (!pipe.empty()) read += Pop(&pipe, 30);
  EXPECT_EQ(read, written);
  EXPECT_EQ(pipe.room(), 64u);
}

}  // namespace
}  // namespace gearman
