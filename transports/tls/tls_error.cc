#include "gearman/transports/tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// Facts about the certificates of one connection.
struct Notes {
  std::string verification;          // the fault of the peer's
  bool certificate_request = false;  // the server asked for ours
};

int NotesIndex() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* notes, CRYPTO_EX_DATA*, int, long, void*) {  // NOLINT
        delete static_cast<Notes*>(notes);
      });
  return index;
}

Notes& NotesOf(SSL* ssl) {
  auto* notes = static_cast<Notes*>(SSL_get_ex_data(ssl, NotesIndex()));
  if (notes == nullptr) {
    notes = new Notes;
    SSL_set_ex_data(ssl, NotesIndex(), notes);
  }
  return *notes;
}

// Returns null if nothing has been noted.
const Notes* FindNotes(const SSL* ssl) {
  return static_cast<const Notes*>(SSL_get_ex_data(ssl, NotesIndex()));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string TimeText(const ASN1_TIME* time) {
  BIO* const bio = BIO_new(BIO_s_mem());
  ASN1_TIME_print(bio, time);
  return TextOf(bio);
}

std::string NameText(const X509_NAME* name) {
  BIO* const bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
  return TextOf(bio);
}

// The most names of a certificate that a text shows, and the most bytes of one.
constexpr size_t kMostNames = 8;
constexpr size_t kLongestName = 253;

// Returns the names and addresses that a certificate is for.
std::string NamesText(X509* certificate) {
  std::vector<std::string> texts;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      texts.push_back(
          SafeText({reinterpret_cast<const char*>(
                        ASN1_STRING_get0_data(name->d.dNSName)),
                    static_cast<size_t>(ASN1_STRING_length(name->d.dNSName))},
                   kLongestName));
    } else if (name->type == GEN_IPADD) {
      const unsigned char* const bytes =
          ASN1_STRING_get0_data(name->d.iPAddress);
      const int size = ASN1_STRING_length(name->d.iPAddress);
      std::vector<std::string> parts;
      if (size == 4) {
        for (int b = 0; b < 4; ++b) parts.push_back(absl::StrCat(bytes[b]));
        texts.push_back(absl::StrJoin(parts, "."));
      } else {
        for (int b = 0; b + 1 < size; b += 2) {
          parts.push_back(
              absl::StrCat(absl::Hex(bytes[b] * 256 + bytes[b + 1])));
        }
        texts.push_back(absl::StrJoin(parts, ":"));
      }
    }
  }
  GENERAL_NAMES_free(names);
  if (texts.size() > kMostNames) {
    const size_t more = texts.size() - kMostNames;
    texts.resize(kMostNames);
    texts.back() += absl::StrCat(" and ", more, " more");
  }
  return texts.empty() ? "no name at all (it needs a subjectAltName)"
                       : absl::StrJoin(texts, ", ");
}

std::string ExpectedName(X509_STORE_CTX* store) {
  X509_VERIFY_PARAM* const verify = X509_STORE_CTX_get0_param(store);
  const char* const host = X509_VERIFY_PARAM_get0_host(verify, 0);
  if (host != nullptr) return host;
  char* const ip = X509_VERIFY_PARAM_get1_ip_asc(verify);
  std::string text = ip == nullptr ? "" : ip;
  OPENSSL_free(ip);
  return text;
}

