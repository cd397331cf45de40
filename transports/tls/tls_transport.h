// TlsTransport: TLS over another stream. And the factory of tls://host:port,
// which is TLS over TCP.
//
// Nothing is sent or taken before the handshake has ended and the peer has been
// verified, and never a plain byte.
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
  // Over `next`; a client's end (`host` is what to verify, `address` what to
  // keep sessions by), or, with a server's context, the other one. `clock`
  // outlives this.
  TlsTransport(std::unique_ptr<Transport> next,
               std::shared_ptr<TlsContext> context, std::string host,
               std::string address, Clock* clock);
  ~TlsTransport() override;

  // A client's is done when the server has been verified. A server's end need
  // not be connected: reading does it.
  IoResult Connect() override;
  // kClosed: the peer has said goodbye. kFailed, UNAVAILABLE: the stream ended
  // without it. kFailed, UNAUTHENTICATED: with TLS 1.3 only here a client
  // learns that its certificate was refused.
  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;
  Interest interest(bool want_write) const override;
  void Close() override;
  std::string Describe() const override;

  // The session of an earlier connection was resumed. Once connected.
  bool resumed() const;

 private:
  // What OpenSSL reads and writes through.
  class Bio;

  IoResult Handshake();
  TlsPhase phase() const;
  // After an operation on ssl_ that returned `result`, which was no success.
  IoResult Outcome(int result);
  // What next_status_, which is taken, means here.
  absl::Status BelowFailed();
  // So many bytes have been read from below.
  void FitReadBuffer(size_t bytes);
  // Writing has failed below: what the peer said before it went, if that
  // explains it (a refused certificate).
  absl::Status LastWords();
  IoResult WriteFailed();
  // Gives `sealed` to the stream below. kFailed: next_status_ says why.
  IoResult WriteBelow(absl::string_view sealed);
  // Writes the sealed records; `*written` grows by the plain bytes of those
  // that have left as a whole. kDone: all have.
  IoResult Flush(size_t* written);
  IoResult Fail(absl::Status status);

  const std::unique_ptr<Transport> next_;
  const std::shared_ptr<TlsContext> context_;
  const std::string host_;
  const std::string address_;
  Clock* const clock_;
  // A peer that begins no handshake, or does not end it, is not waited for.
  const absl::Time handshake_deadline_;

  SslPtr ssl_;  // null before `next_` is connected, and after Close
  absl::Status failure_;
  absl::Status write_failure_;  // reading may still succeed
  bool connected_ = false;
  bool offers_session_ = false;
  bool received_any_ = false;  // from below
  bool answered_ = false;      // something has been read
  bool goodbye_ = false;       // the peer's has been read
  // The stream below filled all the memory it was given: it may have more.
  bool more_below_ = false;
  bool burst_ = false;  // reads are large
  int small_reads_ = 0;
  bool wants_write_ = false;  // the handshake, or reading, waits to write
  bool drained_ = true;       // reading found nothing left
  bool ended_ = false;        // the peer's end has been seen below
  // What went wrong below.
  absl::Status next_status_;
  // Small pieces, made one record.
  std::string record_;
  // While more than one record is written, they gather here. Plain bytes in
  // them are not reported as written, and are given again by the next Write.
  SealedRecords sealed_;
  bool sealing_ = false;
};

class TlsTransportFactory final : public TransportFactory {
 public:
  // Connects as `options` and listens as `server_options` say.
  explicit TlsTransportFactory(
      TlsOptions options = {}, TlsServerOptions server_options = {},
      TcpOptions tcp_options = {},
      std::shared_ptr<Resolver> resolver = Resolver::System());

  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  // As TcpTransportFactory::Listen. INVALID_ARGUMENT: the certificate or key
  // can't be read.
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override;
  // TlsContext::Check for the host of `address`, and
  // TcpTransportFactory::Check.
  absl::Status Check(const Address& address) override;
  std::string tls_library() const override;

  // TlsContext::Check of what connects, and of what listens, without a host.
  absl::Status CheckClient() const;
  absl::Status CheckServer() const;

 private:
  TcpTransportFactory tcp_;
  // A child made by fork makes its own contexts: OpenSSL's contexts have locks,
  // which other threads may have held at fork.
  const PerProcess<std::shared_ptr<TlsContext>> client_context_;
  const PerProcess<std::shared_ptr<TlsContext>> server_context_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_TRANSPORT_H_
