#include "gearman/tests/support/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

struct Deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter>;
using CertificatePtr = std::unique_ptr<X509, Deleter>;

KeyPtr MakeKey() { return KeyPtr(EVP_EC_gen("P-256")); }

void AddExtension(X509* certificate, X509* issuer, int id,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

CertificatePtr MakeCertificate(const std::string& name, EVP_PKEY* key,
                               X509* issuer, absl::Duration begins,
                               absl::Duration ends) {
  static uint64_t serial = 1;
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()),
                  absl::ToInt64Seconds(begins));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()),
                  absl::ToInt64Seconds(ends));
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), issuer == nullptr
                                              ? subject
                                              : X509_get_subject_name(issuer));
  return certificate;
}

std::string TakeText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string PemOf(EVP_PKEY* key, const std::string& passphrase) {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(
                bio, key, passphrase.empty() ? nullptr : EVP_aes_256_cbc(),
                passphrase.data(), static_cast<int>(passphrase.size()), nullptr,
                nullptr),
            1);
  return TakeText(bio);
}

std::string PemOf(X509* certificate) {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_X509(bio, certificate), 1);
  return TakeText(bio);
}

// Replaces a file in the way in which certificates are renewed under a running
// program.
void Replace(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  std::ofstream(fresh) << content;
  ASSERT_EQ(std::rename(fresh.c_str(), path.c_str()), 0) << path;
}

}  // namespace

struct TestCertificates::Ca {
  KeyPtr key;
  CertificatePtr certificate;
};

namespace {

// An authority called `name`, signed by `issuer`, or by itself: null.
void MakeAuthority(const std::string& name, X509* issuer, EVP_PKEY* issuer_key,
                   KeyPtr* key, CertificatePtr* certificate) {
  *key = MakeKey();
  *certificate = MakeCertificate(name, key->get(), issuer, -absl::Hours(48),
                                 absl::Hours(48));
  X509* const made = certificate->get();
  AddExtension(made, made, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(made, made, NID_subject_key_identifier, "hash");
  EXPECT_GT(X509_sign(made, issuer == nullptr ? key->get() : issuer_key,
                      EVP_sha256()),
            0);
}

}  // namespace

TestCertificates::TestCertificates(const std::string& name)
    : ca_(std::make_unique<Ca>()) {
  MakeAuthority(name, nullptr, nullptr, &ca_->key, &ca_->certificate);
  ca_pem_ = PemOf(ca_->certificate.get());
  ca_file_ = directory_.Write("ca.pem", ca_pem_);
  const std::string in_folder = directory_.Write(
      absl::StrCat("cas/",
                   absl::Hex(X509_subject_name_hash(ca_->certificate.get()),
                             absl::kZeroPad8),
                   ".0"),
      ca_pem_);
  ca_folder_ = in_folder.substr(0, in_folder.rfind('/'));
}

TestCertificates::~TestCertificates() = default;

CertificateFiles TestCertificates::Make(const std::string& name,
                                        const CertificateRequest& request) {
  const KeyPtr key = MakeKey();
  X509* issuer = ca_->certificate.get();
  EVP_PKEY* issuer_key = ca_->key.get();
  Ca intermediate;
  if (request.through_intermediate) {
    MakeAuthority("Intermediate CA", issuer, issuer_key, &intermediate.key,
                  &intermediate.certificate);
    issuer = intermediate.certificate.get();
    issuer_key = intermediate.key.get();
  } else if (request.self_signed) {
    issuer = nullptr;
    issuer_key = key.get();
  }
  const CertificatePtr certificate =
      MakeCertificate(name, key.get(), issuer, request.begins, request.ends);
  AddExtension(certificate.get(),
               issuer == nullptr ? certificate.get() : issuer,
               NID_basic_constraints, "CA:FALSE");
  if (!request.names.empty()) {
    AddExtension(certificate.get(), issuer, NID_subject_alt_name,
                 request.names);
  }
  EXPECT_GT(X509_sign(certificate.get(), issuer_key, EVP_sha256()), 0);
  CertificateFiles files;
  files.certificate = directory_.File(absl::StrCat(name, ".pem"));
  files.key = directory_.File(absl::StrCat(name, ".key"));
  Replace(files.key, PemOf(key.get(), request.passphrase));
  std::string chain = PemOf(certificate.get());
  if (request.through_intermediate) {
    chain += PemOf(intermediate.certificate.get());
  }
  Replace(files.certificate, chain);
  return files;
}

}  // namespace support
}  // namespace gearman
