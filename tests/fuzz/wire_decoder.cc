// The decoders of the binary protocol, for all three receivers: whatever the
// pieces, the same messages and the same error. The limit is so small that many
// packets are too large.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/tests/fuzz/fuzz_target.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace fuzz {
namespace {

// How many messages come, and whether the stream is broken.
template <typename Receiver>
std::string Decode(absl::string_view bytes, size_t chunk) {
  wire::DecoderOptions options;
  options.max_packet_bytes = 64;
  wire::Decoder<Receiver> decoder(options);
  size_t messages = 0;
  while (!bytes.empty()) {
    const auto span = decoder.Prepare();
    const size_t size = std::min({chunk, span.size(), bytes.size()});
    std::memcpy(span.data(), bytes.data(), size);
    decoder.Commit(size);
    bytes.remove_prefix(size);
    Receiver message;
    wire::DecodeResult result;
    while ((result = decoder.Next(&message)) == wire::DecodeResult::kMessage) {
      ++messages;
    }
    if (result == wire::DecodeResult::kError) {
      return std::to_string(messages) + " and an error";
    }
  }
  return std::to_string(messages);
}

template <typename Receiver>
void Check(absl::string_view bytes) {
  const std::string whole = Decode<Receiver>(bytes, bytes.size());
  if (Decode<Receiver>(bytes, 1) != whole) std::abort();
  if (Decode<Receiver>(bytes, 7) != whole) std::abort();
}

}  // namespace

std::vector<std::string> Seeds() {
  using support::RequestPacket;
  using support::ResponsePacket;
  return {RequestPacket(7, {"f", "u", "data"}) + RequestPacket(16, {"x"}),
          RequestPacket(36, {"f", "u", "12", "data"}) + RequestPacket(4, {}),
          RequestPacket(12, {"H:1", "1", "2"}) + RequestPacket(41, {"u"}),
          ResponsePacket(8, {"H:1"}) + ResponsePacket(13, {"H:1", "result"}),
          ResponsePacket(19, {"CODE", "text"}) +
              ResponsePacket(20, {"H:1", "1", "0", "3", "4"}),
          ResponsePacket(31, {"H:1", "f", "u", "data"}) + ResponsePacket(6, {}),
          ResponsePacket(40, {"H:1", "f", "u", "r", std::string(300, 'd')})};
}

}  // namespace fuzz
}  // namespace gearman

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes = gearman::fuzz::Text(data, size);
  gearman::fuzz::Check<gearman::wire::ToServer>(bytes);
  gearman::fuzz::Check<gearman::wire::ToClient>(bytes);
  gearman::fuzz::Check<gearman::wire::ToWorker>(bytes);
  return 0;
}
