#include "gearman/transports/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/tls/pem_file.h"
#include "gearman/transports/tls/tls_error.h"

namespace gearman {
namespace {

// The most servers for which sessions are kept.
constexpr size_t kMaxSessions = 10000;

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Returns `reason` as the error of a file or, if `path` is empty, of PEM in
// memory. `option` or the environment variable `variable` gave the file.
absl::Status FileError(absl::string_view what, const std::string& path,
                       absl::string_view option, const std::string& variable,
                       const absl::Status& reason) {
  absl::Status status(reason.code(),
                      absl::StrCat("TLS: ", what, path.empty() ? "" : " \"",
                                   path, path.empty() ? "" : "\"", " (",
                                   variable.empty() ? option : variable,
                                   ") can't be used: ", reason.message()));
  if (variable.empty())
    status.SetPayload(kTlsOptionPayload, absl::Cord(option));
  return status;
}

bool IsIpAddress(const std::string& host) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

TlsOptions OfServer(TlsServerOptions server) {
  TlsOptions options;
  options.identity = std::move(server.identity);
  options.ca_file = std::move(server.client_ca_file);
  options.ca_pem = std::move(server.client_ca_pem);
  options.min_version = server.min_version;
  return options;
}

}  // namespace

TlsContext::TlsContext(TlsOptions options)
    : is_server_(false), options_(std::move(options)) {
  const auto use_variable = [](const char* name, std::string* file,
                               std::string* variable) {
    *file = Variable(name);
    if (!file->empty()) *variable = name;
  };
  if (options_.ca_file.empty() && options_.ca_folder.empty() &&
      options_.ca_pem.empty()) {
    use_variable("GEARMAND_CA_CERTIFICATE", &options_.ca_file, &ca_variable_);
  }
  TlsIdentity& identity = options_.identity;
  if (identity.certificate_file.empty()) {
    use_variable("GEARMAN_CLIENT_PEM", &identity.certificate_file,
                 &certificate_variable_);
    if (identity.key_file.empty()) {
      use_variable("GEARMAN_CLIENT_KEY", &identity.key_file, &key_variable_);
    }
  }
}

TlsContext::TlsContext(TlsServerOptions options)
    : is_server_(true), options_(OfServer(std::move(options))) {
  require_client_certificate_ =
      !options_.ca_file.empty() || !options_.ca_pem.empty();
}

TlsContext::~TlsContext() = default;

std::vector<TlsContext::Stamp> TlsContext::StampFiles() const {
  std::vector<Stamp> stamps;
  for (const std::string* path :
       {&options_.ca_file, &options_.ca_folder,
        &options_.identity.certificate_file, &options_.identity.key_file}) {
    if (path->empty()) continue;
    Stamp stamp;
    stamp.path = *path;
    struct stat status = {};
    if (stat(path->c_str(), &status) == 0) {
      stamp.size = status.st_size;
      stamp.inode = status.st_ino;
      stamp.changed_ns =
          int64_t{status.st_mtim.tv_sec} * 1000000000 + status.st_mtim.tv_nsec;
    }
    stamps.push_back(std::move(stamp));
  }
  return stamps;
}

absl::Status TlsContext::LoadIdentity(SSL_CTX* context) const {
  const TlsIdentity& identity = options_.identity;
  const auto certificate_error = [&](const absl::Status& reason) {
    return FileError("the certificate", identity.certificate_file,
                     "identity.certificate_file", certificate_variable_,
                     reason);
  };
  const auto key_error = [&](const absl::Status& reason) {
    return identity.key_file.empty()
               ? certificate_error(absl::Status(
                     reason.code(),
                     absl::StrCat(reason.message(),
                                  "; the key is looked for here, as no "
                                  "key_file is given")))
               : FileError("the private key", identity.key_file,
                           "identity.key_file", key_variable_, reason);
  };
  if (identity.certificate_file.empty()) {
    if (!identity.key_file.empty()) {
      return key_error(absl::InvalidArgumentError(
          "no certificate is given that it belongs to"));
    }
    if (!is_server_) return absl::OkStatus();
    absl::Status status = absl::InvalidArgumentError(
        "TLS: to listen on tls:// takes a certificate and its key "
        "(TlsServerOptions::identity)");
    status.SetPayload(kTlsOptionPayload, absl::Cord("identity"));
    return status;
  }
  const absl::StatusOr<PemBytes> certificate =
      PemBytes::Read(identity.certificate_file);
  if (!certificate.ok()) return certificate_error(certificate.status());
  absl::Status status = UseCertificates(certificate->text(), context);
  if (!status.ok()) return certificate_error(status);
  if (identity.key_file.empty()) {
    status = UseKey(certificate->text(), identity, context);
  } else {
    const absl::StatusOr<PemBytes> key = PemBytes::Read(identity.key_file);
    if (!key.ok()) return key_error(key.status());
    status = UseKey(key->text(), identity, context);
  }
  return status.ok() ? status : key_error(status);
}

absl::Status TlsContext::LoadCas(SSL_CTX* context) const {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  if (!options_.ca_file.empty()) {
    const absl::StatusOr<PemBytes> cas = PemBytes::Read(options_.ca_file);
    const absl::Status status =
        cas.ok() ? AddCas(cas->text(), store) : cas.status();
    if (!status.ok()) {
      return FileError("the CA file", options_.ca_file,
                       is_server_ ? "client_ca_file" : "ca_file", ca_variable_,
                       status);
    }
  }
  if (!options_.ca_folder.empty()) {
    absl::Status status = CheckCaFolder(options_.ca_folder);
    if (status.ok() &&
        SSL_CTX_load_verify_dir(context, options_.ca_folder.c_str()) != 1) {
      status = absl::InvalidArgumentError(TakeOpensslErrors());
    }
    if (!status.ok()) {
      return FileError("the CA folder", options_.ca_folder, "ca_folder", "",
                       status);
    }
  }
  if (!options_.ca_pem.empty()) {
    const absl::Status status = AddCas(options_.ca_pem, store);
    if (!status.ok()) {
      return FileError("PEM in memory", "",
                       is_server_ ? "client_ca_pem" : "ca_pem", "", status);
    }
  }
  if (!is_server_ && options_.ca_file.empty() && options_.ca_folder.empty() &&
      options_.ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else {
    // Every given certificate is trusted: a root, an intermediate, or the
    // server's own certificate.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  }
  return absl::OkStatus();
}

absl::StatusOr<SslCtxPtr> TlsContext::Build() const {
  ERR_clear_error();
  SslCtxPtr context(
      SSL_CTX_new(is_server_ ? TLS_server_method() : TLS_client_method()));
  if (context == nullptr) return absl::InternalError(TakeOpensslErrors());
  SSL_CTX_set_min_proto_version(context.get(),
                                options_.min_version == TlsVersion::kTls13
                                    ? TLS1_3_VERSION
                                    : TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION |
                                         SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A stream that was cut off must not look like one that has ended, whatever
  // the system's OpenSSL settings are.
  SSL_CTX_clear_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // One read gets a whole record or several small ones.
  SSL_CTX_set_read_ahead(context.get(), 1);
  absl::Status status = LoadIdentity(context.get());
  status.Update(LoadCas(context.get()));
  if (!status.ok()) return status;
  if (is_server_) {
    if (require_client_certificate_) {
      SSL_CTX_set_verify(context.get(),
                         SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         nullptr);
    }
    static constexpr unsigned char kSessionContext[] = "gearman";
    SSL_CTX_set_session_id_context(context.get(), kSessionContext,
                                   sizeof(kSessionContext) - 1);
  } else {
    if (options_.dangerously_skip_verification) {
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    } else {
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, NoteVerification);
    }
    SSL_CTX_set_cert_cb(context.get(), NoteCertificateRequest, nullptr);
    SSL_CTX_set_session_cache_mode(
        context.get(),
        SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context.get(), OnNewSession);
  }
  return context;
}

absl::StatusOr<SslCtxPtr> TlsContext::Current() {
  std::vector<Stamp> stamps = StampFiles();
  {
    absl::MutexLock lock(&mutex_);
    if (context_ != nullptr && stamps == stamps_) {
      SSL_CTX_up_ref(context_.get());
      return SslCtxPtr(context_.get());
    }
  }
  // No lock is held, because a user's function may return the passphrase.
  absl::StatusOr<SslCtxPtr> built = Build();
  absl::MutexLock lock(&mutex_);
  if (built.ok()) {
    context_ = *std::move(built);
    stamps_ = std::move(stamps);
    // A server that was trusted with the old files may not be trusted with the
    // new.
    sessions_.clear();
  } else if (context_ == nullptr) {
    return built.status();
  }
  // A new context that can't be built leaves the old one in use: a program that
  // replaces the files writes one after another, and until all are written they
  // don't match.
  SSL_CTX_up_ref(context_.get());
  return SslCtxPtr(context_.get());
}

absl::Status TlsContext::ExpectName(const std::string& host, SSL* ssl) const {
  std::string name = options_.server_name.empty() ? host : options_.server_name;
  // The final dot marks a complete DNS name, and the zone of an IPv6 address is
  // an interface of this machine. Certificates have neither.
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  if (options_.server_name.empty())
    name.resize(std::min(name.find('%'), name.size()));
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl);
  bool named = false;
  if (IsIpAddress(name)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(verify,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    named =
        X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size()) == 1 &&
        SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  }
  if (named) return absl::OkStatus();
  ERR_clear_error();
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(
      "TLS: \"", SafeText(name), "\" can't be the name of a server"));
  if (!options_.server_name.empty()) {
    status.SetPayload(kTlsOptionPayload, absl::Cord("server_name"));
  }
  return status;
}

absl::Status TlsContext::Check(const std::string& host) {
  absl::StatusOr<SslCtxPtr> context = Current();
  if (!context.ok()) return context.status();
  if (is_server_ || (host.empty() && options_.server_name.empty())) {
    return absl::OkStatus();
  }
  const SslPtr ssl(SSL_new(context->get()));
  if (ssl == nullptr) return absl::InternalError(TakeOpensslErrors());
  return ExpectName(host, ssl.get());
}

absl::StatusOr<SslPtr> TlsContext::NewConnection(const std::string& host,
                                                 const std::string& address) {
  absl::StatusOr<SslCtxPtr> context = Current();
  if (!context.ok()) return context.status();
  SslPtr ssl(SSL_new(context->get()));
  if (ssl == nullptr) return absl::InternalError(TakeOpensslErrors());
  if (is_server_) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  absl::Status status = ExpectName(host, ssl.get());
  if (!status.ok()) return status;
  SSL_set_ex_data(ssl.get(), SessionOwnerIndex(),
                  new SessionOwner{weak_from_this(), address});
  absl::MutexLock lock(&mutex_);
  const auto session = sessions_.find(address);
  if (session != sessions_.end() && session->second != nullptr &&
      *context == context_) {
    // A TLS 1.3 ticket is for one connection, which brings new tickets. An
    // older session is for many connections, and the server may not send
    // another one.
    const bool once = SSL_SESSION_get_protocol_version(session->second.get()) >=
                      TLS1_3_VERSION;
    const SslSessionPtr offered =
        once ? std::move(session->second)
             : SslSessionPtr(SSL_SESSION_dup(session->second.get()));
    if (once) sessions_.erase(session);
    if (offered != nullptr) SSL_set_session(ssl.get(), offered.get());
  }
  return ssl;
}

int TlsContext::SessionOwnerIndex() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* owner, CRYPTO_EX_DATA*, int, long, void*) {  // NOLINT
        delete static_cast<SessionOwner*>(owner);
      });
  return index;
}

