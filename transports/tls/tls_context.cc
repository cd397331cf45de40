#include "gearman/transports/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12err.h>
#include <openssl/proverr.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/transports/tls/tls_error.h"

namespace gearman {
namespace {

// Sessions kept for different servers.
constexpr size_t kMaxSessions = 10000;

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status FileError(absl::string_view what, const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat(
      "TLS: ", what, " \"", path, "\" can't be used: ", TakeOpensslErrors()));
}

// Why a key can't be used, beyond what OpenSSL says.
absl::string_view KeyHint(unsigned long error) {  // NOLINT
  // Each library of OpenSSL has numbers of its own.
  const auto is = [error](int library, int reason) {
    return ERR_GET_LIB(error) == library && ERR_GET_REASON(error) == reason;
  };
  if (is(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH)) {
    return ": it is not the certificate's";
  }
  if (is(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ) ||
      is(ERR_LIB_PEM, PEM_R_PROBLEMS_GETTING_PASSWORD) ||
      is(ERR_LIB_CRYPTO, ERR_R_INTERRUPTED_OR_CANCELLED)) {
    return ": it is encrypted, and there is no passphrase for it (passphrase, "
           "passphrase_variable)";
  }
  if (is(ERR_LIB_PEM, PEM_R_BAD_DECRYPT) ||
      is(ERR_LIB_PROV, PROV_R_BAD_DECRYPT) ||
      is(ERR_LIB_PKCS12, PKCS12_R_PKCS12_CIPHERFINAL_ERROR)) {
    return ": is the passphrase right?";
  }
  return "";
}

int GivePassphrase(char* buffer, int size, int /*writing*/, void* identity) {
  const auto& from = *static_cast<const TlsIdentity*>(identity);
  std::string passphrase;
  // The SDK throws nothing, but whoever is asked may, and between is OpenSSL.
  try {
    passphrase = from.passphrase ? from.passphrase()
                                 : Variable(from.passphrase_variable.c_str());
  } catch (...) {
    return -1;
  }
  if (passphrase.size() > static_cast<size_t>(size)) return -1;
  std::memcpy(buffer, passphrase.data(), passphrase.size());
  return static_cast<int>(passphrase.size());
}

bool IsIpAddress(const std::string& host) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

TlsOptions ClientDefaults(TlsOptions options) {
  if (options.ca_file.empty() && options.ca_folder.empty() &&
      options.ca_pem.empty()) {
    options.ca_file = Variable("GEARMAND_CA_CERTIFICATE");
  }
  if (options.identity.certificate_file.empty()) {
    options.identity.certificate_file = Variable("GEARMAN_CLIENT_PEM");
    if (options.identity.key_file.empty()) {
      options.identity.key_file = Variable("GEARMAN_CLIENT_KEY");
    }
  }
  return options;
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
    : is_server_(false), options_(ClientDefaults(std::move(options))) {}

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
  if (identity.certificate_file.empty()) {
    if (!is_server_) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "TLS: to listen on tls:// takes a certificate and its key "
        "(TlsServerOptions::identity)");
  }
  if (identity.passphrase || !identity.passphrase_variable.empty()) {
    SSL_CTX_set_default_passwd_cb(context, GivePassphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context,
                                           const_cast<TlsIdentity*>(&identity));
  } else {
    // OpenSSL would ask the terminal.
    SSL_CTX_set_default_passwd_cb(context,
                                  [](char*, int, int, void*) { return -1; });
  }
  if (SSL_CTX_use_certificate_chain_file(
          context, identity.certificate_file.c_str()) != 1) {
    return FileError("the certificate", identity.certificate_file);
  }
  const std::string& key =
      identity.key_file.empty() ? identity.certificate_file : identity.key_file;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) !=
      1) {
    const absl::string_view hint = KeyHint(ERR_peek_error());
    const absl::Status status = FileError("the private key", key);
    return absl::InvalidArgumentError(absl::StrCat(status.message(), hint));
  }
  return absl::OkStatus();
}

