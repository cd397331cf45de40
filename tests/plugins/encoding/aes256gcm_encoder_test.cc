#include "gearman/plugins/encoding/aes256gcm_encoder.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using testing::Decoded;
using testing::Encoded;
using ::testing::HasSubstr;
using testing::RequestOf;

// Magic, version, length and id of a key with an id of one letter.
constexpr size_t kHead = 6;

Aes256GcmKey Key(const std::string& id, unsigned char fill) {
  Aes256GcmKey key;
  key.id = id;
  key.bytes.fill(fill);
  return key;
}

std::unique_ptr<Aes256GcmEncoder> EncoderOf(std::vector<Aes256GcmKey> keys) {
  auto encoder = Aes256GcmEncoder::Create(std::move(keys));
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  return *std::move(encoder);
}

DataContext ReplyOf(absl::string_view task) {
  DataContext context = RequestOf(task);
  context.direction = DataDirection::kReply;
  return context;
}

TEST(Aes256GcmEncoder, ReadsWhatItWrites) {
  const auto encoder = EncoderOf({Key("a", 1)});
  for (const std::string& data :
       {std::string(), std::string("x"), std::string(100'000, '\0')}) {
    const auto bytes = Encoded(*encoder, data);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(bytes->size(), kHead + 12 + data.size() + 16);
    const auto back = Decoded(*encoder, *bytes);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(*back == data);
  }
}

TEST(Aes256GcmEncoder, HidesTheDataAndTakesANewNonceEachTime) {
  const auto encoder = EncoderOf({Key("a", 1)});
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = *Encoded(*encoder, "secret text");
    EXPECT_EQ(bytes.find("secret"), std::string::npos);
    nonces.insert(bytes.substr(kHead, 12));
  }
  EXPECT_EQ(nonces.size(), 100);
}

TEST(Aes256GcmEncoder, NoticesEveryCut) {
  const auto encoder = EncoderOf({Key("a", 1)});
  const std::string whole = *Encoded(*encoder, "data");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(
        absl::IsDataLoss(Decoded(*encoder, whole.substr(0, size)).status()))
        << size;
  }
}

TEST(Aes256GcmEncoder, NoticesEveryChangedByteAndLeavesNothingReadable) {
  const auto encoder = EncoderOf({Key("a", 1)});
  const std::string whole = *Encoded(*encoder, "secret text");
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      std::string buffer;
      const auto data = DecodeData(*encoder, RequestOf("t"), changed, &buffer);
      ASSERT_FALSE(data.ok()) << at << " " << bit;
      EXPECT_EQ(buffer, "");
      // The key's id is changed: there is no such key. The version is: it is
      // one of the future.
      EXPECT_TRUE(absl::IsDataLoss(data.status()) ||
                  (at == kHead - 1 && absl::IsNotFound(data.status())) ||
                  (at == 3 && absl::IsUnimplemented(data.status())) ||
                  (at == 4 && absl::IsNotFound(data.status())))
          << at << " " << bit << ": " << data.status();
    }
  }
  const std::string longer = whole + "x";
  EXPECT_TRUE(absl::IsDataLoss(Decoded(*encoder, longer).status()));
}

TEST(Aes256GcmEncoder, BindsTheTaskAndTheDirection) {
  const auto encoder = EncoderOf({Key("a", 1)});
  const std::string request = *Encoded(*encoder, "x", RequestOf("pay"));
  EXPECT_TRUE(Decoded(*encoder, request, RequestOf("pay")).ok());
  EXPECT_EQ(Decoded(*encoder, request, RequestOf("refund")).status(),
            absl::DataLossError(
                "encoder \"aes256gcm\": the message is not authentic under the "
                "key \"a\": its bytes were changed, or it was encrypted with "
                "another key of this id, or not as the request of task "
                "\"refund\""));
  const absl::Status reflected =
      Decoded(*encoder, request, ReplyOf("pay")).status();
  EXPECT_TRUE(absl::IsDataLoss(reflected));
  EXPECT_THAT(std::string(reflected.message()),
              HasSubstr("not as the reply of task \"pay\""));
  const std::string reply = *Encoded(*encoder, "x", ReplyOf("pay"));
  EXPECT_TRUE(Decoded(*encoder, reply, ReplyOf("pay")).ok());
  EXPECT_FALSE(Decoded(*encoder, reply, RequestOf("pay")).ok());
}

TEST(Aes256GcmEncoder, TellsAnotherKeyFromAMissingOne) {
  const auto encoder = EncoderOf({Key("a", 1)});
  const std::string bytes = *Encoded(*encoder, "x");
  const auto other = EncoderOf({Key("a", 2)});
  EXPECT_TRUE(absl::IsDataLoss(Decoded(*other, bytes).status()));
  const auto missing = EncoderOf({Key("b", 1), Key("c", 1)});
  EXPECT_EQ(Decoded(*missing, bytes).status(),
            absl::NotFoundError("encoder \"aes256gcm\": the message is "
                                "encrypted with the key \"a\", and the keys "
                                "here are \"b\", \"c\""));
}

TEST(Aes256GcmEncoder, ReadsOldKeysAndWritesTheFirst) {
  const auto old = EncoderOf({Key("old", 1), Key("new", 2)});
  const auto both = EncoderOf({Key("new", 2), Key("old", 1)});
  EXPECT_EQ(*Decoded(*both, *Encoded(*old, "x")), "x");
  EXPECT_EQ(*Decoded(*old, *Encoded(*both, "x")), "x");
  EXPECT_EQ(*Decoded(*EncoderOf({Key("new", 2)}), *Encoded(*both, "x")), "x");
}

TEST(Aes256GcmEncoder, NeverTakesRawData) {
  const auto encoder = EncoderOf({Key("a", 1)});
  for (const std::string& raw :
       {std::string(), std::string("hello"), std::string(100, 'x')}) {
    const absl::Status status = Decoded(*encoder, raw).status();
    EXPECT_TRUE(absl::IsDataLoss(status));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("expected an aes256gcm message, found"));
  }
}

TEST(Aes256GcmEncoder, ChecksItsKeys) {
  EXPECT_TRUE(absl::IsInvalidArgument(Aes256GcmEncoder::Create({}).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(Aes256GcmEncoder::Create({Key("", 1)}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      Aes256GcmEncoder::Create({Key("a", 1), Key("a", 2)}).status()));
}

}  // namespace
}  // namespace gearman
