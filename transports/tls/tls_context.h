// TlsContext: the common state of the TLS connections of one client or of one
// listener: trusted CAs, the own certificate, and sessions to resume. It reads
// files again when they have changed on disk.
//
// A context is thread-safe.
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

// Frees objects of OpenSSL.
struct SslDeleter {
  // Each function gives up one reference.
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
// Each pointer owns one reference to an object of OpenSSL.
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, SslDeleter>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, SslDeleter>;

// The payload of a Status that names the wrong option of TlsOptions or
// TlsServerOptions: "ca_file", "identity.key_file". It is missing if an
// environment variable named the file.
inline constexpr absl::string_view kTlsOptionPayload = "gearman/tls_option";

class TlsContext : public std::enable_shared_from_this<TlsContext> {
 public:
  // Make a context for a client and for a server. The files are read by the
  // first call of Check or NewConnection, not here.
  explicit TlsContext(TlsOptions options);
  explicit TlsContext(TlsServerOptions options);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  // Reads the files, unless they have been read and have not changed. For a
  // client, also checks that the name of `host` can be verified; an empty
  // `host` skips this. Returns INVALID_ARGUMENT if a file is missing,
  // unreadable, of another kind or does not fit another file: the text names
  // the file and the reason, and the payload kTlsOptionPayload names the
  // option. Returns RESOURCE_EXHAUSTED if the process lacks descriptors or
  // memory to read it.
  absl::Status Check(const std::string& host);

  // Makes a new connection. For a client it is a connection to `host`, whose
  // name or IP address will be verified; it offers the session of the last
  // connection to `address`, if there is one. Errors: those of Check. If files
  // that were good become bad, the good ones stay in use.
  absl::StatusOr<SslPtr> NewConnection(const std::string& host,
                                       const std::string& address);

  // The server of `address` refused the session that was offered, as some
  // servers do that verify clients. No session is offered to it again.
  void StopResuming(const std::string& address) ABSL_LOCKS_EXCLUDED(mutex_);

  // A connection to `address` ended before the server answered. Its session is
  // not kept, because the server may not work.
  void ForgetSession(const std::string& address) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether this is the context of a listener.
  bool is_server() const { return is_server_; }

 private:
  // The state of a file at the time when it was read.
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
  // The context and the address to which a connection's sessions belong.
  struct SessionOwner {
    std::weak_ptr<TlsContext> context;
    std::string address;
  };
  static int SessionOwnerIndex();
  static int OnNewSession(SSL* ssl, SSL_SESSION* session);
  // Keeps a session for the next connection to `address`, unless the files have
  // changed since `context`, under which the session was made.
  void KeepSession(const std::string& address, const SSL_CTX* context,
                   SslSessionPtr session) ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<Stamp> StampFiles() const;
  absl::StatusOr<SslCtxPtr> Build() const;
  absl::Status LoadIdentity(SSL_CTX* context) const;
  absl::Status LoadCas(SSL_CTX* context) const;
  // Sets the name that the server's certificate must have: that of `host`, or
  // TlsOptions::server_name.
  absl::Status ExpectName(const std::string& host, SSL* ssl) const;
  // Returns the current context, after reading changed files again. The caller
  // owns one reference.
  absl::StatusOr<SslCtxPtr> Current() ABSL_LOCKS_EXCLUDED(mutex_);

  const bool is_server_;
  TlsOptions options_;  // ca_file and ca_pem of a server are for its clients
  // The environment variables that name files where no option does. A name is
  // empty if an option does.
  std::string ca_variable_;
  std::string certificate_variable_;
  std::string key_variable_;
  bool require_client_certificate_ = false;

  absl::Mutex mutex_;
  SslCtxPtr context_ ABSL_GUARDED_BY(mutex_);
  std::vector<Stamp> stamps_ ABSL_GUARDED_BY(mutex_);
  // Null marks an address for which no session is kept.
  absl::flat_hash_map<std::string, SslSessionPtr> sessions_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_CONTEXT_H_
