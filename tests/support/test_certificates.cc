#include "gearman/tests/support/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <memory>

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

void WriteKey(const std::string& path, EVP_PKEY* key,
              const std::string& passphrase) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(PEM_write_PKCS8PrivateKey(
                file, key, passphrase.empty() ? nullptr : EVP_aes_256_cbc(),
                passphrase.data(), static_cast<int>(passphrase.size()), nullptr,
                nullptr),
            1);
  std::fclose(file);
}

void WriteCertificate(const std::string& path, X509* certificate) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(PEM_write_X509(file, certificate), 1);
  std::fclose(file);
}

}  // namespace

struct TestCertificates::Ca {
  KeyPtr key;
  CertificatePtr certificate;
};

TestCertificates::TestCertificates(const std::string& name) : ca_(new Ca) {
  ca_->key = MakeKey();
  ca_->certificate = MakeCertificate(name, ca_->key.get(), nullptr,
                                     -absl::Hours(48), absl::Hours(48));
  X509* const ca = ca_->certificate.get();
  AddExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(ca, ca, NID_subject_key_identifier, "hash");
  EXPECT_GT(X509_sign(ca, ca_->key.get(), EVP_sha256()), 0);
  ca_file_ = absl::StrCat(directory_.path(), "/ca.pem");
  WriteCertificate(ca_file_, ca);
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, ca);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT
  ca_pem_.assign(data, static_cast<size_t>(size));
  BIO_free(bio);
}

TestCertificates::~TestCertificates() { delete ca_; }

CertificateFiles TestCertificates::Make(const std::string& name,
                                        const CertificateRequest& request) {
  const KeyPtr key = MakeKey();
  X509* const issuer = request.self_signed ? nullptr : ca_->certificate.get();
  EVP_PKEY* const issuer_key = request.self_signed ? key.get() : ca_->key.get();
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
  files.certificate = absl::StrCat(directory_.path(), "/", name, ".pem");
  files.key = absl::StrCat(directory_.path(), "/", name, ".key");
  WriteKey(files.key, key.get(), request.passphrase);
  WriteCertificate(files.certificate, certificate.get());
  return files;
}

}  // namespace support
}  // namespace gearman
