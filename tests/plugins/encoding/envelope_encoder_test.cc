#include "gearman/plugins/encoding/envelope_encoder.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using testing::Decoded;
using ::testing::ElementsAre;
using testing::Encoded;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::RequestOf;

// An envelope with these bytes of headers.
std::string EnvelopeWith(const std::string& headers,
                         const std::string& data = "x") {
  const auto size = static_cast<unsigned>(headers.size());
  return absl::StrCat(
      "\xf7GE\x01",
      std::string{static_cast<char>(size >> 8), static_cast<char>(size)},
      headers, data);
}

std::string Header(const std::string& name, const std::string& value) {
  const auto size = static_cast<unsigned>(value.size());
  return absl::StrCat(
      std::string(1, static_cast<char>(name.size())), name,
      std::string{static_cast<char>(size >> 8), static_cast<char>(size)},
      value);
}

absl::Status EncodingOf(DataHeaders headers, EnvelopeOptions options = {}) {
  return Encoded(EnvelopeEncoder(options), "x", RequestOf("t", &headers))
      .status();
}

absl::Status DecodingOf(const std::string& bytes,
                        EnvelopeOptions options = {}) {
  return Decoded(EnvelopeEncoder(options), bytes).status();
}

TEST(EnvelopeEncoder, CarriesEveryHeader) {
  const EnvelopeEncoder envelope;
  DataHeaders sent;
  sent.content_type = "application/json";
  sent.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  sent.tracestate = "vendor=1";
  sent.attempt = 1'000'000'000;
  sent.others = {{"tenant", "blue"}, {"empty", ""}, {"b-2", std::string(1, 0)}};
  const auto bytes = Encoded(envelope, "data", RequestOf("t", &sent));
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  DataHeaders came;
  const auto data = Decoded(envelope, *bytes, RequestOf("t", &came));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(*data, "data");
  EXPECT_EQ(came.content_type, sent.content_type);
  EXPECT_EQ(came.traceparent, sent.traceparent);
  EXPECT_EQ(came.tracestate, sent.tracestate);
  EXPECT_EQ(came.attempt, sent.attempt);
  EXPECT_EQ(came.others, sent.others);
}

TEST(EnvelopeEncoder, NeedsNoHeadersAndNoData) {
  const EnvelopeEncoder envelope;
  EXPECT_EQ(*Encoded(envelope, ""), EnvelopeWith("", ""));
  EXPECT_EQ(*Decoded(envelope, EnvelopeWith("", "")), "");
  DataHeaders headers;
  EXPECT_EQ(*Encoded(envelope, "x", RequestOf("t", &headers)),
            EnvelopeWith(""));
  EXPECT_EQ(*Decoded(envelope, EnvelopeWith(Header("a", "b"))), "x");
}

TEST(EnvelopeEncoder, DropsHeadersThatWereThereBefore) {
  DataHeaders headers;
  headers.content_type = "left over";
  ASSERT_TRUE(Decoded(EnvelopeEncoder(), EnvelopeWith(Header("a", "b")),
                      RequestOf("t", &headers))
                  .ok());
  EXPECT_EQ(headers.content_type, "");
  EXPECT_THAT(headers.others, ElementsAre(Pair("a", "b")));
}

TEST(EnvelopeEncoder, CopiesNothingWhenItDecodes) {
  const std::string bytes = EnvelopeWith(Header("a", "b"), "data");
  std::string buffer;
  const auto data =
      DecodeData(EnvelopeEncoder(), RequestOf("t"), bytes, &buffer);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->data(), bytes.data() + bytes.size() - 4);
}

TEST(EnvelopeEncoder, SaysWhatAPeerSentInstead) {
  EXPECT_EQ(
      DecodingOf("hello"),
      absl::DataLossError(
          "encoder \"envelope\": expected an envelope, found 5 bytes that "
          "begin with \"hello\"; the peer sends raw data, or has another "
          "encoder"));
  EXPECT_THAT(std::string(DecodingOf("").message()),
              HasSubstr("found no bytes"));
  EXPECT_THAT(std::string(DecodingOf("{").message()),
              HasSubstr("found 1 byte that is \"{\" and looks like JSON"));
  EXPECT_THAT(std::string(DecodingOf("\x28\xb5\x2f\xfd more").message()),
              HasSubstr("look like a zstd frame"));
  EXPECT_THAT(std::string(DecodingOf("\xf7GA\x01 more").message()),
              HasSubstr("look like an aes256gcm message of this SDK"));
}

TEST(EnvelopeEncoder, TakesRawDataWhenToldTo) {
  EnvelopeOptions options;
  options.accept_raw = true;
  const EnvelopeEncoder envelope(options);
  EXPECT_EQ(*Decoded(envelope, "hello"), "hello");
  EXPECT_EQ(*Decoded(envelope, ""), "");
  // A broken envelope is no raw data.
  EXPECT_TRUE(absl::IsDataLoss(DecodingOf("\xf7GE", options)));
  EXPECT_EQ(*Decoded(envelope, *Encoded(envelope, "x")), "x");
}

