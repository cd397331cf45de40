// ServerLink: one stream to a client or worker: the transport, the codec that
// reads from it, and the engine's connection whose output is written to it.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_SERVER_LINK_H_
#define GEARMAN_SDK_EMBEDDED_SERVER_LINK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/port_codec.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/sdk/embedded/intrusive_list.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/stall_list.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace embedded {

struct HandshakeTag;

struct LinkLimits {
  wire::DecoderOptions decoder;
  // See JobServerOptions.
  size_t output_mark = 1 << 20;
  size_t max_output_bytes = 256 << 20;
};

struct LineTag;

// A place in the line of those who have something to do.
struct InLine : ListLink<LineTag> {
  explicit InLine(Poller::Key of) : key(of) {}
  const Poller::Key key;
};

class ServerLink : public ListLink<HandshakeTag> {
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
  // The stream is there, its handshake (TLS) has been made.
  bool connected() const { return connected_; }
  // A packet has begun, and its rest is waited for; not while this server
  // doesn't read.
  bool in_packet() const { return !paused_ && codec_.in_packet(); }
  bool has_output() const { return !deaf_ && connection_->output_bytes() > 0; }
  // Bytes read and written so far: they tell whether it gets on.
  uint64_t bytes_read() const { return bytes_read_; }
  uint64_t bytes_written() const { return bytes_written_; }
  // Why the engine wants it closed.
  const absl::Status& failure() const { return connection_->failure(); }
  std::string Describe() const { return transport_->Describe(); }

  // Goes on connecting. False: that has failed. Else connected() tells whether
  // it is done, or the peer is waited for.
  bool Connect();
  // While it waits for its next Connect nothing else is waited for.
  void SetAwaitsConnect(bool awaits) { awaits_connect_ = awaits; }
  bool awaits_connect() const { return awaits_connect_; }

  // Once connected. Reads what has arrived, until the engine's turn is over,
  // and hands it to the engine, unless the peer does not take its replies. Does
  // something in any case. Throws std::bad_alloc when there is no memory: the
  // link is then to be ended. So does Flush.
  Progress Read();
  // Writes as much of the output as the stream takes, or as is fair towards the
  // others. False: so much waits that the link must be ended. What the peer has
  // sent is still read when writing has failed.
  bool Flush();
  // The same, however much it is: before the link is ended.
  void FlushAll();
  // Something is left to do in the next turn: Read stopped at the output mark,
  // and the output is below it now, or Flush stopped and the stream takes more.
  bool ShouldResume() const;
  // Its place in the line of those who have something to do.
  InLine& in_line() { return in_line_; }
  // Tells the poller what the link waits for.
  absl::Status UpdateInterest();

  // Its places among the links that wait for their peer.
  StallEntry& input_stall() { return input_stall_; }
  StallEntry& output_stall() { return output_stall_; }

 private:
  // Hands what has been read to the engine, until the turn is over. False: the
  // peer broke the protocol.
  bool Dispatch();
  // Tells the engine how much memory the link holds.
  void Weigh();
  bool Paused() const {
    return connection_->output_bytes() > limits_.output_mark;
  }
  void Write(size_t max_bytes);

  const std::unique_ptr<Transport> transport_;
  Poller* const poller_;
  const Poller::Key key_;
  const LinkLimits limits_;
  ServerEngine* const engine_;
  EngineConnection* const connection_;
  PortCodec codec_;
  PortEvent event_;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
  InLine in_line_;
  StallEntry input_stall_;
  StallEntry output_stall_;
  bool connected_ = false;
  bool awaits_connect_ = false;
  bool paused_ = false;
  // event_ could not be handled in the last turn.
  bool offer_again_ = false;
  // More has been read than the turn allowed to handle.
  bool more_to_handle_ = false;
  // More could be written than one turn should.
  bool more_to_write_ = false;
  // The stream takes no more: output is dropped.
  bool deaf_ = false;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_LINK_H_
