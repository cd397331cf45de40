#include "gearman/transports/tls/pem_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/process/descriptor.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/tls/tls_error.h"

namespace gearman {
namespace {

// No list of CAs is this large; a device or a log given by mistake is.
constexpr size_t kLargestFile = 16 << 20;

struct Deleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(DIR* folder) const { closedir(folder); }
};
using BioPtr = std::unique_ptr<BIO, Deleter>;
using CertificatePtr = std::unique_ptr<X509, Deleter>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter>;

absl::Status Refused(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

absl::Status SystemRefused(int error) {
  switch (error) {
    case ENOENT:
      return Refused("there is no such file");
    case EACCES:
    case EPERM:
      return Refused("this process may not read it");
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(std::strerror(error));
    default:
      return Refused(std::strerror(error));
  }
}

// Returns OpenSSL's errors in brackets and removes them from its queue.
std::string Details() { return absl::StrCat(" (", TakeOpensslErrors(), ")"); }

bool IsCertificate(absl::string_view label) {
  return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD ||
         label == PEM_STRING_X509_TRUSTED;
}
bool IsKey(absl::string_view label) {
  return absl::EndsWith(label, "PRIVATE KEY") && label != "OPENSSH PRIVATE KEY";
}

// Returns the labels of the blocks in `pem`, such as "CERTIFICATE".
std::vector<absl::string_view> Labels(absl::string_view pem) {
  constexpr absl::string_view kBegin = "-----BEGIN ";
  constexpr absl::string_view kEnd = "-----";
  std::vector<absl::string_view> labels;
  for (size_t at = pem.find(kBegin); at != absl::string_view::npos;
       at = pem.find(kBegin, at)) {
    at += kBegin.size();
    const size_t end = pem.find(kEnd, at);
    if (end == absl::string_view::npos) break;
    labels.push_back(pem.substr(at, end - at));
  }
  return labels;
}

std::string InWords(absl::string_view label) {
  if (IsCertificate(label)) return "a certificate";
  if (IsKey(label)) return "a private key";
  if (absl::EndsWith(label, "CERTIFICATE REQUEST")) {
    return "a certificate request, which a CA has yet to sign";
  }
  if (absl::EndsWith(label, "PUBLIC KEY")) return "a public key";
  if (label == "OPENSSH PRIVATE KEY") return "a key in OpenSSH's own format";
  if (absl::EndsWith(label, "PARAMETERS")) return "parameters";
  if (label == PEM_STRING_X509_CRL) return "a list of revoked certificates";
  constexpr size_t kLongest = 40;
  return absl::StrCat("\"", SafeText(label.substr(0, kLongest)), "\"");
}

// Returns the error for a text without `wanted`: says what the text holds
// instead.
absl::Status HoldsOnly(absl::string_view wanted, absl::string_view pem) {
  std::vector<std::string> found;
  for (const absl::string_view label : Labels(pem)) {
    std::string words = InWords(label);
    if (std::find(found.begin(), found.end(), words) == found.end()) {
      found.push_back(std::move(words));
    }
  }
  if (!found.empty()) {
    return Refused(absl::StrCat("it holds no ", wanted, ", but ",
                                absl::StrJoin(found, " and ")));
  }
  // DER and PKCS #12 begin with this byte, an ASN.1 sequence.
  if (pem[0] == '\x30') {
    return Refused(
        absl::StrCat("it holds no ", wanted,
                     " in PEM; it seems to be DER or PKCS #12: "
                     "convert it with openssl x509, pkey or pkcs12"));
  }
  return Refused(absl::StrCat("it holds no ", wanted,
                              ": nothing in it begins with -----BEGIN"));
}

// Reads the certificates of `pem`. Returns an error unless it holds at least
// one and all are readable.
absl::StatusOr<std::vector<CertificatePtr>> ReadCertificates(
    absl::string_view pem) {
  if (pem.empty()) return Refused("it is empty");
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return absl::ResourceExhaustedError("no memory");
  std::vector<CertificatePtr> certificates;
  while (X509* const certificate =
             PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // OpenSSL stops reading when no further certificate begins, and at a damaged
  // one.
  const std::vector<absl::string_view> labels = Labels(pem);
  const auto announced = static_cast<size_t>(
      std::count_if(labels.begin(), labels.end(), IsCertificate));
  const unsigned long error = ERR_peek_last_error();  // NOLINT
  if (announced > certificates.size() || ERR_GET_LIB(error) != ERR_LIB_PEM ||
      ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return Refused(absl::StrCat("certificate ", certificates.size() + 1,
                                " in it is damaged", Details()));
  }
  ERR_clear_error();
  if (certificates.empty()) return HoldsOnly("certificate", pem);
  return certificates;
}

// Gives OpenSSL the passphrase of an encrypted key.
class Passphrase {
 public:
  explicit Passphrase(const TlsIdentity& identity) : identity_(identity) {}

  static int Give(char* buffer, int size, int /*writing*/, void* passphrase) {
    auto* const self = static_cast<Passphrase*>(passphrase);
    self->asked_ = true;
    std::string text;
    if (!self->Find(&text)) return -1;
    const bool fits = text.size() <= static_cast<size_t>(size);
    if (fits) {
      std::memcpy(buffer, text.data(), text.size());
    } else {
      self->missing_ =
          absl::StrCat("what there is, is longer than ", size, " bytes");
    }
    const auto given = static_cast<int>(text.size());
    OPENSSL_cleanse(&text[0], text.size());
    return fits ? given : -1;
  }

  bool asked() const { return asked_; }
  // Why there is no passphrase. Empty if there is one.
  const std::string& missing() const { return missing_; }

 private:
  bool Find(std::string* text) {
    if (identity_.passphrase) {
      // The caller's function may throw, and an exception must not pass through
      // OpenSSL.
      try {
        *text = identity_.passphrase();
        return true;
      } catch (...) {
        missing_ = "the function that gives it has thrown";
        return false;
      }
    }
    const std::string& variable = identity_.passphrase_variable;
    if (variable.empty()) {
      missing_ = "set passphrase or passphrase_variable";
      return false;
    }
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr) {
      missing_ =
          absl::StrCat("the environment variable ", variable, " is not set");
      return false;
    }
    *text = value;
    return true;
  }

  const TlsIdentity& identity_;
  bool asked_ = false;
  std::string missing_;
};

}  // namespace

absl::StatusOr<PemBytes> PemBytes::Read(const std::string& path) {
  // Opening a pipe or another special file must not block.
  const Descriptor file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open()) return SystemRefused(errno);
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return SystemRefused(errno);
  if (S_ISDIR(status.st_mode)) return Refused("it is a folder, not a file");
  if (!S_ISREG(status.st_mode)) {
    return Refused("it is no regular file, and could not be read again");
  }
  if (status.st_size > static_cast<off_t>(kLargestFile)) {
    return Refused(absl::StrCat("it has ", status.st_size,
                                " bytes, far too many for PEM"));
  }
  PemBytes bytes;
  // The string gets its size at once, because a string that grows leaves copies
  // behind.
  bytes.text_.resize(static_cast<size_t>(status.st_size));
  size_t size = 0;
  while (size < bytes.text_.size()) {
    const ssize_t more =
        read(file.get(), &bytes.text_[size], bytes.text_.size() - size);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return SystemRefused(errno);
    if (more == 0) break;
    size += static_cast<size_t>(more);
  }
  bytes.text_.resize(size);
  if (size == 0) return Refused("it is empty");
  return bytes;
}

