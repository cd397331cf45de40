// Reads the vectors of docs/guide/encoding.md with this SDK, and writes those that
// every writer makes alike. Another program has made them from that page.
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/aes256gcm_box.h"
#include "gearman/plugins/encoding/aes256gcm_encoder.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/compression_plugins.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoder_stack.h"
#include "gearman/plugins/encoding/encoding_plugins.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/plugins/registry.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gearman/tests/plugins/encoding/vectors.pb.h"
#include "gearman/tests/support/hex.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::BytesOfHex;
using testing::Vector;
using testing::Vectors;

// Encrypts with the nonce of a vector, and decrypts as the real one.
class CipherWithNonce : public DataEncoder {
 public:
  CipherWithNonce(const Aes256GcmKey& key, std::string nonce)
      : key_(key),
        nonce_(std::move(nonce)),
        cipher_(internal::FetchAes256Gcm()) {
    auto encoder = Aes256GcmEncoder::Create({key});
    EXPECT_TRUE(encoder.ok()) << encoder.status();
    encoder_ = *std::move(encoder);
  }

  absl::Status Encode(const DataContext& context,
                      std::string* data) const override {
    return internal::SealAes256Gcm(cipher_.get(), key_, context, nonce_, data);
  }
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override {
    return encoder_->Decode(context, data, buffer);
  }
  absl::string_view name() const override { return encoder_->name(); }

 private:
  const Aes256GcmKey key_;
  const std::string nonce_;
  const internal::CipherPtr cipher_;
  std::unique_ptr<Aes256GcmEncoder> encoder_;
};

std::vector<Vector> AllVectors() {
  std::ifstream file("tests/plugins/encoding/vectors.json");
  std::stringstream text;
  text << file.rdbuf();
  Vectors vectors;
  const auto status =
      google::protobuf::util::JsonStringToMessage(text.str(), &vectors);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return {vectors.vectors().begin(), vectors.vectors().end()};
}

std::shared_ptr<const DataEncoder> OneEncoder(const std::string& name,
                                              const Vector& vector) {
  if (name == "aes256gcm") {
    const auto keys =
        ParseAes256GcmKeys(absl::StrCat(vector.key_id(), ":", vector.key()));
    EXPECT_TRUE(keys.ok()) << keys.status();
    return std::make_shared<CipherWithNonce>(keys->front(),
                                             BytesOfHex(vector.nonce()));
  }
  if (name == "envelope") {
    EnvelopeOptions options;
    options.accept_raw = vector.accept_raw();
    return std::make_shared<EnvelopeEncoder>(options);
  }
  Registry<DataEncoder> registry("data encoder");
  EXPECT_TRUE(RegisterEncodingPlugins(&registry).ok());
  EXPECT_TRUE(RegisterCompressionPlugins(&registry).ok());
  auto encoder = registry.CreateByName(name);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  return *std::move(encoder);
}

std::unique_ptr<DataEncoder> EncoderOf(const Vector& vector) {
  std::vector<std::shared_ptr<const DataEncoder>> encoders;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(vector.encoder(), '+'))) {
    encoders.push_back(OneEncoder(name, vector));
  }
  auto stack = EncoderStack::Create(std::move(encoders));
  EXPECT_TRUE(stack.ok()) << stack.status();
  return *std::move(stack);
}

DataContext ContextOf(const Vector& vector, DataHeaders* headers) {
  DataContext context = testing::RequestOf(vector.task(), headers);
  if (vector.direction() == "reply") context.direction = DataDirection::kReply;
  return context;
}

DataHeaders HeadersOf(const Vector& vector) {
  DataHeaders headers;
  for (const auto& header : vector.headers()) {
    if (header.name() == "content-type") {
      headers.content_type = header.value();
    } else if (header.name() == "traceparent") {
      headers.traceparent = header.value();
    } else if (header.name() == "tracestate") {
      headers.tracestate = header.value();
    } else if (header.name() == "attempt") {
      EXPECT_TRUE(absl::SimpleAtoi(header.value(), &headers.attempt));
    } else {
      headers.others.emplace_back(header.name(), header.value());
    }
  }
  return headers;
}

TEST(EncodingVectorsFile, IsRead) { EXPECT_GT(AllVectors().size(), 40); }

class EncodingVectors : public ::testing::TestWithParam<Vector> {};

TEST_P(EncodingVectors, AreRead) {
  const Vector& vector = GetParam();
  const std::string encoded = BytesOfHex(vector.encoded());
  ASSERT_EQ(encoded.size() * 2, vector.encoded().size());
  DataHeaders headers;
  const absl::StatusOr<std::string> decoded = testing::Decoded(
      *EncoderOf(vector), encoded, ContextOf(vector, &headers));
  if (!vector.error().empty()) {
    EXPECT_EQ(absl::StatusCodeToString(decoded.status().code()), vector.error())
        << decoded.status();
    return;
  }
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, BytesOfHex(vector.decoded()));
  const DataHeaders expected = HeadersOf(vector);
  EXPECT_EQ(headers.content_type, expected.content_type);
  EXPECT_EQ(headers.traceparent, expected.traceparent);
  EXPECT_EQ(headers.tracestate, expected.tracestate);
  EXPECT_EQ(headers.attempt, expected.attempt);
  EXPECT_EQ(headers.others, expected.others);
}

TEST_P(EncodingVectors, AreWrittenByteForByte) {
  const Vector& vector = GetParam();
  if (!vector.exact()) return;
  DataHeaders headers = HeadersOf(vector);
  const absl::StatusOr<std::string> encoded =
      testing::Encoded(*EncoderOf(vector), BytesOfHex(vector.decoded()),
                       ContextOf(vector, &headers));
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(*encoded, BytesOfHex(vector.encoded()));
}

INSTANTIATE_TEST_SUITE_P(All, EncodingVectors,
                         ::testing::ValuesIn(AllVectors()),
                         [](const ::testing::TestParamInfo<Vector>& info) {
                           std::string name =
                               info.param.encoder() + " " + info.param.name();
                           for (char& c : name) {
                             if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
                                 (c < '0' || c > '9')) {
                               c = '_';
                             }
                           }
                           return name;
                         });

}  // namespace
}  // namespace gearman
