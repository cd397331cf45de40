// Link is one connection of a client or worker to a server, with the session
// that gives its packets a meaning. ServerSet owns links and moves their bytes.
//
// A Session is ClientLinkSession or WorkerLinkSession. It is a pure machine:
// events and the time go in, and packets come out, in the connection's output.
// It has
//
//   using Receiver          the packets that it receives
//   bool OnReceived(now)    bytes have come; returns true if the server serves
//   void OnProgress(now)    a part of a packet has come or has left
//   absl::Status OnTime(now)  its next_deadline() has come; an error ends the
//                           connection
//   absl::Time next_deadline() const
//   void OnConnected(now)   the connection was made
//   void Settle(now)        all events were handled, and a write follows
//   void Retire()           it gets nothing new
//   bool MayEnd(now)        nothing is left to do; may first ask for a receipt
#ifndef GEARMAN_SDK_INTERNAL_NET_LINK_H_
#define GEARMAN_SDK_INTERNAL_NET_LINK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace internal {

template <typename Session>
struct Link {
  using Decoder = wire::Decoder<typename Session::Receiver>;

  Link(ServerPtr<Session> to, std::unique_ptr<Transport> transport,
       Poller* poller, Poller::Key key, const wire::DecoderOptions& decoder,
       const ConnectionOptions& options)
      : server(std::move(to)),
        connection(std::move(transport), poller, key, decoder, options) {
    connection.output().HoldWritten(connection.decoder().spares());
  }

  bool up() const { return connection.connected(); }

  const ServerPtr<Session> server;
  Connection<Decoder> connection;
  std::unique_ptr<Session> session;  // never null

  // Why the link gets nothing new and is closed as soon as it may end. Null: it
  // takes new work.
  const char* leaving = nullptr;
  absl::Time connecting_since;
  // When the connection is too old to be given anything more.
  absl::Time end_of_life = absl::InfiniteFuture();

  // The fields that follow are ServerSet's own.
  size_t place = 0;  // in the list of links
  // Something may have changed since the last flush.
  bool touched = false;
  size_t touched_place = 0;
  // The link was found to have ended, and is in the list of lost links until the
  // owner takes it from there.
  bool lost = false;
  bool in_lost = false;
  // The link's place in the queue of deadlines.
  absl::Time deadline = absl::InfiniteFuture();
  // The bytes that were counted so far.
  uint64_t sent_counted = 0;
  uint64_t received_counted = 0;
  size_t output_counted = 0;
};

// A link that has ended, and is to be closed by the owner of its set.
template <typename Session>
struct LostLink {
  Link<Session>* link;  // null: it was closed since
  absl::Status status;
  ReconnectReason reason;
  // A time limit has ended it.
  bool timed_out = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_LINK_H_
