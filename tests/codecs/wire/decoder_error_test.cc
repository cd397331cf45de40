// Tests of the decoder's errors for streams that break the protocol.
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using support::RawPacket;
using support::RequestPacket;
using support::ResponsePacket;

// Good packets, which move the offset of what follows.
template <typename Receiver>
std::string GoodPackets();
template <>
std::string GoodPackets<ToClient>() {
  return absl::StrCat(ResponsePacket(8, {"H:1"}), ResponsePacket(14, {"H:1"}));
}
template <>
std::string GoodPackets<ToWorker>() {
  return absl::StrCat(ResponsePacket(6), ResponsePacket(10));
}
template <>
std::string GoodPackets<ToServer>() {
  return absl::StrCat(RequestPacket(4), RequestPacket(1, {"f"}));
}

// Behind good packets `bad` is DATA_LOSS at its offset, with a text that holds
// each of `parts`, whatever the chunks.
template <typename Receiver>
void ExpectBroken(const std::string& bad, const std::vector<std::string>& parts,
                  DecoderOptions options = {}) {
  const std::string good = GoodPackets<Receiver>();
  const std::string stream = good + bad;
  for (const size_t chunk : {size_t{1}, size_t{5}, stream.size()}) {
    const Decoded decoded = Decode<Receiver>(stream, chunk, options);
    EXPECT_EQ(decoded.messages.size(), 2u) << decoded.error;
    EXPECT_EQ(decoded.error.code(), absl::StatusCode::kDataLoss)
        << decoded.error;
    std::vector<std::string> all = parts;
    all.push_back(absl::StrCat(" byte ", good.size(), " "));
    for (const std::string& part : all) {
      EXPECT_TRUE(absl::StrContains(decoded.error.message(), part))
          << "'" << decoded.error.message() << "' lacks '" << part << "'";
    }
  }
}

template <typename Receiver>
class DecoderErrorTest : public testing::Test {};
using Receivers = testing::Types<ToServer, ToClient, ToWorker>;
TYPED_TEST_SUITE(DecoderErrorTest, Receivers);

TYPED_TEST(DecoderErrorTest, NamesBytesThatAreNoMagic) {
  ExpectBroken<TypeParam>("HTTP/1.1 400 Bad Request\r\n",
                          {"\"H", "expected", "\\x00REQ", "\\x00RES"});
  ExpectBroken<TypeParam>(std::string("\0REX\0\0\0\1\0\0\0\0", 12),
                          {"\\x00REX", "expected"});
}

TYPED_TEST(DecoderErrorTest, NamesAWrongMagicBeforeAWholeHeaderIsHere) {
  // A TLS server's alert: it sends no more.
  ExpectBroken<TypeParam>(std::string("\x15\x03\x03\0\2\2\x46", 7), {"\\x15"});
  ExpectBroken<TypeParam>("O", {"\"O\""});
}

// Trap 5.
TYPED_TEST(DecoderErrorTest, TextIsToldFromPacketsByItsFirstByte) {
  ExpectBroken<TypeParam>("OK\r\n", {"expected a packet", "\"O"});
}

TYPED_TEST(DecoderErrorTest, NamesAnUnknownType) {
  for (const absl::string_view magic : {kRequestMagic, kResponseMagic}) {
    ExpectBroken<TypeParam>(RawPacket(magic, 0, ""), {"unknown packet type 0"});
    ExpectBroken<TypeParam>(RawPacket(magic, 43, ""),
                            {"unknown packet type 43", "1 to 42"});
    ExpectBroken<TypeParam>(RawPacket(magic, 65535, ""),
                            {"unknown packet type 65535"});
  }
}

TYPED_TEST(DecoderErrorTest, StaysBroken) {
  Decoder<TypeParam> decoder;
  TypeParam event;
  const std::string good = GoodPackets<TypeParam>();
  const std::string stream = "x" + good;
  EXPECT_EQ(Feed(decoder, stream, stream.size(), &event, [] { FAIL(); }),
            DecodeResult::kError);
  const absl::Status first = decoder.error();
  EXPECT_EQ(Feed(decoder, good, good.size(), &event, [] { FAIL(); }),
            DecodeResult::kError);
  EXPECT_EQ(decoder.error(), first);
}

// Each packet with too few separators.
template <typename Receiver>
void ExpectMissingArgumentsNamed(absl::string_view magic) {
  for (const Example<Receiver>& example : Examples<Receiver>()) {
    Header header;
    ASSERT_TRUE(ReadHeader(example.packet.data(), &header));
    const CommandInfo& info = *FindCommand(header.type);
    // A worker's answer of a handle alone has empty data.
    if (!header.response && info.has_data && info.argument_count == 1) continue;
    const size_t separators = info.argument_count == 0 || info.has_data
                                  ? info.argument_count
                                  : info.argument_count - 1;
    std::string body;
    for (size_t had = 0; had < separators; ++had) {
      absl::StrAppend(&body, "x");
      ExpectBroken<Receiver>(
          RawPacket(magic, header.type, body),
          {std::string(info.name), absl::StrCat("'", info.arguments[had], "'"),
           absl::StrCat("expected ", separators, ", got ", had)});
      body.push_back('\0');
    }
  }
}

TEST(MissingArgumentTest, IsNamedToAServer) {
  ExpectMissingArgumentsNamed<ToServer>(kRequestMagic);
}
TEST(MissingArgumentTest, IsNamedToAClient) {
  ExpectMissingArgumentsNamed<ToClient>(kResponseMagic);
}
TEST(MissingArgumentTest, IsNamedToAWorker) {
  ExpectMissingArgumentsNamed<ToWorker>(kResponseMagic);
}

