// `zlib` and `zstd`.
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/zlib_encoder.h"
#include "gearman/plugins/encoding/zstd_encoder.h"
#include "gearman/plugins/field_error.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using testing::Decoded;
using testing::Encoded;
using ::testing::HasSubstr;
using testing::Repetitive;

using Made = absl::StatusOr<std::unique_ptr<DataEncoder>>;

template <typename Encoder, typename Options>
Made Make(int level, size_t max_decoded_bytes) {
  Options options;
  options.level = level;
  options.max_decoded_bytes = max_decoded_bytes;
  absl::StatusOr<std::unique_ptr<Encoder>> encoder = Encoder::Create(options);
  if (!encoder.ok()) return encoder.status();
  return *std::move(encoder);
}

struct Case {
  std::string name;
  std::function<Made(int level, size_t max_decoded_bytes)> make;
  int first_level;
  int last_level;
};

class Compressors : public ::testing::TestWithParam<Case> {
 protected:
  static std::unique_ptr<DataEncoder> Encoder(
      size_t max_decoded_bytes = kDefaultMaxDecodedBytes, int level = 3) {
    Made made = GetParam().make(level, max_decoded_bytes);
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
};

TEST_P(Compressors, ReadWhatTheyWrite) {
  const auto encoder = Encoder();
  EXPECT_EQ(encoder->name(), GetParam().name);
  for (const std::string& data :
       {std::string(), std::string("x"), std::string("\0\xff", 2),
        Repetitive(4095), Repetitive(4096), Repetitive(4097),
        Repetitive(1 << 20)}) {
    const auto bytes = Encoded(*encoder, data);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    const auto back = Decoded(*encoder, *bytes);
    ASSERT_TRUE(back.ok()) << data.size() << ": " << back.status();
    EXPECT_TRUE(*back == data) << data.size();
  }
}

TEST_P(Compressors, Compress) {
  const std::string data = Repetitive(100'000);
  EXPECT_LT(Encoded(*Encoder(), data)->size(), data.size() / 10);
}

TEST_P(Compressors, HaveLevels) {
  const std::string data = Repetitive(10'000);
  for (const int level : {GetParam().first_level, GetParam().last_level}) {
    const auto encoder = Encoder(kDefaultMaxDecodedBytes, level);
    EXPECT_EQ(*Decoded(*encoder, *Encoded(*encoder, data)), data);
  }
  for (const int level :
       {GetParam().first_level - 1, GetParam().last_level + 1}) {
    const absl::Status status = GetParam().make(level, 100).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << level;
    EXPECT_EQ(status.GetPayload(kFieldPayload), "level");
  }
}

TEST_P(Compressors, StopAtTheLimit) {
  for (const size_t limit :
       {size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{100'000}}) {
    const auto encoder = Encoder(limit);
    const std::string fits = Repetitive(limit);
    EXPECT_EQ(*Decoded(*encoder, *Encoded(*encoder, fits)), fits);
    for (const size_t more : {limit + 1, 3 * limit, limit + 200'000}) {
      EXPECT_EQ(
          Decoded(*encoder, *Encoded(*encoder, Repetitive(more))).status(),
          absl::ResourceExhaustedError(
              absl::StrCat("encoder \"", GetParam().name,
                           "\": the decompressed data has more than ", limit,
                           " bytes (max_decoded_bytes)")))
          << limit << " " << more;
    }
  }
}

// The buffer is the only memory that grows with the data.
TEST_P(Compressors, TakeNoMemoryBeyondTheLimit) {
  const auto encoder = Encoder(10'000);
  const std::string bytes = *Encoded(*encoder, Repetitive(1 << 20));
  std::string buffer;
  EXPECT_FALSE(
      DecodeData(*encoder, testing::RequestOf("t"), bytes, &buffer).ok());
  EXPECT_LE(buffer.capacity(), 2 * 10'000);
}

TEST_P(Compressors, SayWhatTheyFoundInstead) {
  const auto encoder = Encoder();
  const absl::Status status = Decoded(*encoder, "hello").status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("found 5 bytes that begin with \"hello\"; the peer "
                        "sends raw data"));
  EXPECT_THAT(std::string(Decoded(*encoder, "").status().message()),
              HasSubstr("found no bytes"));
}

TEST_P(Compressors, NoticeEveryCut) {
  const auto encoder = Encoder();
  const std::string whole = *Encoded(*encoder, Repetitive(300));
  for (size_t size = 0; size < whole.size(); ++size) {
    const absl::Status status =
        Decoded(*encoder, whole.substr(0, size)).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << size << ": " << status;
  }
}

// Both formats have a checksum. A change of the header can also ask for other
// memory than there may be.
TEST_P(Compressors, NoticeEveryChangedByte) {
  const auto encoder = Encoder();
  const std::string data = Repetitive(300);
  const std::string whole = *Encoded(*encoder, data);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x10, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const absl::StatusOr<std::string> back = Decoded(*encoder, changed);
      // Some bits mean nothing: then the data is right.
      if (back.ok()) {
        EXPECT_EQ(*back, data) << at;
        continue;
      }
      EXPECT_TRUE(absl::IsDataLoss(back.status()) ||
                  absl::IsResourceExhausted(back.status()))
          << at << ": " << back.status();
    }
  }
}

TEST_P(Compressors, RefuseBytesAfterTheEnd) {
  const auto encoder = Encoder();
  const std::string whole = *Encoded(*encoder, "data");
  const absl::Status status = Decoded(*encoder, whole + "x").status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 byte follows"));
  EXPECT_TRUE(absl::IsDataLoss(Decoded(*encoder, whole + whole).status()));
}

INSTANTIATE_TEST_SUITE_P(
    All, Compressors,
    ::testing::Values(Case{"zlib", Make<ZlibEncoder, ZlibOptions>, 0, 9},
                      Case{"zstd", Make<ZstdEncoder, ZstdOptions>, 1, 19}),
    [](const ::testing::TestParamInfo<Case>& info) { return info.param.name; });

}  // namespace
}  // namespace gearman
