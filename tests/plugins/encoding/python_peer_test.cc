// The program in docs/guide/encoding.md writes what this SDK reads.
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/aes256gcm_encoder.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoder_stack.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/plugins/encoding/json_encoder.h"
#include "gearman/plugins/encoding/zlib_encoder.h"
#include "gearman/tests/plugins/encoding/encoding_under_test.pb.h"
#include "gearman/tests/plugins/encoding/round_trip.h"
#include "gearman/tests/support/hex.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

// Returns the first block of Python in a document.
std::string PythonIn(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const std::string begin = "```python\n";
  const size_t at = text.str().find(begin);
  if (at == std::string::npos) return "";
  const size_t from = at + begin.size();
  return text.str().substr(from, text.str().find("```", from) - from);
}

TEST(PythonPeer, WritesWhatIsReadHere) {
  const std::string program = PythonIn("docs/guide/encoding.md");
  ASSERT_NE(program, "");
  support::SubprocessOptions options;
  options.argv = {"python3", "-"};
  options.input =
      absl::StrCat("key = bytes(range(32))\n", program, "print(data.hex())\n");
  const auto result = support::RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_TRUE(result->status.ok()) << result->error_output;
  std::string hex = result->output;
  hex.resize(hex.find_last_not_of('\n') + 1);

  std::vector<Aes256GcmKey> keys(1);
  keys[0].id = "2026-11";
  for (size_t i = 0; i < kAes256KeyBytes; ++i) {
    keys[0].bytes[i] = static_cast<unsigned char>(i);
  }
  auto cipher = Aes256GcmEncoder::Create(keys);
  auto zlib = ZlibEncoder::Create();
  ASSERT_TRUE(cipher.ok() && zlib.ok());
  const auto json = std::make_shared<JsonEncoder>();
  const auto stack = EncoderStack::Create(
      {json, std::make_shared<EnvelopeEncoder>(),
       std::shared_ptr<const DataEncoder>(*std::move(zlib)),
       std::shared_ptr<const DataEncoder>(*std::move(cipher))});
  ASSERT_TRUE(stack.ok()) << stack.status();
  DataHeaders headers;
  const auto data = testing::Decoded(**stack, support::BytesOfHex(hex),
                                     testing::RequestOf("pay", &headers));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(headers.content_type, "application/json");
  testing::Order order;
  const absl::Status status = json->DecodeMessage(*data, &order);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(order.cents(), 42);
}

}  // namespace
}  // namespace gearman
