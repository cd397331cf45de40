// What a hostile peer sends, fed to an engine as a connection feeds it: for
// tests and fuzzing.
#ifndef GEARMAN_TESTS_SDK_EMBEDDED_HOSTILE_BYTES_H_
#define GEARMAN_TESTS_SDK_EMBEDDED_HOSTILE_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <variant>

#include "absl/strings/string_view.h"
#include "gearman/codecs/port_codec.h"
#include "gearman/sdk/embedded/server_engine.h"

namespace gearman {
namespace embedded {

// A connection of its own that sends `bytes` in pieces of at most `chunk`, and
// then ends. True: the stream was sound to its end.
inline bool SendHostileBytes(ServerEngine* engine, absl::string_view bytes,
                             size_t chunk) {
  EngineConnection* const connection = engine->OnConnect(0, "hostile");
  PortCodec codec({/*max_packet_bytes=*/1 << 20});
  bool sound = true;
  while (!bytes.empty() && sound) {
    const auto span = codec.Prepare();
    const size_t size = std::min({chunk, span.size(), bytes.size()});
    std::memcpy(span.data(), bytes.data(), size);
    codec.Commit(size);
    bytes.remove_prefix(size);
    PortEvent event;
    wire::DecodeResult result;
    while ((result = codec.Next(&event)) == wire::DecodeResult::kMessage) {
      if (auto* packet = std::get_if<wire::ToServer>(&event)) {
        engine->OnEvent(connection, *packet);
      } else {
        engine->OnTextLine(connection, std::get<admin::CommandLine>(event));
      }
      if (!connection->failure().ok()) break;
    }
    sound = result == wire::DecodeResult::kNeedMore;
  }
  while (engine->NextWithOutput() != nullptr) {
  }
  engine->OnDisconnect(connection);
  return sound;
}

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_EMBEDDED_HOSTILE_BYTES_H_