absl::Status TlsContext::LoadCas(SSL_CTX* context) const {
  if (!options_.ca_file.empty() &&
      SSL_CTX_load_verify_file(context, options_.ca_file.c_str()) != 1) {
    return FileError("the CA file", options_.ca_file);
  }
  if (!options_.ca_folder.empty()) {
    struct stat status = {};
    if (stat(options_.ca_folder.c_str(), &status) != 0 ||
        !S_ISDIR(status.st_mode) ||
        SSL_CTX_load_verify_dir(context, options_.ca_folder.c_str()) != 1) {
      return FileError("the CA folder", options_.ca_folder);
    }
  }
  if (!options_.ca_pem.empty()) {
    BIO* const bio = BIO_new_mem_buf(options_.ca_pem.data(),
                                     static_cast<int>(options_.ca_pem.size()));
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    int count = 0;
    while (X509* certificate =
               PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
      if (X509_STORE_add_cert(store, certificate) == 1) ++count;
      X509_free(certificate);
    }
    BIO_free(bio);
    // Reading ends where no further one begins, and at nonsense.
    const bool at_end =
        ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string text = TakeOpensslErrors();
    if (count == 0 || !at_end) {
      return absl::InvalidArgumentError(absl::StrCat(
          "TLS: ca_pem is not valid at certificate ", count + 1,
          ": expected PEM, which begins with -----BEGIN CERTIFICATE-----: ",
          text));
    }
  }
  if (!is_server_ && options_.ca_file.empty() && options_.ca_folder.empty() &&
      options_.ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else {
    // Whatever was given is trusted, be it a root, an intermediate or the
    // server's own certificate.
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context),
                         X509_V_FLAG_PARTIAL_CHAIN);
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
  // A stream that was cut off must not look like one that ended, whatever the
  // system's settings say.
  SSL_CTX_clear_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // One read for a whole record, and for several small ones.
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
  // Without the lock: the passphrase may come from a user's code.
  absl::StatusOr<SslCtxPtr> built = Build();
  absl::MutexLock lock(&mutex_);
  if (built.ok()) {
    context_ = *std::move(built);
    stamps_ = std::move(stamps);
    // What was trusted then may not be now.
    sessions_.clear();
  } else if (context_ == nullptr) {
    return built.status();
  }
  // Else: files are written one after the other; until they fit, the old do.
  SSL_CTX_up_ref(context_.get());
  return SslCtxPtr(context_.get());
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
  std::string name = options_.server_name.empty() ? host : options_.server_name;
  // "jobs.example." is complete in the DNS; certificates don't have the dot.
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl.get());
  bool named = false;
  if (IsIpAddress(name)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(verify,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    named =
        X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size()) == 1 &&
        SSL_set_tlsext_host_name(ssl.get(), name.c_str()) == 1;
  }
  if (!named) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS: \"", name, "\" can't be the name of a server"));
  }
  SSL_set_ex_data(ssl.get(), SessionOwnerIndex(),
                  new SessionOwner{weak_from_this(), address});
  absl::MutexLock lock(&mutex_);
  const auto session = sessions_.find(address);
  if (session != sessions_.end() && session->second != nullptr &&
      *context == context_) {
    SSL_set_session(ssl.get(), session->second.get());
    // A ticket of TLS 1.3 is good for one connection, which brings others. An
    // older session is good for many, and may never come again.
    if (SSL_SESSION_get_protocol_version(session->second.get()) >=
        TLS1_3_VERSION) {
      sessions_.erase(session);
    }
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
  context->KeepSession(owner->address, SSL_get_SSL_CTX(ssl),
                       SslSessionPtr(session));
  return 1;  // it is ours
}

void TlsContext::KeepSession(const std::string& address, const SSL_CTX* context,
                             SslSessionPtr session) {
  absl::MutexLock lock(&mutex_);
  // Resuming verifies nothing anew: no session outlives what it was made with.
  if (context != context_.get()) return;
  if (sessions_.size() >= kMaxSessions) sessions_.clear();
  const auto place = sessions_.try_emplace(address);
  if (place.second || place.first->second != nullptr) {
    place.first->second = std::move(session);
  }
}

void TlsContext::StopResuming(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  sessions_[address] = nullptr;
}

}  // namespace gearman
