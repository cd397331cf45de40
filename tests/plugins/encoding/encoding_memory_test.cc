// Encoders when there is no memory.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/aes256gcm_encoder.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoder_stack.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/plugins/encoding/zlib_encoder.h"
#include "gearman/plugins/encoding/zstd_encoder.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gearman/tests/support/failing_new.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

std::unique_ptr<EncoderStack> EverythingButMessages() {
  Aes256GcmKey key;
  key.id = "a";
  auto cipher = Aes256GcmEncoder::Create({key});
  auto zlib = ZlibEncoder::Create();
  auto zstd = ZstdEncoder::Create();
  EXPECT_TRUE(cipher.ok() && zlib.ok() && zstd.ok());
  std::vector<std::shared_ptr<const DataEncoder>> encoders;
  encoders.push_back(std::make_shared<EnvelopeEncoder>());
  encoders.push_back(*std::move(zlib));
  encoders.push_back(*std::move(zstd));
  encoders.push_back(*std::move(cipher));
  auto stack = EncoderStack::Create(std::move(encoders));
  EXPECT_TRUE(stack.ok()) << stack.status();
  return *std::move(stack);
}

// Lets the first allocation of `call` fail, then the second, and so on, until
// it makes no more of them. Returns how many have failed. Each failure is an
// error, and without one the result is right.
template <typename Call>
uint64_t EachFailureIsAnError(const Call& call, const std::string& right) {
  for (uint64_t number = 1;; ++number) {
    bool failed = false;
    absl::StatusOr<std::string> result;
    {
      const support::FailingNew failing(number);
      result = call();
      failed = failing.failed();
    }
    if (!failed) {
      EXPECT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(*result, right);
      return number - 1;
    }
    EXPECT_TRUE(absl::IsResourceExhausted(result.status()))
        << number << ": " << result.status();
  }
}

TEST(EncodingMemory, AFailedAllocationIsAnErrorOfTheCall) {
  const auto stack = EverythingButMessages();
  DataHeaders headers;
  headers.content_type = "text/plain; charset=utf-8";
  const std::string data = testing::Repetitive(10'000);
  std::string bytes = data;
  ASSERT_TRUE(
      EncodeData(*stack, testing::RequestOf("t", &headers), &bytes).ok());
  const uint64_t failures = EachFailureIsAnError(
      [&]() -> absl::StatusOr<std::string> {
        DataHeaders read;
        std::string buffer;
        const absl::StatusOr<absl::string_view> decoded =
            DecodeData(*stack, testing::RequestOf("t", &read), bytes, &buffer);
        if (!decoded.ok()) return decoded.status();
        // Not a copy, which would be one more allocation.
        if (buffer.size() == decoded->size()) return buffer;
        const size_t begin =
            static_cast<size_t>(decoded->data() - buffer.data());
        buffer.erase(0, begin);
        return buffer;
      },
      data);
  EXPECT_GT(failures, 5);
}

TEST(EncodingMemory, AFailedAllocationIsAnErrorOfEncoding) {
  const auto stack = EverythingButMessages();
  const std::string data = testing::Repetitive(10'000);
  uint64_t failures = 0;
  for (bool failed = true; failed; ++failures) {
    DataHeaders headers;
    headers.content_type = "text/plain; charset=utf-8";
    std::string bytes = data;
    absl::Status status;
    {
      const support::FailingNew failing(failures + 1);
      status = EncodeData(*stack, testing::RequestOf("t", &headers), &bytes);
      failed = failing.failed();
    }
    EXPECT_EQ(status.code(), failed ? absl::StatusCode::kResourceExhausted
                                    : absl::StatusCode::kOk);
  }
  EXPECT_GT(failures, 5);
}

}  // namespace
}  // namespace gearman