TEST(EnvelopeEncoder, RefusesAVersionOfTheFuture) {
  const absl::Status status = DecodingOf(std::string("\xf7GE\x02\0\0x", 7));
  EXPECT_EQ(status, absl::UnimplementedError(
                        "encoder \"envelope\": the envelope has version 2, and "
                        "this SDK reads version 1"));
}

// The data begins after 27 bytes, and may have any value.
TEST(EnvelopeEncoder, NoticesACutInItsHeaders) {
  const std::string whole =
      EnvelopeWith(Header("attempt", "7") + Header("a", "bcde"), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(DecodingOf(whole.substr(0, size)))) << size;
  }
  EXPECT_TRUE(DecodingOf(whole).ok());
}

TEST(EnvelopeEncoder, AnswersEveryChangedByteInOrder) {
  DataHeaders headers;
  headers.content_type = "a/b";
  headers.attempt = 3;
  const std::string whole =
      *Encoded(EnvelopeEncoder(), "data", RequestOf("t", &headers));
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x20, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const absl::Status status = DecodingOf(changed);
      const bool expected = status.ok() || absl::IsDataLoss(status) ||
                            absl::IsUnimplemented(status) ||
                            absl::IsResourceExhausted(status);
      EXPECT_TRUE(expected) << at << ": " << status;
      // The magic, the version and the lengths are not ignored.
      if (at < 7) {
        EXPECT_FALSE(status.ok()) << at;
      }
    }
  }
}

TEST(EnvelopeEncoder, RefusesHeadersThatAreNone) {
  EXPECT_THAT(std::string(DecodingOf(EnvelopeWith(Header("A", ""))).message()),
              HasSubstr("header \"A\" in the envelope: a name has"));
  EXPECT_TRUE(absl::IsDataLoss(DecodingOf(EnvelopeWith(Header("", "x")))));
  EXPECT_TRUE(absl::IsDataLoss(
      DecodingOf(EnvelopeWith(Header(std::string(64, 'a'), "x")))));
  EXPECT_THAT(
      std::string(DecodingOf(EnvelopeWith(Header("a", "1") + Header("a", "2")))
                      .message()),
      HasSubstr("header \"a\" is in the envelope twice"));
  for (const std::string attempt :
       {"0", "-1", "+1", " 1", "1000000001", "99999999999999999999", "x", ""}) {
    EXPECT_TRUE(
        absl::IsDataLoss(DecodingOf(EnvelopeWith(Header("attempt", attempt)))))
        << attempt;
  }
}

TEST(EnvelopeEncoder, LimitsTheHeadersOfAPeer) {
  EnvelopeOptions options;
  options.max_header_bytes = 10;
  EXPECT_TRUE(DecodingOf(EnvelopeWith(Header("a", "123456")), options).ok());
  EXPECT_EQ(DecodingOf(EnvelopeWith(Header("a", "1234567")), options),
            absl::ResourceExhaustedError(
                "encoder \"envelope\": the envelope has 11 bytes of headers, "
                "and at most 10 are allowed (max_header_bytes)"));
  std::string many;
  for (int i = 0; i < 64; ++i) many += Header(absl::StrCat("h", i), "");
  EXPECT_TRUE(DecodingOf(EnvelopeWith(many)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      DecodingOf(EnvelopeWith(many + Header("more", "")))));
}

TEST(EnvelopeEncoder, LimitsItsOwnHeaders) {
  EnvelopeOptions options;
  options.max_header_bytes = 10;
  DataHeaders headers;
  headers.others = {{"a", "123456"}};
  EXPECT_TRUE(EncodingOf(headers, options).ok());
  headers.others = {{"a", "1234567"}};
  EXPECT_TRUE(absl::IsInvalidArgument(EncodingOf(headers, options)));
  // No length field holds more, whatever the option says.
  options.max_header_bytes = size_t{1} << 20;
  headers.others = {{"a", std::string(65536, 'x')}};
  EXPECT_TRUE(absl::IsInvalidArgument(EncodingOf(headers, options)));
  headers.others = {{"a", std::string(65536 - 3, 'x')}};
  EXPECT_TRUE(absl::IsInvalidArgument(EncodingOf(headers, options)));
  headers.others = {{"a", std::string(65535 - 4, 'x')}};
  EXPECT_TRUE(EncodingOf(headers, options).ok());
}

TEST(EnvelopeEncoder, RefusesToSendHeadersThatAreNone) {
  DataHeaders headers;
  headers.others = {{"Tenant", "x"}};
  EXPECT_TRUE(absl::IsInvalidArgument(EncodingOf(headers)));
  headers.others = {{"attempt", "1"}};
  EXPECT_THAT(std::string(EncodingOf(headers).message()),
              HasSubstr("DataHeaders has a field of its own"));
  headers.others = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_THAT(std::string(EncodingOf(headers).message()),
              HasSubstr("header \"a\" is there twice"));
  headers.others.assign(65, {"a", "1"});
  EXPECT_THAT(std::string(EncodingOf(headers).message()),
              HasSubstr("at most 64"));
  headers = DataHeaders();
  headers.attempt = -1;
  EXPECT_TRUE(absl::IsInvalidArgument(EncodingOf(headers)));
}

}  // namespace
}  // namespace gearman