// gearmand would take it from there.
TEST(MissingArgumentTest, IsNotTakenFromTheNextPacket) {
  ExpectBroken<ToServer>(absl::StrCat(RawPacket(kRequestMagic, 7, "f"),
                                      RequestPacket(7, {"f", "u", "d"})),
                         {"SUBMIT_JOB", "'function'"});
}

// Perl's worker sends an empty result like this.
TEST(MissingDataTest, IsEmptyDataOfAWorkersAnswer) {
  for (size_t chunk = 1; chunk < 40; ++chunk) {
    const Decoded decoded =
        Decode<ToServer>(absl::StrCat(RawPacket(kRequestMagic, 13, "H:1"),
                                      RawPacket(kRequestMagic, 25, "H:2"),
                                      RawPacket(kRequestMagic, 28, "H:3"),
                                      RawPacket(kRequestMagic, 29, "H:4"),
                                      RequestPacket(13, {"H:5", "data"})),
                         chunk);
    EXPECT_TRUE(decoded.error.ok()) << decoded.error;
    EXPECT_THAT(decoded.messages,
                testing::ElementsAre(
                    testing::HasSubstr("H:1"), testing::HasSubstr("H:2"),
                    testing::HasSubstr("H:3"), testing::HasSubstr("H:4"),
                    testing::HasSubstr("data")));
  }
  // No server has been seen to send that.
  ExpectBroken<ToClient>(RawPacket(kResponseMagic, 13, "H:1"),
                         {"WORK_COMPLETE", "'handle'"});
}

TEST(WrongDirectionTest, IsNamedToAClient) {
  for (const CommandInfo& info : Commands()) {
    if (info.server_to_client) continue;
    ExpectBroken<ToClient>(
        RawPacket(kResponseMagic, static_cast<uint32_t>(info.command), ""),
        {std::string(info.name), "no server sends to a client"});
  }
}

TEST(WrongDirectionTest, IsNamedToAWorker) {
  for (const CommandInfo& info : Commands()) {
    if (info.server_to_worker) continue;
    ExpectBroken<ToWorker>(
        RawPacket(kResponseMagic, static_cast<uint32_t>(info.command), ""),
        {std::string(info.name), "no server sends to a worker"});
  }
}

TEST(WrongDirectionTest, ARequestIsNamedToAClientAndToAWorker) {
  ExpectBroken<ToClient>(RequestPacket(13, {"H:1", "d"}),
                         {"WORK_COMPLETE", "magic of a request"});
  ExpectBroken<ToWorker>(RequestPacket(9), {"GRAB_JOB", "magic of a request"});
}

TEST(OversizeArgumentTest, IsNamed) {
  const std::string argument(70000, 'x');
  ExpectBroken<ToServer>(RequestPacket(7, {argument, "u", "d"}),
                         {"SUBMIT_JOB", "'function'", "65536"});
  ExpectBroken<ToServer>(RequestPacket(1, {argument}), {"CAN_DO", "70000"});
  ExpectBroken<ToServer>(RawPacket(kRequestMagic, 9, argument),
                         {"GRAB_JOB", "70000"});
  ExpectBroken<ToClient>(ResponsePacket(8, {argument}),
                         {"JOB_CREATED", "70000"});
}

TEST(TruncatedPacketTest, IsToldByTheDecodersState) {
  const std::string packet =
      ResponsePacket(13, {"H:1", std::string(50000, 'x')});
  for (const size_t size :
       {size_t{1}, size_t{12}, size_t{40000}, packet.size() - 1}) {
    const Decoded decoded = Decode<ToClient>(packet.substr(0, size), 10000);
    EXPECT_TRUE(decoded.error.ok());
    EXPECT_TRUE(decoded.in_packet) << size;
  }
  EXPECT_FALSE(Decode<ToClient>(packet, 10000).in_packet);
}

// --- random bytes
// -------------------------------------------------------------

template <typename Receiver>
class RandomBytesTest : public testing::Test {};
TYPED_TEST_SUITE(RandomBytesTest, Receivers);

TYPED_TEST(RandomBytesTest, NeverCrashTheDecoder) {
  std::mt19937 random(20261124);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const Decoded decoded = Decode<TypeParam>(bytes, 1 + random() % 16);
    if (!bytes.empty() && bytes[0] != '\0') {
      EXPECT_EQ(decoded.error.code(), absl::StatusCode::kDataLoss);
    }
  }
}

// Random headers that are nearly right, and good packets with random damage,
// reach further than random bytes.
TYPED_TEST(RandomBytesTest, BehindAGoodHeaderNeverCrashTheDecoder) {
  std::mt19937 random(42);
  DecoderOptions options;
  options.max_packet_bytes = 100000;
  for (int round = 0; round < 20000; ++round) {
    std::string stream;
    for (int packet = 0; packet < 8; ++packet) {
      std::string body(random() % 100, '\0');
      for (char& byte : body) {
        byte = random() % 4 == 0 ? '\0' : static_cast<char>(random());
      }
      stream += RawPacket(random() % 2 == 0 ? kRequestMagic : kResponseMagic,
                          random() % (kLastCommand + 2), body);
    }
    Decode<TypeParam>(stream, 1 + random() % 200, options);
  }
}

TYPED_TEST(RandomBytesTest, InAGoodStreamNeverCrashTheDecoder) {
  std::mt19937 random(7);
  std::string good;
  for (const auto& example : Examples<TypeParam>()) good += example.packet;
  DecoderOptions options;
  options.max_packet_bytes = 100000;
  for (int round = 0; round < 10000; ++round) {
    std::string stream = good;
    for (int damage = 0; damage < 3; ++damage) {
      stream[random() % stream.size()] = static_cast<char>(random());
    }
    Decode<TypeParam>(stream, 1 + random() % 1000, options);
  }
}

}  // namespace
}  // namespace wire
}  // namespace gearman
