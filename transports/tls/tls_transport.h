// TlsTransport: TLS over another stream. Also the factory of tls://host:port,
// which is TLS over TCP.
//
// No data is sent or accepted before the handshake has ended and the peer has
// been verified. Data is never sent or accepted in plain text.
// docs/protocol.md, section "TLS", says which servers speak it.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_TRANSPORT_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/process/per_process.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/tcp/resolver.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/sealed_records.h"
#include "gearman/transports/tls/tls_context.h"
#include "gearman/transports/tls/tls_error.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {

class TlsTransport final : public Transport {
 public:
  // Makes a transport over `next`. With a client's context it is the client's
  // end: `host` is the name to verify, and `address` is the key of kept
  // sessions. With a server's context it is the server's end. `clock` must
  // outlive the transport.
  TlsTransport(std::unique_ptr<Transport> next,
               std::shared_ptr<TlsContext> context, std::string host,
               std::string address, Clock* clock);
  ~TlsTransport() override;

  // Returns kDone at a client's end when the server has been verified. A
  // server's end need not call this: Read does the handshake.
  IoResult Connect() override;
  // kClosed means that the peer has said goodbye. kFailed with UNAVAILABLE
  // means that the stream ended without a goodbye. kFailed with UNAUTHENTICATED
  // can mean that the server refused the client's certificate: with TLS 1.3 a
  // client learns that only here.
  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;
  Interest interest(bool want_write) const override;
  void Close() override;
  std::string Describe() const override;

  // Whether the session of an earlier connection was resumed. It is valid once
  // connected.
  bool resumed() const;

 private:
  // OpenSSL reads and writes through this class.
  class Bio;

  IoResult Handshake();
  TlsPhase phase() const;
  // Returns the outcome of an operation on ssl_ that failed with `result`.
  IoResult Outcome(int result);
  // Takes next_status_ and returns its meaning for this connection.
  absl::Status BelowFailed();
  // Adapts the buffer after `bytes` have been read from the stream below.
  void FitReadBuffer(size_t bytes);
  // Called when writing has failed below. Returns the peer's last message if
  // that explains the failure (a refused certificate), otherwise OK.
  absl::Status LastWords();
  IoResult WriteFailed();
  // Writes `sealed` to the stream below. On kFailed, next_status_ has the
  // reason.
  IoResult WriteBelow(absl::string_view sealed);
  // Writes the sealed records. Adds the plain bytes of records that have left
  // completely to `*written`. kDone means that all records have left.
  IoResult Flush(size_t* written);
  IoResult Fail(absl::Status status);

  const std::unique_ptr<Transport> next_;
  const std::shared_ptr<TlsContext> context_;
  const std::string host_;
  const std::string address_;
  Clock* const clock_;
  // The end of the time in which a peer must finish its handshake.
  const absl::Time handshake_deadline_;

  SslPtr ssl_;  // null before `next_` is connected, and after Close
  absl::Status failure_;
  absl::Status write_failure_;  // reading may still succeed
  bool connected_ = false;
  bool offers_session_ = false;
  bool received_any_ = false;  // from the stream below
  bool answered_ = false;      // something has been read
  bool goodbye_ = false;       // the peer's goodbye has been read
  // The stream below filled all the memory it was given, so it may have more.
  bool more_below_ = false;
  bool burst_ = false;  // reads are large
  int small_reads_ = 0;
  bool wants_write_ = false;  // the handshake, or a read, waits to write
  bool drained_ = true;       // the last read found nothing left
  bool ended_ = false;        // the stream below has ended
  // The error of the stream below.
  absl::Status next_status_;
  // Gathers small pieces for one record.
  std::string record_;
  // Gathers records while more than one is written. Plain bytes in these
  // records are not reported as written: the next Write gets them again.
  SealedRecords sealed_;
  bool sealing_ = false;
};

// Makes the transports and listeners of tls://host:port.
class TlsTransportFactory final : public TransportFactory {
 public:
  // Connects according to `options` and listens according to `server_options`.
  explicit TlsTransportFactory(
      TlsOptions options = {}, TlsServerOptions server_options = {},
      TcpOptions tcp_options = {},
      std::shared_ptr<Resolver> resolver = Resolver::System());

  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  // Like TcpTransportFactory::Listen. Also returns INVALID_ARGUMENT if the
  // certificate or key can't be read.
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override;
  // Combines TlsContext::Check for the host of `address` with
  // TcpTransportFactory::Check.
  absl::Status Check(const Address& address) override;
  // The version of OpenSSL.
  std::string tls_library() const override;

  // Call TlsContext::Check of the client's and of the server's context, without
  // a host.
  absl::Status CheckClient() const;
  absl::Status CheckServer() const;

 private:
  TcpTransportFactory tcp_;
  // A child made by fork makes its own contexts, because another thread may
  // have held a lock of an OpenSSL context at the time of the fork.
  const PerProcess<std::shared_ptr<TlsContext>> client_context_;
  const PerProcess<std::shared_ptr<TlsContext>> server_context_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_TRANSPORT_H_
