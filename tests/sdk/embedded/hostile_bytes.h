// Feeds the bytes of a hostile peer to an engine, like a connection. For tests
// and fuzzing.
#ifndef GEARMAN_TESTS_SDK_EMBEDDED_HOSTILE_BYTES_H_
#define GEARMAN_TESTS_SDK_EMBEDDED_HOSTILE_BYTES_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"

namespace gearman {
namespace embedded {

// A connection of its own that sends `bytes` in pieces of at most `chunk`, and
// then ends. True: the stream was sound to its end.
inline bool SendHostileBytes(ServerEngine* engine, absl::string_view bytes,
                             size_t chunk) {
  EnginePeer peer(engine, 0, "hostile");
  const bool sound = peer.Send(bytes, chunk);
  while (engine->NextWithOutput() != nullptr) {
  }
  return sound;
}

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_EMBEDDED_HOSTILE_BYTES_H_
