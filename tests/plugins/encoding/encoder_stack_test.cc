#include "gearman/plugins/encoding/encoder_stack.h"

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/raw_encoder.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using testing::Decoded;
using testing::Encoded;
using testing::RequestOf;

// Puts a letter before the data. With `copies`, decodes into the buffer.
class Letter : public DataEncoder {
 public:
  Letter(char letter, bool copies) : letter_(letter), copies_(copies) {}

  absl::Status Encode(const DataContext& /*context*/,
                      std::string* data) const override {
    data->insert(data->begin(), letter_);
    return absl::OkStatus();
  }
  absl::StatusOr<absl::string_view> Decode(const DataContext& /*context*/,
                                           absl::string_view data,
                                           std::string* buffer) const override {
    if (data.empty() || data.front() != letter_) {
      return absl::DataLossError(absl::StrCat("found ", data));
    }
    if (!copies_) return data.substr(1);
    // An encoder may write to its buffer before it has read everything.
    const char* const end = buffer->data() + buffer->size();
    if (data.data() >= buffer->data() && data.data() < end) {
      return absl::InternalError("the data lies in the buffer");
    }
    buffer->assign(data.data() + 1, data.size() - 1);
    return absl::string_view(*buffer);
  }
  absl::string_view name() const override { return {&letter_, 1}; }

 private:
  const char letter_;
  const bool copies_;
};

// Takes messages, and only says so.
class Format : public Letter {
 public:
  Format() : Letter('f', false) {}
  const MessageFormat* message_format() const override {
    return reinterpret_cast<const MessageFormat*>(this);
  }
};

template <typename Exception>
class Thrower : public DataEncoder {
 public:
  absl::Status Encode(const DataContext& /*context*/,
                      std::string* /*data*/) const override {
    throw Exception();
  }
  absl::StatusOr<absl::string_view> Decode(
      const DataContext& /*context*/, absl::string_view /*data*/,
      std::string* /*buffer*/) const override {
    throw Exception();
  }
  absl::string_view name() const override { return "thrower"; }
};

struct Text : std::runtime_error {
  Text() : std::runtime_error("no\nluck") {}
};

std::unique_ptr<EncoderStack> StackOf(
    std::vector<std::shared_ptr<const DataEncoder>> encoders) {
  auto stack = EncoderStack::Create(std::move(encoders));
  EXPECT_TRUE(stack.ok()) << stack.status();
  return *std::move(stack);
}

TEST(EncoderStack, AppliesItsEncodersInOrderAndInReverse) {
  const auto stack = StackOf({std::make_shared<Letter>('a', false),
                              std::make_shared<Letter>('b', true)});
  EXPECT_EQ(stack->name(), "a+b");
  EXPECT_EQ(*Encoded(*stack, "x"), "bax");
  EXPECT_EQ(*Decoded(*stack, "bax"), "x");
}

// Each way in which views and buffers may follow one another.
TEST(EncoderStack, DecodesWhateverItsEncodersDoWithTheBuffers) {
  const std::string letters = "abcd";
  for (unsigned copies = 0; copies < 16; ++copies) {
    for (const std::string& data :
         {std::string("short"), std::string(), std::string(1000, 'x')}) {
      std::vector<std::shared_ptr<const DataEncoder>> encoders;
      for (size_t i = 0; i < letters.size(); ++i) {
        encoders.push_back(
            std::make_shared<Letter>(letters[i], (copies >> i & 1) != 0));
      }
      const auto stack = StackOf(std::move(encoders));
      const auto encoded = Encoded(*stack, data);
      ASSERT_TRUE(encoded.ok());
      EXPECT_EQ(*Decoded(*stack, *encoded), data) << copies;
    }
  }
}

TEST(EncoderStack, CopiesNothingWhereItsEncodersDoNot) {
  const auto stack = StackOf(
      {std::make_shared<RawEncoder>(), std::make_shared<Letter>('a', false)});
  const std::string bytes = "adata";
  std::string buffer;
  const auto data = DecodeData(*stack, RequestOf("t"), bytes, &buffer);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->data(), bytes.data() + 1);
}

TEST(EncoderStack, NamesTheEncoderThatFails) {
  const auto stack = StackOf({std::make_shared<Letter>('a', false),
                              std::make_shared<Letter>('b', false)});
  const absl::Status status = Decoded(*stack, "bcx").status();
  EXPECT_EQ(status, absl::DataLossError("encoder \"a\": found cx"));
}

TEST(EncoderStack, MayHoldStacks) {
  const std::shared_ptr<const DataEncoder> inner =
      StackOf({std::make_shared<Letter>('a', true),
               std::make_shared<Letter>('b', true)});
  const auto stack = StackOf({inner, std::make_shared<Letter>('c', true)});
  EXPECT_EQ(stack->name(), "a+b+c");
  EXPECT_EQ(*Decoded(*stack, *Encoded(*stack, "x")), "x");
  EXPECT_EQ(Decoded(*stack, "cbx").status(),
            absl::DataLossError("encoder \"a\": found x"));
}

TEST(EncoderStack, HasTheFormatOfItsFirstEncoderOnly) {
  const auto format = std::make_shared<Format>();
  const auto letter = std::make_shared<Letter>('a', false);
  EXPECT_EQ(StackOf({format, letter})->message_format(),
            format->message_format());
  EXPECT_EQ(StackOf({letter})->message_format(), nullptr);
  const absl::Status status = EncoderStack::Create({letter, format}).status();
  EXPECT_EQ(status, absl::InvalidArgumentError(
                        "data encoder \"f\" takes Protobuf messages, so it "
                        "must be the first of its stack; \"a\" is before it"));
}

TEST(EncoderStack, RefusesNoneNullAndTooMany) {
  EXPECT_TRUE(absl::IsInvalidArgument(EncoderStack::Create({}).status()));
  EXPECT_EQ(EncoderStack::Create({std::make_shared<RawEncoder>(), nullptr})
                .status()
                .message(),
            "data encoder 2 of the stack is null");
  const auto raw = std::make_shared<RawEncoder>();
  std::vector<std::shared_ptr<const DataEncoder>> many(16, raw);
  EXPECT_TRUE(EncoderStack::Create(many).ok());
  many.push_back(raw);
  EXPECT_TRUE(absl::IsInvalidArgument(EncoderStack::Create(many).status()));
}

TEST(DataEncoder, MakesErrorsOfExceptions) {
  const Thrower<std::bad_alloc> no_memory;
  const absl::Status exhausted = absl::ResourceExhaustedError(
      "encoder \"thrower\": there is not enough memory");
  EXPECT_EQ(Encoded(no_memory, "x").status(), exhausted);
  EXPECT_EQ(Decoded(no_memory, "x").status(), exhausted);
  EXPECT_EQ(Encoded(Thrower<Text>(), "x").status(),
            absl::UnknownError("encoder \"thrower\": no\\x0aluck"));
  EXPECT_EQ(Decoded(Thrower<int>(), "x").status(),
            absl::UnknownError("encoder \"thrower\": unknown exception"));
  const auto stack = StackOf({std::make_shared<Thrower<std::bad_alloc>>()});
  EXPECT_EQ(Decoded(*stack, "x").status(), exhausted);
}

}  // namespace
}  // namespace gearman
