// For the codec's tests: an example of every packet, in words of its own, and a
// decoder fed in pieces.
#ifndef GEARMAN_TESTS_CODECS_WIRE_MESSAGES_H_
#define GEARMAN_TESTS_CODECS_WIRE_MESSAGES_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace wire {

// A message and the packet that it is, made by hand.
template <typename Receiver>
struct Example {
  std::string name;
  Receiver message;
  std::string packet;
};

// At least one for each packet that the receiver may get; those with data also
// with empty data and with data that holds NULs.
std::vector<Example<ToServer>> ExamplesToServer();
std::vector<Example<ToClient>> ExamplesToClient();
std::vector<Example<ToWorker>> ExamplesToWorker();
template <typename Receiver>
std::vector<Example<Receiver>> Examples();

// For parameterised tests.
template <typename Receiver>
void PrintTo(const Example<Receiver>& example, std::ostream* out) {
  *out << example.name;
}

// The message in words: equal texts are equal messages.
std::string Describe(const ToServer& message);
std::string Describe(const ToClient& message);
std::string Describe(const ToWorker& message);
// Describes one alternative of them. The text does not depend on the receiver.
template <typename Message>
std::string Describe(Message message) {
  if constexpr (std::is_constructible_v<ToServer, Message>) {
    return Describe(ToServer(std::move(message)));
  } else if constexpr (std::is_constructible_v<ToClient, Message>) {
    return Describe(ToClient(std::move(message)));
  } else {
    return Describe(ToWorker(std::move(message)));
  }
}

// Encodes a message as the receiver's peer would. RefusedPacket and
// TooLargePacket, PayloadBegins and PayloadPiece, which can't be encoded, are
// an INTERNAL error.
absl::Status EncodeTo(const ToServer& message, OutputBuffer& out);
absl::Status EncodeTo(const ToClient& message, OutputBuffer& out);
absl::Status EncodeTo(const ToWorker& message, OutputBuffer& out);

// Takes everything out of the buffer.
std::string Drain(OutputBuffer& out);

// Makes the decoder read `bytes` in pieces of at most `chunk`, calls
// `on_event()` after each event, and returns how the last Next ended.
template <typename Codec, typename Event, typename OnEvent>
DecodeResult Feed(Codec& codec, absl::string_view bytes, size_t chunk,
                  Event* event, OnEvent&& on_event) {
  DecodeResult result = DecodeResult::kNeedMore;
  while (!bytes.empty()) {
    const absl::Span<char> memory = codec.Prepare();
    const size_t size = std::min({memory.size(), chunk, bytes.size()});
    std::memcpy(memory.data(), bytes.data(), size);
    bytes.remove_prefix(size);
    codec.Commit(size);
    while ((result = codec.Next(event)) == DecodeResult::kMessage) on_event();
    if (result == DecodeResult::kError) return result;
  }
  return result;
}

// The output of a decoder for a stream.
struct Decoded {
  std::vector<std::string> messages;  // described
  absl::Status error;
  bool in_packet = false;
};
template <typename Receiver>
Decoded Decode(absl::string_view bytes, size_t chunk = 1 << 20,
               DecoderOptions options = {}) {
  Decoder<Receiver> decoder(options);
  Receiver event;
  Decoded decoded;
  Feed(decoder, bytes, chunk, &event,
       [&] { decoded.messages.push_back(Describe(event)); });
  decoded.error = decoder.error();
  decoded.in_packet = decoder.in_packet();
  return decoded;
}

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_TESTS_CODECS_WIRE_MESSAGES_H_
