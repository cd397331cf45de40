// Files of TLS that can't be used: each is refused when a client is created, or
// when a server begins to listen, with the file, the option and the reason.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/transports/tls/tls_fixture.h"
#include "gearman/transports/tls/tls_context.h"
#include "gearman/transports/tls/tls_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Returns the bytes that OpenSSL writes with `write`, which gets a BIO.
template <typename Write>
std::string Written(Write write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(bio), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

class TlsFilesTest : public TlsTest {
 protected:
  struct Case {
    std::string path;
    std::string reason;
  };

  TlsFilesTest() {
    files_ = certificates_.Make("right");
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    public_key_ = directory_.Write("public.pem", Written([&](BIO* bio) {
                                     return PEM_write_bio_PUBKEY(bio, key);
                                   }));
    X509_REQ* const request = X509_REQ_new();
    X509_REQ_set_pubkey(request, key);
    EXPECT_GT(X509_REQ_sign(request, key, EVP_sha256()), 0);
    request_ = directory_.Write("request.pem", Written([&](BIO* bio) {
                                  return PEM_write_bio_X509_REQ(bio, request);
                                }));
    X509_REQ_free(request);
    der_key_ = directory_.Write("key.der", Written([&](BIO* bio) {
                                  return i2d_PrivateKey_bio(bio, key);
                                }));
    EVP_PKEY_free(key);
  }

  // Files that are wrong in whatever place.
  std::vector<Case> Unusable() {
    const std::string pipe = directory_.File("pipe");
    EXPECT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    std::vector<Case> cases = {
        {"/no/such/file.pem", "there is no such file"},
        {directory_.path(), "it is a folder, not a file"},
        {directory_.Write("empty.pem", ""), "it is empty"},
        {pipe, "it is no regular file"},
        {request_, "but a certificate request, which a CA has yet to sign"},
        {public_key_, "but a public key"},
        {der_key_, "it seems to be DER or PKCS #12"},
        {directory_.Write("nonsense.pem", "certificate: see the wiki"),
         "nothing in it begins with -----BEGIN"},
    };
    const std::string locked = directory_.Write("locked.pem", "secret");
    EXPECT_EQ(chmod(locked.c_str(), 0), 0);
    // A process that the system refuses nothing can read the file.
    if (access(locked.c_str(), R_OK) != 0) {
      cases.push_back({locked, "this process may not read it"});
    }
    return cases;
  }

  // Returns the status of creating a client with `client_options_`.
  absl::Status CreateStatus() {
    ClientOptions options;
    options.servers = {"tls://localhost:4731"};
    options.transports = Transports(client_options_);
    return Client::Create(std::move(options)).status();
  }
  // In words: OpenSSL's numbers help no one.
  static void ExpectRefused(const absl::Status& status,
                            const std::string& option, const Case& expected) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr(expected.path), HasSubstr(absl::StrCat("(", option)),
              HasSubstr(expected.reason), Not(ContainsRegex("error [0-9]")),
              Not(ContainsRegex("[0-9A-F]{8}:"))));
  }
  void ExpectRefused(const std::string& option, const Case& expected) {
    ExpectRefused(CreateStatus(), option, expected);
  }
  // Returns the status of a server that begins to listen.
  absl::Status ListenStatus(const TlsServerOptions& options) {
    JobServerOptions server_options;
    server_options.transports = Transports(TlsOptions(), options);
    auto server = JobServer::Create(std::move(server_options));
    EXPECT_TRUE(server.ok()) << server.status();
    return (*server)->Listen("tls://127.0.0.1:0").status();
  }

  support::TestDirectory directory_;
  CertificateFiles files_;
  std::string public_key_;
  std::string request_;
  std::string der_key_;
};

TEST_F(TlsFilesTest, FilesThatAreRightAreTaken) {
  UseIdentity(files_, &client_options_);
  client_options_.ca_folder = certificates_.ca_folder();
  client_options_.ca_pem = certificates_.ca_pem();
  EXPECT_TRUE(CreateStatus().ok()) << CreateStatus();
}

TEST_F(TlsFilesTest, ACaFileThatCantBeUsedIsToldWhy) {
  std::vector<Case> cases = Unusable();
  cases.push_back({files_.key, "it holds no certificate, but a private key"});
  for (const Case& wrong : cases) {
    client_options_.ca_file = wrong.path;
    ExpectRefused("ca_file", wrong);
    TlsServerOptions server = ServerOptions(files_);
    server.client_ca_file = wrong.path;
    ExpectRefused(ListenStatus(server), "client_ca_file", wrong);
  }
}

TEST_F(TlsFilesTest, ACertificateThatCantBeUsedIsToldWhy) {
  std::vector<Case> cases = Unusable();
  cases.push_back({files_.key, "it holds no certificate, but a private key"});
  for (const Case& wrong : cases) {
    UseIdentity({wrong.path, files_.key}, &client_options_);
    ExpectRefused("identity.certificate_file", wrong);
    ExpectRefused(ListenStatus(ServerOptions({wrong.path, files_.key})),
                  "identity.certificate_file", wrong);
  }
}

TEST_F(TlsFilesTest, AKeyThatCantBeUsedIsToldWhy) {
  std::vector<Case> cases = Unusable();
  cases.push_back(
      {files_.certificate, "it holds no private key, but a certificate"});
  cases.push_back({certificates_.Make("other").key, "the two are no pair"});
  for (const Case& wrong : cases) {
    UseIdentity({files_.certificate, wrong.path}, &client_options_);
    ExpectRefused("identity.key_file", wrong);
    ExpectRefused(ListenStatus(ServerOptions({files_.certificate, wrong.path})),
                  "identity.key_file", wrong);
  }
}