int TlsContext::OnNewSession(SSL* ssl, SSL_SESSION* session) {
  const auto* const owner = static_cast<const SessionOwner*>(
      SSL_get_ex_data(ssl, SessionOwnerIndex()));
  if (owner == nullptr) return 0;
  const std::shared_ptr<TlsContext> context = owner->context.lock();
  if (context == nullptr) return 0;
  // Keeps a copy. The connection has the original, and OpenSSL marks that as
  // not resumable if the connection ends without a goodbye.
  SslSessionPtr kept(SSL_SESSION_dup(session));
  if (kept != nullptr) {
    context->KeepSession(owner->address, SSL_get_SSL_CTX(ssl), std::move(kept));
  }
  return 0;  // OpenSSL keeps the original
}

void TlsContext::KeepSession(const std::string& address, const SSL_CTX* context,
                             SslSessionPtr session) {
  absl::MutexLock lock(&mutex_);
  // A resumed connection verifies nothing again, so a session must not outlive
  // the context that it was made with.
  if (context != context_.get()) return;
  if (sessions_.size() >= kMaxSessions) sessions_.clear();
  const auto place = sessions_.try_emplace(address);
  if (place.second || place.first->second != nullptr) {
    place.first->second = std::move(session);
  }
}

void TlsContext::ForgetSession(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  const auto session = sessions_.find(address);
  if (session == sessions_.end() || session->second == nullptr) return;
  sessions_.erase(session);
}

void TlsContext::StopResuming(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  sessions_[address] = nullptr;
}

}  // namespace gearman
