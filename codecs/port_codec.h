// PortCodec: decodes a stream at a job server's port, where binary packets and
// lines of text come mixed. The first byte of each tells which it is.
//
// It is a thin layer over wire::Decoder and is used in the same way: Prepare,
// Commit, then Next until it needs more. A large payload is read directly into
// its final string, too.
//
// Not thread-safe: one connection owns it.
#ifndef GEARMAN_CODECS_PORT_CODEC_H_
#define GEARMAN_CODECS_PORT_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <variant>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"

namespace gearman {

// A packet, or a line for admin::Parse.
using PortEvent = std::variant<wire::ToServer, admin::CommandLine>;

class PortCodec {
 public:
  explicit PortCodec(wire::DecoderOptions options = {}) : decoder_(options) {}
  PortCodec(const PortCodec&) = delete;
  PortCodec& operator=(const PortCodec&) = delete;

  // Returns memory to read into, never empty. Invalidates the views of earlier
  // events.
  absl::Span<char> Prepare() { return decoder_.Prepare(); }
  // Tells the codec that the first `bytes` bytes of the last Prepare's span
  // have been filled.
  void Commit(size_t bytes) { decoder_.Commit(bytes); }
  // Returns the next event. kError is final: error() has the mistake and its
  // offset in the stream. The code is DATA_LOSS, for the mistakes of
  // wire::Decoder, for a line of more than admin::kMaxLineBytes or
  // admin::kMaxWords, and for a stream that begins like another protocol (HTTP,
  // TLS, SSH, ...). The last is an error because a web page can make a browser
  // send commands or packets behind the lines of an HTTP request.
  wire::DecodeResult Next(PortEvent* event);
  const absl::Status& error() const { return decoder_.error(); }

  // The next functions are those of wire::Decoder.
  size_t wanted_payload() const { return decoder_.wanted_payload(); }
  void PutPayload(Payload payload) { decoder_.PutPayload(std::move(payload)); }
  uint64_t offset() const { return decoder_.offset(); }
  bool in_packet() const { return decoder_.in_packet(); }
  size_t capacity() const { return decoder_.capacity(); }

 private:
  wire::Decoder<wire::ToServer> decoder_;
};

}  // namespace gearman

#endif  // GEARMAN_CODECS_PORT_CODEC_H_
