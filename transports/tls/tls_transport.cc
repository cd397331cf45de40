#include "gearman/transports/tls/tls_transport.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gearman/transports/tls/piece_cursor.h"

namespace gearman {
namespace {

// The largest TLS record. Pieces are gathered up to this size, so that small
// packets share records and system calls.
constexpr size_t kRecordBytes = 16384;
// The bytes of records that leave in one write, and the bytes of one read from
// a peer that sends so many. Measured with 1 MiB in each job: 64 KiB cost 6 %
// more CPU, single records 16 % more.
constexpr size_t kBurstBytes = 262144;
// A burst is over after this many reads of at most an eighth of a record.
constexpr int kQuietReads = 64;
// For a server: the time that a peer may take for the handshake.
constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);

int Size(size_t size) {
  return static_cast<int>(
      std::min<size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

// A BIO over the stream below.
class TlsTransport::Bio {
 public:
  static BIO* New(TlsTransport* transport) {
    BIO* const bio = BIO_new(Method());
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, transport);
    BIO_set_init(bio, 1);
    return bio;
  }

 private:
  static int Read(BIO* bio, char* into, int size) {
    auto* const transport = static_cast<TlsTransport*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    IoResult result = transport->next_->Read(
        absl::Span<char>(into, static_cast<size_t>(size)));
    if (result.done()) {
      transport->received_any_ = true;
      transport->more_below_ = result.bytes == static_cast<size_t>(size);
      transport->FitReadBuffer(result.bytes);
      return static_cast<int>(result.bytes);
    }
    transport->more_below_ = false;
    if (result.would_block()) {
      BIO_set_retry_read(bio);
    } else if (result.failed()) {
      transport->next_status_ = std::move(result.status);
    } else {
      transport->ended_ = true;
      return 0;
    }
    return -1;
  }
  static int Write(BIO* bio, const char* bytes, int size) {
    auto* const transport = static_cast<TlsTransport*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const absl::string_view record(bytes, static_cast<size_t>(size));
    if (transport->sealing_) {
      transport->sealed_.Append(record);
      return size;
    }
    // Other output of OpenSSL must wait until the sealed records have left.
    const IoResult result = transport->sealed_.empty()
                                ? transport->WriteBelow(record)
                                : IoResult::WouldBlock();
    if (result.done()) return static_cast<int>(result.bytes);
    if (result.would_block()) BIO_set_retry_write(bio);
    return -1;
  }
  static long Control(BIO* bio, int command, long, void*) {  // NOLINT
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return static_cast<TlsTransport*>(BIO_get_data(bio))->ended_ ? 1 : 0;
      default:
        return 0;
    }
  }
  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(
          BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gearman transport");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

TlsTransport::TlsTransport(std::unique_ptr<Transport> next,
                           std::shared_ptr<TlsContext> context,
                           std::string host, std::string address, Clock* clock)
    : next_(std::move(next)),
      context_(std::move(context)),
      host_(std::move(host)),
      address_(std::move(address)),
      clock_(clock),
      handshake_deadline_(context_->is_server()
                              ? clock->Now() + kHandshakeTimeout
                              : absl::InfiniteFuture()) {}

TlsTransport::~TlsTransport() { Close(); }

std::string TlsTransport::Describe() const {
  const std::string below = next_->Describe();
  absl::string_view rest = below;
  return absl::ConsumePrefix(&rest, "tcp://") ? absl::StrCat("tls://", rest)
                                              : below;
}

bool TlsTransport::resumed() const {
  return ssl_ != nullptr && SSL_session_reused(ssl_.get()) == 1;
}

IoResult TlsTransport::Fail(absl::Status status) {
  if (phase() == TlsPhase::kFirstAnswer) context_->ForgetSession(address_);
  failure_ = status;
  return IoResult::Failed(std::move(status));
}

TlsPhase TlsTransport::phase() const {
  if (!connected_) {
    return received_any_ ? TlsPhase::kHandshake : TlsPhase::kGreeting;
  }
  // A server's end expects no answer.
  return answered_ || context_->is_server() ? TlsPhase::kStream
                                            : TlsPhase::kFirstAnswer;
}

IoResult TlsTransport::Outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      return IoResult::WouldBlock();
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return IoResult::WouldBlock();
    case SSL_ERROR_ZERO_RETURN:
      ERR_clear_error();
      // The peer said goodbye in place of an answer.
      if (phase() != TlsPhase::kStream && !context_->is_server()) {
        return Fail(
            TlsHungUp(Describe(), ssl_.get(), phase(), absl::OkStatus()));
      }
      goodbye_ = true;
      return IoResult::Closed();
    default:
      break;
  }
  if (!next_status_.ok()) {
    ERR_clear_error();
    return Fail(context_->is_server()
                    ? next_status_
                    : TlsHungUp(Describe(), ssl_.get(), phase(), next_status_));
  }
  if (context_->is_server() && !connected_ && ended_) {
    ERR_clear_error();
    return IoResult::Closed();
  }
  return Fail(TlsFailure(Describe(), ssl_.get(), phase()));
}

IoResult TlsTransport::Handshake() {
  if (connected_) return IoResult::Done(0);
  if (!failure_.ok()) return IoResult::Failed(failure_);
  if (ssl_ == nullptr) {
    IoResult below = next_->Connect();
    if (!below.done()) return below;
    absl::StatusOr<SslPtr> ssl = context_->NewConnection(host_, address_);
    if (!ssl.ok()) {
      return Fail(
          absl::Status(ssl.status().code(),
                       absl::StrCat(Describe(), ": ", ssl.status().message())));
    }
    ssl_ = *std::move(ssl);
    offers_session_ =
        !context_->is_server() && SSL_get_session(ssl_.get()) != nullptr;
    BIO* const bio = Bio::New(this);
    if (bio == nullptr) return Fail(absl::InternalError(TakeOpensslErrors()));
    SSL_set_bio(ssl_.get(), bio, bio);
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    connected_ = true;
    wants_write_ = false;
    drained_ = false;
    return IoResult::Done(0);
  }
  IoResult outcome = Outcome(result);
  const bool trusted = SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE ||
                       SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  if (outcome.failed() && offers_session_ && next_status_.ok() && !ended_ &&
      trusted) {
    // Servers that verify clients with OpenSSL (socat, for example) need a
    // setting for resumption, and fail the handshake without it.
    context_->StopResuming(address_);
    return Fail(absl::UnavailableError(absl::StrCat(
        outcome.status.message(),
        ", when a session was to be resumed; the next connection resumes "
        "none")));
  }
  if (outcome.would_block() && clock_->Now() >= handshake_deadline_) {
    return Fail(absl::DeadlineExceededError(
        absl::StrCat(Describe(), ": no TLS handshake within ",
                     absl::FormatDuration(kHandshakeTimeout))));
  }
  return outcome;
}

IoResult TlsTransport::Connect() { return Handshake(); }

IoResult TlsTransport::Read(absl::Span<char> into) {
  if (!connected_) {
    IoResult handshake = Handshake();
    if (!handshake.done()) return handshake;
  }
  if (ssl_ == nullptr) return IoResult::Closed();
  if (!failure_.ok()) return IoResult::Failed(failure_);
  if (goodbye_) return IoResult::Closed();
  size_t total = 0;
  // Reads record by record, as long as another may be there without waiting. A
  // short read means, like for other streams, that nothing is left.
  do {
    ERR_clear_error();
    const int result =
        SSL_read(ssl_.get(), into.data() + total, Size(into.size() - total));
    if (result <= 0) {
      drained_ = true;
      IoResult outcome = Outcome(result);
      // The next call reports the end, which is remembered.
      if (total == 0) return outcome;
      break;
    }
    total += static_cast<size_t>(result);
    answered_ = true;
    drained_ = false;
    wants_write_ = false;
  } while (total < into.size() &&
           (SSL_has_pending(ssl_.get()) == 1 || more_below_));
  return IoResult::Done(total);
}

absl::Status TlsTransport::BelowFailed() {
  const absl::Status below = std::exchange(next_status_, absl::OkStatus());
  return context_->is_server()
             ? below
             : TlsHungUp(Describe(), ssl_.get(), phase(), below);
}

absl::Status TlsTransport::LastWords() {
  const absl::Status below = std::exchange(next_status_, absl::OkStatus());
  ERR_clear_error();
  char byte;
  const int result = SSL_peek(ssl_.get(), &byte, 1);
  const bool alert =
      result <= 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL;
  next_status_ = below;
  if (alert &&
      ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return TlsFailure(Describe(), ssl_.get(), phase());
  }
  ERR_clear_error();
  return absl::OkStatus();
}

void TlsTransport::FitReadBuffer(size_t bytes) {
  small_reads_ = bytes <= kRecordBytes / 8 ? small_reads_ + 1 : 0;
  const bool burst = more_below_ || (burst_ && small_reads_ < kQuietReads);
  if (burst == burst_) return;
  burst_ = burst;
  // This size is for the next buffer: OpenSSL frees an empty buffer.
  SSL_set_default_read_buffer_len(ssl_.get(), burst ? kBurstBytes : 0);
}

IoResult TlsTransport::WriteFailed() {
  if (!context_->is_server()) {
    absl::Status last_words = LastWords();
    if (!last_words.ok()) return Fail(std::move(last_words));
  }
  // Earlier data of the peer may still be read.
  ERR_clear_error();
  if (phase() == TlsPhase::kFirstAnswer) context_->ForgetSession(address_);
  write_failure_ = BelowFailed();
  return IoResult::Failed(write_failure_);
}

IoResult TlsTransport::WriteBelow(absl::string_view sealed) {
  const std::array<absl::string_view, 1> pieces{sealed};
  IoResult result = next_->Write(pieces);
  if (result.closed()) {
    result = IoResult::Failed(
        absl::UnavailableError(absl::StrCat(Describe(), ": closed")));
  }
  if (result.failed()) next_status_ = result.status;
  return result;
}

IoResult TlsTransport::Flush(size_t* written) {
  while (!sealed_.empty()) {
    const IoResult result = WriteBelow(sealed_.pending());
    if (result.would_block()) return IoResult::WouldBlock();
    if (!result.done()) return WriteFailed();
    *written += sealed_.Sent(result.bytes);
  }
  return IoResult::Done(0);
}

IoResult TlsTransport::Write(absl::Span<const absl::string_view> pieces) {
  if (!connected_) {
    IoResult handshake = Handshake();
    if (!handshake.done()) return handshake;
  }
  if (ssl_ == nullptr) return IoResult::Closed();
  if (!failure_.ok()) return IoResult::Failed(failure_);
  if (!write_failure_.ok()) return IoResult::Failed(write_failure_);
  size_t written = 0;
  // The caller passes unwritten bytes again, perhaps with more behind them. The
  // sealed records hold the first of these bytes.
  PieceCursor cursor(pieces);
  cursor.Advance(sealed_.plain());
  IoResult result = Flush(&written);
  // A single record goes to the stream below without being gathered.
  sealing_ = cursor.HasMoreThan(kRecordBytes);
  if (!sealing_ && result.done()) sealed_.Release();
  while (result.done() && !cursor.at_end()) {
    const absl::string_view bytes = cursor.Gather(kRecordBytes, &record_);
    ERR_clear_error();
    const int sealed = SSL_write(ssl_.get(), bytes.data(), Size(bytes.size()));
    if (sealed <= 0) {
      result = next_status_.ok() ? Outcome(sealed) : WriteFailed();
      break;
    }
    const auto plain = static_cast<size_t>(sealed);
    cursor.Advance(plain);
    if (!sealing_) {
      written += plain;
      continue;
    }
    sealed_.EndRecord(plain);
    if (cursor.at_end() || sealed_.pending().size() >= kBurstBytes) {
      result = Flush(&written);
    }
  }
  sealing_ = false;
  return result.failed() || (written == 0 && !result.done())
             ? result
             : IoResult::Done(written);
}

Interest TlsTransport::interest(bool want_write) const {
  if (!failure_.ok() || goodbye_) {
    Interest now;
    now.ready_now = true;
    return now;
  }
  if (!connected_) {
    Interest interest = next_->interest(wants_write_);
    if (ssl_ != nullptr || context_->is_server()) {
      interest.deadline = std::min(interest.deadline, handshake_deadline_);
    }
    return interest;
  }
  Interest interest = next_->interest(want_write || wants_write_);
  // Decrypted or undecrypted bytes are here already, and the stream below may
  // have nothing to report.
  if (ssl_ != nullptr && !drained_ && SSL_has_pending(ssl_.get()) == 1) {
    interest.ready_now = true;
  }
  return interest;
}

void TlsTransport::Close() {
  if (ssl_ != nullptr && connected_ && failure_.ok()) {
    // Sends this side's goodbye if there is room for it. The peer's goodbye is
    // not awaited.
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ssl_ = nullptr;
  next_->Close();
}

// --- the factory -------------------------------------------------------------

namespace {

class TlsListener final : public Listener {
 public:
  TlsListener(std::unique_ptr<Listener> next,
              std::shared_ptr<TlsContext> context)
      : next_(std::move(next)), context_(std::move(context)) {}

  absl::StatusOr<std::unique_ptr<Transport>> Accept(Poller* poller,
                                                    Poller::Key key) override {
    absl::StatusOr<std::unique_ptr<Transport>> next =
        next_->Accept(poller, key);
    if (!next.ok() || *next == nullptr) return next;
    return std::make_unique<TlsTransport>(*std::move(next), context_,
                                          /*host=*/"", /*address=*/"",
                                          poller->clock());
  }
  Interest interest() const override { return next_->interest(); }
  Address address() const override {
    return {"tls", next_->address().authority};
  }

 private:
  const std::unique_ptr<Listener> next_;
  const std::shared_ptr<TlsContext> context_;
};

// Returns a function that makes a context with these options, once in each
// process.
template <typename Options>
std::function<std::unique_ptr<std::shared_ptr<TlsContext>>()> ContextOf(
    Options options) {
  return [options = std::move(options)] {
    return std::make_unique<std::shared_ptr<TlsContext>>(
        std::make_shared<TlsContext>(options));
  };
}

}  // namespace

TlsTransportFactory::TlsTransportFactory(TlsOptions options,
                                         TlsServerOptions server_options,
                                         TcpOptions tcp_options,
                                         std::shared_ptr<Resolver> resolver)
    : tcp_(tcp_options, std::move(resolver)),
      client_context_(ContextOf(std::move(options))),
      server_context_(ContextOf(std::move(server_options))) {}

absl::StatusOr<std::unique_ptr<Transport>> TlsTransportFactory::Create(
    const Address& address, Poller* poller, Poller::Key key) {
  absl::StatusOr<HostPort> host_port = ParseHostPort(address.authority);
  if (!host_port.ok()) return host_port.status();
  absl::StatusOr<std::unique_ptr<Transport>> tcp =
      tcp_.Create(address, poller, key);
  if (!tcp.ok()) return tcp.status();
  return std::make_unique<TlsTransport>(*std::move(tcp), *client_context_,
                                        host_port->host, address.ToString(),
                                        poller->clock());
}

absl::StatusOr<std::unique_ptr<Listener>> TlsTransportFactory::Listen(
    const Address& address, Poller* poller, Poller::Key key) {
  // An error of the files should be known now, not at each connection.
  const std::shared_ptr<TlsContext> context = *server_context_;
  const absl::Status status = context->Check("");
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Listener>> tcp =
      tcp_.Listen(address, poller, key);
  if (!tcp.ok()) return tcp.status();
  return std::make_unique<TlsListener>(*std::move(tcp), context);
}

absl::Status TlsTransportFactory::Check(const Address& address) {
  const absl::Status status = tcp_.Check(address);
  if (!status.ok()) return status;
  const absl::StatusOr<HostPort> host_port = ParseHostPort(address.authority);
  if (!host_port.ok()) return host_port.status();
  return (*client_context_)->Check(host_port->host);
}

absl::Status TlsTransportFactory::CheckClient() const {
  return (*client_context_)->Check("");
}

absl::Status TlsTransportFactory::CheckServer() const {
  return (*server_context_)->Check("");
}

std::string TlsTransportFactory::tls_library() const {
  return absl::StrCat("OpenSSL ", OpenSSL_version(OPENSSL_VERSION_STRING));
}

}  // namespace gearman