TEST_F(TlsFilesTest, ACertificateWithoutAKeyIsToldWhereTheKeyIsLookedFor) {
  client_options_.identity.certificate_file = files_.certificate;
  ExpectRefused("identity.certificate_file",
                {files_.certificate,
                 "it holds no private key, but a certificate; the key is "
                 "looked for here, as no key_file is given"});
}

TEST_F(TlsFilesTest, AKeyWithoutACertificateIsToldSo) {
  client_options_.identity.key_file = files_.key;
  ExpectRefused("identity.key_file",
                {files_.key, "no certificate is given that it belongs to"});
}

TEST_F(TlsFilesTest, ADamagedCertificateIsToldWithItsNumber) {
  const std::string good = certificates_.ca_pem();
  const std::string cut = good.substr(0, good.size() / 2);
  const std::string nonsense =
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const std::string& bad : {cut, nonsense}) {
    client_options_ = TlsOptions();
    client_options_.ca_file = directory_.Write("bad.pem", bad);
    ExpectRefused("ca_file",
                  {client_options_.ca_file, "certificate 1 in it is damaged"});
    client_options_ = TlsOptions();
    client_options_.ca_pem = good + bad;
    ExpectRefused("ca_pem", {"", "certificate 2 in it is damaged"});
    client_options_ = TlsOptions();
    UseIdentity({directory_.Write("chain.pem", good + bad), files_.key},
                &client_options_);
    ExpectRefused("identity.certificate_file",
                  {client_options_.identity.certificate_file,
                   "certificate 2 in it is damaged"});
  }
  client_options_ = TlsOptions();
  const std::string damaged = directory_.Write(
      "damaged.key",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  UseIdentity({files_.certificate, damaged}, &client_options_);
  ExpectRefused("identity.key_file", {damaged, "its private key is damaged"});
}

TEST_F(TlsFilesTest, NonsenseInMemoryIsToldSo) {
  client_options_ = TlsOptions();
  client_options_.ca_pem = "no certificate";
  ExpectRefused("ca_pem", {"", "nothing in it begins with -----BEGIN"});
}

TEST_F(TlsFilesTest, AFolderWithoutCasIsToldWhatItLacks) {
  const auto expect = [this](const std::string& folder,
                             const std::string& reason) {
    client_options_ = TlsOptions();
    client_options_.ca_folder = folder;
    ExpectRefused("ca_folder", {folder, reason});
  };
  expect("/no/such/folder", "there is no such folder");
  expect(certificates_.ca_file(), "it is no folder");
  // With a certificate, but not by its hash.
  directory_.Write("unhashed/ca.pem", certificates_.ca_pem());
  expect(directory_.File("unhashed"), "run openssl rehash on it");
}

TEST_F(TlsFilesTest, AnEncryptedKeyIsToldWhatItLacks) {
  CertificateRequest request;
  request.passphrase = "open sesame";
  const CertificateFiles files = certificates_.Make("client", request);
  UseIdentity(files, &client_options_);
  const auto expect = [&](const std::string& reason) {
    ExpectRefused("identity.key_file", {files.key, reason});
  };
  const std::string none = "it is encrypted, and there is no passphrase for it";
  expect(none + ": set passphrase or passphrase_variable");
  client_options_.identity.passphrase_variable = "GEARMAN_TEST_NO_SUCH";
  expect(none + ": the environment variable GEARMAN_TEST_NO_SUCH is not set");
  client_options_.identity.passphrase = []() -> std::string {
    throw std::runtime_error("the vault is closed");
  };
  expect(none + ": the function that gives it has thrown");
  client_options_.identity.passphrase = [] {
    return std::string(1 << 20, 'x');
  };
  expect(none + ": what there is, is longer than ");
  client_options_.identity.passphrase = [] {
    return std::string("open wheat");
  };
  expect("it can't be decrypted: is the passphrase right?");
  client_options_.identity.passphrase = [] {
    return std::string("open sesame");
  };
  EXPECT_TRUE(CreateStatus().ok()) << CreateStatus();
}

TEST_F(TlsFilesTest, TheOptionThatIsWrongIsInThePayload) {
  client_options_.ca_file = "/no/such/ca.pem";
  const auto context = std::make_shared<TlsContext>(client_options_);
  const absl::optional<absl::Cord> option =
      context->Check("localhost").GetPayload(kTlsOptionPayload);
  ASSERT_TRUE(option.has_value());
  EXPECT_EQ(std::string(*option), "ca_file");
}

TEST_F(TlsFilesTest, AListenerNeedsACertificate) {
  const absl::Status status = ListenStatus(TlsServerOptions());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("certificate"));
}

// Not looked at again for each client: one factory reads them once.
TEST_F(TlsFilesTest, FilesThatTurnBadLaterDoNotStopWhatHasReadThem) {
  const std::string address = Serve();
  const std::string ca = directory_.Write("ca.pem", certificates_.ca_pem());
  client_options_.ca_file = ca;
  const auto client = MakeClient(address);
  std::ofstream(ca) << "half written";
  EXPECT_TRUE(client->Echo("hello").ok());
  // A new client is told.
  ExpectRefused("ca_file", {ca, "nothing in it begins with"});
}

}  // namespace
}  // namespace gearman
