// ServerLink: one stream to a client or worker: the transport, the codec that
// reads from it, and the engine's connection whose output is written to it.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_SERVER_LINK_H_
#define GEARMAN_SDK_EMBEDDED_SERVER_LINK_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/port_codec.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace embedded {

struct LinkLimits {
  wire::DecoderOptions decoder;
  // See JobServerOptions.
  size_t output_mark = 1 << 20;
  size_t max_output_bytes = 256 << 20;
};

class ServerLink {
 public:
  enum class Progress : unsigned char {
    kWaits,  // for its peer
    kMore,   // its turn is over: there may be more to read
    kEnded,  // the stream is over, or the peer broke the protocol
  };

  // Watched on `poller` under `key`. Connects `engine` to the peer.
  ServerLink(std::unique_ptr<Transport> transport, Poller* poller,
             Poller::Key key, const LinkLimits& limits, ServerEngine* engine);
  // Disconnects the engine from the peer, and closes the stream.
  ~ServerLink();
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  Poller::Key key() const { return key_; }

  // Reads what has arrived, as much as is fair towards the others, and hands it
  // to the engine, unless the peer does not take its replies.
  Progress Read();
  // Writes as much of the output as the stream takes. False: so much waits that
  // the link must be ended. What the peer has sent is still read when writing
  // has failed.
  bool Flush();
  // Read stopped at the output mark, and the output is below it now: read
  // again.
  bool ShouldResume() const;
  // Tells the poller what the link waits for.
  absl::Status UpdateInterest();

 private:
  // Hands what has been read to the engine. False: the peer broke the protocol.
  bool Dispatch();
  bool Paused() const {
    return connection_->output().size() > limits_.output_mark;
  }

  const std::unique_ptr<Transport> transport_;
  Poller* const poller_;
  const Poller::Key key_;
  const LinkLimits limits_;
  ServerEngine* const engine_;
  EngineConnection* const connection_;
  PortCodec codec_;
  PortEvent event_;
  bool connected_ = false;
  bool paused_ = false;
  // The stream takes no more: output is dropped.
  bool deaf_ = false;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_LINK_H_
