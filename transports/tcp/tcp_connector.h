// TcpConnector: makes one TCP connection to a host that may have many
// addresses, IPv6 and IPv4. It races them (RFC 8305): it tries the next address
// when the one before has failed or has not answered for a moment, and takes
// the first that answers. Non-blocking; one thread at a time.
#ifndef GEARMAN_TRANSPORTS_TCP_TCP_CONNECTOR_H_
#define GEARMAN_TRANSPORTS_TCP_TCP_CONNECTOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/process/descriptor.h"
#include "gearman/transports/address.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/resolver.h"
#include "gearman/transports/tcp/socket_address.h"
#include "gearman/transports/tcp/tcp_options.h"

namespace gearman {

class TcpConnector {
 public:
  // Makes a connector, which begins with the first Advance. Errors call the
  // host `peer_name`. `clock` must outlive this object.
  TcpConnector(HostPort host_port, std::string peer_name,
               const TcpOptions& options, std::shared_ptr<Resolver> resolver,
               Clock* clock);
  TcpConnector(const TcpConnector&) = delete;
  TcpConnector& operator=(const TcpConnector&) = delete;
  ~TcpConnector();

  // Continues connecting. After OK, TakeSocket tells whether the socket is
  // connected. UNAVAILABLE names every address with the reason of its failure.
  absl::Status Advance();
  // Returns the connected socket, which the caller then owns. The descriptor is
  // not open while no attempt has succeeded.
  Descriptor TakeSocket();
  // The address of the connected socket.
  const SocketAddress& winner() const { return winner_; }
  // Returns the events to wait for. While several sockets race, the descriptor
  // is one that is readable when any of them is ready. Every descriptor that
  // interest() has returned stays open as long as this object, except for the
  // socket taken and the socket of a failed connection. So the poller never
  // watches a number that stands for another file.
  Interest interest() const;

 private:
  struct Attempt {
    Descriptor socket;
    SocketAddress address;
  };

  absl::Status StartAttempts();
  // Starts an attempt with the next address. Returns false if no address is
  // left.
  bool StartNext();
  void Check();
  void Fail(const SocketAddress& address, int error);

  const HostPort host_port_;
  const std::string peer_name_;
  const TcpOptions options_;
  const std::shared_ptr<Resolver> resolver_;
  Clock* const clock_;

  bool started_ = false;
  std::unique_ptr<Lookup> lookup_;
  // Keeps the descriptor of the lookup open, because the poller may still watch
  // it.
  std::unique_ptr<Lookup> finished_lookup_;
  std::vector<SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::vector<Attempt> attempts_;
  absl::Time next_attempt_ = absl::InfiniteFuture();
  std::vector<std::string> failures_;
  Descriptor inner_epoll_;  // for several sockets
  Descriptor socket_;
  SocketAddress winner_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_TCP_CONNECTOR_H_
