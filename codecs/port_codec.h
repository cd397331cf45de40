// PortCodec: a job server's end of a stream, on which binary packets and lines
// of text come mixed: the first byte of each tells which it is.
//
// Fed like wire::Decoder, of which it is a thin layer: Prepare, Commit, then
// Next until it needs more. A large payload is read directly into its final
// string here, too.
//
// Not thread-safe: owned by one connection.
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

// A packet, or a line to be given to admin::Parse.
using PortEvent = std::variant<wire::ToServer, admin::CommandLine>;

class PortCodec {
 public:
  explicit PortCodec(wire::DecoderOptions options = {}) : decoder_(options) {}
  PortCodec(const PortCodec&) = delete;
  PortCodec& operator=(const PortCodec&) = delete;

  // Memory to read into, never empty. Invalidates the views of earlier events.
  absl::Span<char> Prepare() { return decoder_.Prepare(); }
  // The first `bytes` bytes of the last Prepare's span have been filled.
  void Commit(size_t bytes) { decoder_.Commit(bytes); }
  // The next event. A stream that begins like another protocol (HTTP, TLS, SSH,
  // ...) is an error, too: a web page can make a browser send commands or
  // packets behind the lines of an HTTP request. kError is final: error() says
  // what, and at which offset of the stream; code DATA_LOSS: as of
  // wire::Decoder, or a line of more than admin::kMaxLineBytes or
  // admin::kMaxWords.
  wire::DecodeResult Next(PortEvent* event);
  const absl::Status& error() const { return decoder_.error(); }

  // As of wire::Decoder.
  uint64_t offset() const { return decoder_.offset(); }
  bool in_packet() const { return decoder_.in_packet(); }
  size_t capacity() const { return decoder_.capacity(); }

 private:
  wire::Decoder<wire::ToServer> decoder_;
};

}  // namespace gearman

#endif  // GEARMAN_CODECS_PORT_CODEC_H_
