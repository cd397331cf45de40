// PeerLink: one stream to a client or worker: the transport, the codec that
// reads from it, and the engine's connection whose output is written to it.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_PEER_LINK_H_
#define GEARMAN_SDK_EMBEDDED_PEER_LINK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/port_codec.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/stall_list.h"
#include "gearman/transports/piece_stream.h"
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

// An entry in the line of links, ports and the engine that have something to
// do.
struct InLine : ListLink<LineTag> {
  explicit InLine(Poller::Key of) : key(of) {}
  const Poller::Key key;
};

class PeerLink : public ListLink<HandshakeTag> {
 public:
  enum class Progress : unsigned char {
    kWaits,  // for its peer
    kMore,   // its turn is over: there may be more to read
    kEnded,  // the stream is over, or the peer broke the protocol
  };

  // `poller` watches the link under `key`. Connects `engine` to the peer.
  PeerLink(std::unique_ptr<Transport> transport, Poller* poller,
           Poller::Key key, const LinkLimits& limits, ServerEngine* engine);
  // Disconnects the engine from the peer, and closes the stream.
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  Poller::Key key() const { return key_; }
  // True: the stream is connected, and its handshake (TLS) is finished.
  bool connected() const { return connected_; }
  // True: a packet has begun, and its rest is still to come. False while the
  // server does not read.
  bool in_packet() const { return !paused_ && codec_.in_packet(); }
  bool has_output() const { return !deaf_ && connection_->output_bytes() > 0; }
  // Bytes read and written so far. They tell whether the link makes progress.
  uint64_t bytes_read() const { return bytes_read_; }
  uint64_t bytes_written() const { return bytes_written_; }
  // Not OK: the reason why the engine wants the link closed.
  const absl::Status& failure() const { return connection_->failure(); }
  std::string Describe() const { return transport_->Describe(); }

  // Continues to connect. False: that has failed. True: connected() tells
  // whether the link is connected or waits for its peer.
  bool Connect();
  // While a link awaits its next Connect, its poller waits for nothing on it.
  void SetAwaitsConnect(bool awaits) { awaits_connect_ = awaits; }
  bool awaits_connect() const { return awaits_connect_; }

  // The link must be connected. Reads the bytes that have arrived and hands
  // them to the engine, until the engine's turn is over. Reads nothing while
  // the peer does not take its replies. Does at least one step. Throws
  // std::bad_alloc when there is no memory; the caller must then end the link.
  // So does Flush.
  Progress Read();
  // Writes output until the stream takes no more or the link has had its fair
  // share. False: the caller must end the link, as too much output waits or the
  // engine's connection has failed. When writing has failed, the peer's input
  // is still read.
  bool Flush();
  // Like Flush, but without a limit on the bytes, for a link that is about to
  // be ended.
  void FlushAll();
  // True: there is something to do in the next turn. Read stopped at the output
  // mark, and half of the mark or less waits now. Or Flush stopped before the
  // stream took no more.
  bool ShouldResume() const;
  // The link's entry in the line of those that have something to do.
  InLine& in_line() { return in_line_; }
  // Tells the poller what the link waits for.
  absl::Status UpdateInterest();

  // The link's entries in the lists of links that wait for their peer.
  StallEntry& input_stall() { return input_stall_; }
  StallEntry& output_stall() { return output_stall_; }

 private:
  // Hands the bytes that have been read to the engine, until the turn is over.
  // False: the peer broke the protocol, or the engine's connection has failed.
  bool Dispatch();
  // Tells the engine how much memory the link holds.
  void Weigh();
  bool Paused() const {
    return connection_->output_bytes() > limits_.output_mark;
  }
  void Write(size_t max_bytes);

  const std::unique_ptr<Transport> transport_;
  // The transport's. Null: it has bytes only, or is not connected.
  PieceStream* stream_ = nullptr;
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
  // The turn has ended, and more input may be left to handle.
  bool more_to_handle_ = false;
  // Write stopped at its limit, and more output is left.
  bool more_to_write_ = false;
  // Writing has failed: output is dropped.
  bool deaf_ = false;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_PEER_LINK_H_