PemBytes::PemBytes(PemBytes&& other) noexcept : text_(std::move(other.text_)) {
  other.text_.clear();
}

PemBytes::~PemBytes() { OPENSSL_cleanse(&text_[0], text_.size()); }

absl::Status UseCertificates(absl::string_view pem, SSL_CTX* context) {
  absl::StatusOr<std::vector<CertificatePtr>> certificates =
      ReadCertificates(pem);
  if (!certificates.ok()) return certificates.status();
  if (SSL_CTX_use_certificate(context, certificates->front().get()) != 1) {
    return Refused(absl::StrCat("OpenSSL refuses its certificate", Details()));
  }
  SSL_CTX_clear_chain_certs(context);
  for (size_t i = 1; i < certificates->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*certificates)[i].get()) != 1) {
      return Refused(absl::StrCat("OpenSSL refuses certificate ", i + 1,
                                  " in it", Details()));
    }
  }
  return absl::OkStatus();
}

absl::Status UseKey(absl::string_view pem, const TlsIdentity& identity,
                    SSL_CTX* context) {
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return absl::ResourceExhaustedError("no memory");
  Passphrase passphrase(identity);
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, Passphrase::Give,
                                           &passphrase));
  if (key == nullptr) {
    if (!passphrase.missing().empty()) {
      ERR_clear_error();
      return Refused(
          absl::StrCat("it is encrypted, and there is no passphrase for it: ",
                       passphrase.missing()));
    }
    if (passphrase.asked()) {
      return Refused(absl::StrCat(
          "it can't be decrypted: is the passphrase right?", Details()));
    }
    const std::vector<absl::string_view> labels = Labels(pem);
    if (std::none_of(labels.begin(), labels.end(), IsKey)) {
      ERR_clear_error();
      return HoldsOnly("private key", pem);
    }
    return Refused(absl::StrCat("its private key is damaged", Details()));
  }
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  if (X509_check_private_key(certificate, key.get()) != 1) {
    ERR_clear_error();
    return Refused("it is not the certificate's: the two are no pair");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return Refused(absl::StrCat("OpenSSL refuses it", Details()));
  }
  return absl::OkStatus();
}

absl::Status AddCas(absl::string_view pem, X509_STORE* store) {
  absl::StatusOr<std::vector<CertificatePtr>> certificates =
      ReadCertificates(pem);
  if (!certificates.ok()) return certificates.status();
  for (const CertificatePtr& certificate : *certificates) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) {
      return Refused(
          absl::StrCat("OpenSSL refuses a certificate in it", Details()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCaFolder(const std::string& path) {
  const std::unique_ptr<DIR, Deleter> folder(opendir(path.c_str()));
  if (folder == nullptr) {
    return errno == ENOTDIR  ? Refused("it is no folder")
           : errno == ENOENT ? Refused("there is no such folder")
                             : SystemRefused(errno);
  }
  // The name is eight hexadecimal digits of a hash, a dot and a number.
  const auto is_hashed = [](absl::string_view name) {
    constexpr size_t kDigits = 8;
    return name.size() > kDigits + 1 && name[kDigits] == '.' &&
           std::all_of(name.begin(), name.begin() + kDigits,
                       [](unsigned char c) { return std::isxdigit(c); }) &&
           std::all_of(name.begin() + kDigits + 1, name.end(),
                       [](unsigned char c) { return std::isdigit(c); });
  };
  while (const dirent* const entry = readdir(folder.get())) {
    if (is_hashed(entry->d_name)) return absl::OkStatus();
  }
  return Refused(
      "it holds no certificate under a name that OpenSSL looks for, such as "
      "9d66eef0.0: run openssl rehash on it");
}

}  // namespace gearman
