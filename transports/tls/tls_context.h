// TlsContext: what the TLS connections of one client, or of one listener, have
// in common: trusted CAs, the own certificate, sessions to resume. Files that
// have changed on disk are read again.
//
// Thread-safe.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_CONTEXT_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_CONTEXT_H_

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/transports/tls/tls_options.h"

namespace gearman {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, SslDeleter>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, SslDeleter>;

// The payload of a Status that says which option of TlsOptions, or of
// TlsServerOptions, is wrong: "ca_file", "identity.key_file". There is none
// when an environment variable named the file.
inline constexpr absl::string_view kTlsOptionPayload = "gearman/tls_option";

class TlsContext : public std::enable_shared_from_this<TlsContext> {
 public:
  // For a client, or for a server. Nothing is read before the first call of
  // Check or NewConnection.
  explicit TlsContext(TlsOptions options);
  explicit TlsContext(TlsServerOptions options);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  // Reads the files, unless they have been read and have not changed. A
  // client's `host` must be a name that can be verified; empty: none is looked
  // at. INVALID_ARGUMENT: a file is missing, unreadable, of another kind or
  // does not fit another one; the text names it and says why, and the payload
  // kTlsOptionPayload names the option. RESOURCE_EXHAUSTED: the process lacks
  // descriptors or memory to read it.
  absl::Status Check(const std::string& host);

  // A new connection; a client's to `host`, whose name or IP address will be
  // verified, with the session of the last one to `address` if there is one.
  // Errors: as Check. When files that were good become bad, the good ones stay
  // in use.
  absl::StatusOr<SslPtr> NewConnection(const std::string& host,
                                       const std::string& address);

  // The server of `address` refuses the session that was offered to it, as
  // some do that verify clients: it is offered none any more.
  void StopResuming(const std::string& address) ABSL_LOCKS_EXCLUDED(mutex_);

  // A connection to `address` has ended before its server answered: its session
  // says nothing of a server that works, and is not kept.
  void ForgetSession(const std::string& address) ABSL_LOCKS_EXCLUDED(mutex_);

  bool is_server() const { return is_server_; }

 private:
  // A file as it was when it was read.
  struct Stamp {
    std::string path;
    int64_t size = -1;
    int64_t changed_ns = 0;
    uint64_t inode = 0;

    friend bool operator==(const Stamp& a, const Stamp& b) {
      return a.path == b.path && a.size == b.size &&
             a.changed_ns == b.changed_ns && a.inode == b.inode;
    }
  };
  // Whose a connection's sessions are.
  struct SessionOwner {
    std::weak_ptr<TlsContext> context;
    std::string address;
  };
  static int SessionOwnerIndex();
  static int OnNewSession(SSL* ssl, SSL_SESSION* session);
  // Keeps a session for the next connection to `address`, unless the files have
  // changed since `context`, under which it was made.
  void KeepSession(const std::string& address, const SSL_CTX* context,
                   SslSessionPtr session) ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<Stamp> StampFiles() const;
  absl::StatusOr<SslCtxPtr> Build() const;
  absl::Status LoadIdentity(SSL_CTX* context) const;
  absl::Status LoadCas(SSL_CTX* context) const;
  // What `host` is called in the server's certificate; sets that it be
  // verified.
  absl::Status ExpectName(const std::string& host, SSL* ssl) const;
  // The context of now, read again if need be. One reference is the caller's.
  absl::StatusOr<SslCtxPtr> Current() ABSL_LOCKS_EXCLUDED(mutex_);

  const bool is_server_;
  TlsOptions options_;  // a server's client CAs are its CAs
  // Environment variables that name files, where no option does; empty: options
  // do.
  std::string ca_variable_;
  std::string certificate_variable_;
  std::string key_variable_;
  bool require_client_certificate_ = false;

  absl::Mutex mutex_;
  SslCtxPtr context_ ABSL_GUARDED_BY(mutex_);
  std::vector<Stamp> stamps_ ABSL_GUARDED_BY(mutex_);
  // Null: none is kept.
  absl::flat_hash_map<std::string, SslSessionPtr> sessions_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_CONTEXT_H_
