// TestCertificates: a CA of a test's own, and certificates that it signs, as
// files in a folder that is gone with the test.
//
// Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_TEST_CERTIFICATES_H_
#define GEARMAN_TESTS_SUPPORT_TEST_CERTIFICATES_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gearman/tests/support/test_directory.h"

namespace gearman {
namespace support {

// Where a certificate and its key are.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

struct CertificateRequest {
  // subjectAltName: "DNS:localhost,IP:127.0.0.1".
  std::string names = "DNS:localhost,IP:127.0.0.1";
  absl::Duration begins = -absl::Hours(1);  // from now
  absl::Duration ends = absl::Hours(24);
  bool self_signed = false;
  // Signed by another CA, which the CA has signed; its certificate follows in
  // the file.
  bool through_intermediate = false;
  // Encrypts the key, unless it is empty.
  std::string passphrase;
};

class TestCertificates {
 public:
  // Makes a CA called `name`. A failure is a failure of the running test.
  explicit TestCertificates(const std::string& name = "Test CA");
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  const std::string& ca_file() const { return ca_file_; }
  // The CA's certificate itself.
  const std::string& ca_pem() const { return ca_pem_; }
  // A folder with just the CA's certificate, under the name that OpenSSL looks
  // for (as c_rehash makes it).
  const std::string& ca_folder() const { return ca_folder_; }
  // Makes a certificate, in files called after `name`. Files that are there are
  // replaced, each at once.
  CertificateFiles Make(const std::string& name,
                        const CertificateRequest& request = {});

 private:
  struct Ca;

  TestDirectory directory_;
  std::unique_ptr<Ca> ca_;
  std::string ca_file_;
  std::string ca_folder_;
  std::string ca_pem_;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_TEST_CERTIFICATES_H_