std::string Explain(X509_STORE_CTX* store) {
  const int error = X509_STORE_CTX_get_error(store);
  X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  const bool leaf = X509_STORE_CTX_get_error_depth(store) == 0;
  const absl::string_view whose = leaf ? "its certificate" : "a CA above it";
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(whose, " expired on ",
                          TimeText(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(whose, " is not valid before ",
                          TimeText(X509_get0_notBefore(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return absl::StrCat("the name ", ExpectedName(store),
                          " is not in its certificate, which is for ",
                          NamesText(certificate));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "its certificate is self-signed and not among the trusted ones";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return absl::StrCat("the unknown issuer \"",
                          NameText(X509_get_issuer_name(certificate)),
                          "\" signed its certificate: it is not among the "
                          "trusted CAs (ca_file, ca_folder, ca_pem)");
    default:
      return absl::StrCat(whose, ": ", X509_verify_cert_error_string(error));
  }
}

// OpenSSL has no text for errors of the system, nor for every reason of another
// OpenSSL version.
std::string ReasonText(unsigned long error) {  // NOLINT
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* const reason = ERR_reason_error_string(error);
  if (reason != nullptr) return reason;
  const char* const library = ERR_lib_error_string(error);
  return absl::StrCat("a failure in ",
                      library == nullptr ? "OpenSSL" : library);
}

constexpr absl::string_view kNoCertificate =
    "it wants a client certificate, and there is none "
    "(identity.certificate_file)";
// Stunnel, socat and HAProxy accept a connection before they connect to their
// own server, and close it if that fails.
constexpr absl::string_view kTerminator =
    "it is a TLS terminator (stunnel, socat, HAProxy) whose server is down";

}  // namespace

std::string TakeOpensslErrors() {
  std::vector<std::string> texts;
  while (const unsigned long error = ERR_get_error()) {  // NOLINT
    texts.push_back(ReasonText(error));
  }
  return texts.empty() ? "no further reason" : absl::StrJoin(texts, ", ");
}

int NoteVerification(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  auto* const ssl = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Notes& notes = NotesOf(ssl);
  if (notes.verification.empty()) notes.verification = Explain(store);
  return 0;
}

int NoteCertificateRequest(SSL* ssl, void* /*unused*/) {
  NotesOf(ssl).certificate_request = true;
  return 1;
}

bool LacksClientCertificate(const SSL* ssl) {
  const Notes* const notes = FindNotes(ssl);
  return notes != nullptr && notes->certificate_request &&
         SSL_get_certificate(ssl) == nullptr;
}

absl::Status TlsFailure(absl::string_view peer, const SSL* ssl,
                        TlsPhase phase) {
  const bool in_handshake =
      phase == TlsPhase::kGreeting || phase == TlsPhase::kHandshake;
  // Each library of OpenSSL has its own numbers of reasons.
  const unsigned long error = ERR_peek_error();  // NOLINT
  const int reason =
      ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  const std::string text = TakeOpensslErrors();
  const Notes* const notes = FindNotes(ssl);
  if (notes != nullptr && !notes->verification.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat(peer, " can't be trusted: ", notes->verification));
  }
  const auto untrusted = [&](absl::string_view what) {
    return absl::UnauthenticatedError(
        absl::StrCat(peer, ": ", what, " (", text, ")"));
  };
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_BAD_RECORD_TYPE:
      if (in_handshake) return untrusted("it speaks plain TCP, not TLS");
      break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_VERSION_TOO_LOW:
      return untrusted("the two have no version of TLS in common");
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return untrusted(kNoCertificate);
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return untrusted("it refuses our certificate");
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return untrusted("its certificate can't be trusted");
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return untrusted(
          "it refuses the handshake: no cipher in common, or a client "
          "certificate is wanted");
    case SSL_R_TLSV1_ALERT_INTERNAL_ERROR:
      return absl::UnavailableError(
          absl::StrCat(peer, ": it failed within TLS (", text, ")"));
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return TlsHungUp(peer, ssl, phase, absl::OkStatus());
    default:
      break;
  }
  if (in_handshake) return untrusted("the TLS handshake failed");
  return absl::DataLossError(
      absl::StrCat(peer, ": the TLS stream is broken: ", text));
}

absl::Status TlsHungUp(absl::string_view peer, const SSL* ssl, TlsPhase phase,
                       const absl::Status& failure) {
  // The text of a failure below has the peer's name.
  const std::string what =
      failure.ok() ? absl::StrCat(peer, ": it closed the connection")
                   : std::string(failure.message());
  if (phase != TlsPhase::kStream && LacksClientCertificate(ssl)) {
    return absl::UnauthenticatedError(
        absl::StrCat(what, " at the TLS handshake: ", kNoCertificate,
                     phase == TlsPhase::kFirstAnswer ? ", or " : "",
                     phase == TlsPhase::kFirstAnswer ? kTerminator : ""));
  }
  switch (phase) {
    case TlsPhase::kGreeting:
      if (failure.ok()) {
        // gearmand does this if it doesn't understand the client's first
        // message.
        return absl::UnauthenticatedError(absl::StrCat(
            what,
            " at the TLS handshake without a word: it seems to speak plain "
            "TCP, not TLS"));
      }
      // A server that is being stopped does this, too.
      return absl::UnavailableError(absl::StrCat(
          what,
          ", at the TLS handshake before a word of it: does it speak TLS?"));
    case TlsPhase::kHandshake:
      return absl::UnavailableError(
          absl::StrCat(what, " in the TLS handshake"));
    case TlsPhase::kFirstAnswer: {
      const Notes* const notes = FindNotes(ssl);
      return absl::UnavailableError(
          absl::StrCat(what, ", right after the TLS handshake: ",
                       notes != nullptr && notes->certificate_request
                           ? "it may not trust our certificate, or "
                           : "it may be that ",
                       kTerminator));
    }
    case TlsPhase::kStream:
      break;
  }
  return absl::UnavailableError(
      absl::StrCat(what, ", without TLS's goodbye: the stream was cut off"));
}

}  // namespace gearman
