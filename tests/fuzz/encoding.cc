// Fuzzes what the SDK itself reads of encoded data: envelopes, encrypted
// messages up to the cipher, and lists of keys. An envelope that is read means
// the same when it is written and read again.
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/aes256gcm_encoder.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/tests/fuzz/fuzz_target.h"

namespace gearman {
namespace fuzz {
namespace {

// A key that is no secret.
const Aes256GcmEncoder& Cipher() {
  static const Aes256GcmEncoder* const encoder = [] {
    Aes256GcmKey key;
    key.id = "k";
    return Aes256GcmEncoder::Create({key})->release();
  }();
  return *encoder;
}

bool Equal(const DataHeaders& a, const DataHeaders& b) {
  return a.content_type == b.content_type && a.traceparent == b.traceparent &&
         a.tracestate == b.tracestate && a.attempt == b.attempt &&
         a.others == b.others;
}

void ReadEnvelope(absl::string_view bytes) {
  EnvelopeOptions options;
  options.max_header_bytes = EnvelopeEncoder::kMostHeaderBytes;
  const EnvelopeEncoder envelope(options);
  DataHeaders headers;
  DataContext context;
  context.headers = &headers;
  std::string buffer;
  const auto data = DecodeData(envelope, context, bytes, &buffer);
  if (!data.ok()) return;
  std::string again = std::string(*data);
  // An empty header of the SDK's own is read, and not written.
  if (!EncodeData(envelope, context, &again).ok()) std::abort();
  DataHeaders read;
  context.headers = &read;
  const auto same = DecodeData(envelope, context, again, &buffer);
  if (!same.ok() || *same != *data || !Equal(headers, read)) std::abort();
}

}  // namespace

std::vector<std::string> Seeds() {
  return {std::string("\xf7GE\x01\0\0data", 10),
          std::string("\xf7GE\x01\0\x1e\x07"
                      "attempt\0\x01"
                      "7\x06"
                      "tenant\0\x04"
                      "blue\x03"
                      "a-1\0\0data",
                      40),
          std::string("\xf7GE\x02\0\0data", 10),
          std::string("\xf7GA\x01\x01k") + std::string(12 + 4 + 16, 'x'),
          "# keys\nk:"
          "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f,b:"
          "0000000000000000000000000000000000000000000000000000000000000000"};
}

}  // namespace fuzz
}  // namespace gearman

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gearman;  // NOLINT
  const absl::string_view text = fuzz::Text(data, size);
  fuzz::ReadEnvelope(text);
  DataContext context;
  std::string buffer;
  DecodeData(fuzz::Cipher(), context, text, &buffer).status().IgnoreError();
  const auto keys = ParseAes256GcmKeys(text);
  if (keys.ok() && !CheckAes256GcmKeys(*keys).ok()) std::abort();
  return 0;
}
