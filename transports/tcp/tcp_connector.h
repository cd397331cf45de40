// TcpConnector: makes one TCP connection to a host that may have many
// addresses, IPv6 and IPv4, by racing them (RFC 8305): the next one is tried
// when the one before fails or has not answered after a moment; the first that
// answers wins. Non-blocking, one thread at a time.
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
  // `clock` outlives this.
  TcpConnector(HostPort host_port, std::string peer_name,
               const TcpOptions& options, std::shared_ptr<Resolver> resolver,
               Clock* clock);
  TcpConnector(const TcpConnector&) = delete;
  TcpConnector& operator=(const TcpConnector&) = delete;
  ~TcpConnector();

  // Goes on. OK: TakeSocket tells whether it is connected. UNAVAILABLE names
  // every address and why it failed.
  absl::Status Advance();
  // The connected socket, which the caller owns from now on. It is not open
  // while no attempt has succeeded.
  Descriptor TakeSocket();
  // Where that leads.
  const SocketAddress& winner() const { return winner_; }
  // What to wait for. While several sockets race, its descriptor is one that
  // is readable when any of them is ready. Every descriptor it has named,
  // other than the socket taken, stays open as long as this, so that the poller
  // never watches one that has become something else.
  Interest interest() const;

 private:
  struct Attempt {
    Descriptor socket;
    SocketAddress address;
  };

  absl::Status StartAttempts();
  // Begins the next address. False: there is none left.
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
  // Keeps its descriptor open: the poller may still watch it.
  std::unique_ptr<Lookup> finished_lookup_;
  std::vector<SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::vector<Attempt> attempts_;
  absl::Time next_attempt_ = absl::InfiniteFuture();
  std::vector<std::string> failures_;
  Descriptor inner_epoll_;  // while more than one descriptor is waited for
  Descriptor socket_;
  SocketAddress winner_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_TCP_CONNECTOR_H_
