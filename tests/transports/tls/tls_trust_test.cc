// TLS: who is trusted and who is not, and what a person is told. (Files that
// can't be used: tls_files_test.cc.)
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client_options.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/tls_peer.h"
#include "gearman/tests/support/tls_terminator.h"
#include "gearman/tests/transports/tls/tls_fixture.h"
#include "gearman/transports/tls/tls_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A server that does `script` with the bytes of one connection.
template <typename Script>
class PlainPeer {
 public:
  explicit PlainPeer(Script script)
      : thread_([this, script] {
          auto connection = listener_.Accept();
          ASSERT_TRUE(connection.ok()) << connection.status();
          script(*connection);
        }) {}
  ~PlainPeer() { thread_.join(); }
  std::string address() const {
    return absl::StrCat("tls://127.0.0.1:", listener_.port());
  }

 private:
  support::RawListener listener_;
  std::thread thread_;
};

// Sets an environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    EXPECT_EQ(setenv(name, value.c_str(), 1), 0);
  }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

// --- trusted

TEST_F(TlsTest, CarriesWhatATrustedServerSays) {
  const auto client = MakeClient(Serve());
  const auto echo = client->Echo(std::string(1 << 20, 'x'));
  ASSERT_TRUE(echo.ok()) << echo.status();
  EXPECT_EQ(echo->data.size(), size_t{1} << 20);
}

TEST_F(TlsTest, TrustsACaInAFolder) {
  const std::string address = Serve();
  client_options_ = TlsOptions();
  client_options_.ca_folder = certificates_.ca_folder();
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, TrustsACaInMemory) {
  const std::string address = Serve();
  client_options_ = TlsOptions();
  client_options_.ca_pem = certificates_.ca_pem();
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, TrustsTheCasOfTheSystemWhenNoneIsGiven) {
  const std::string address = Serve();
  client_options_ = TlsOptions();
  // Where OpenSSL finds them.
  const Variable file("SSL_CERT_FILE", certificates_.ca_file());
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, DoesNotTrustTheCasOfTheSystemWhenOthersAreGiven) {
  support::TestCertificates others("Somebody else's CA");
  const std::string address = Serve();
  client_options_.ca_file = others.ca_file();
  const Variable file("SSL_CERT_FILE", certificates_.ca_file());
  ExpectUntrusted(address, "the unknown issuer \"CN=Test CA\"");
}

TEST_F(TlsTest, FollowsTheChainThatAServerSends) {
  CertificateRequest request;
  request.through_intermediate = true;
  const std::string address = Serve(request);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, TrustsAServersOwnCertificateWhenItIsGiven) {
  for (const bool self_signed : {true, false}) {
    CertificateRequest request;
    request.self_signed = self_signed;
    const CertificateFiles files = certificates_.Make("server", request);
    const std::string address = Serve(ServerOptions(files));
    client_options_.ca_file = files.certificate;
    EXPECT_TRUE(Ask(address).ok()) << Ask(address);
  }
}

TEST_F(TlsTest, VerifiesTheNameOfTheHost) {
  const std::string address = WithHost(Serve(), "localhost");
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, VerifiesACompleteNameOfTheDnsWithoutItsDot) {
  const std::string address = Serve();
  client_options_.server_name = "localhost.";
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, TellsTheServerItsNameButNoIpAddress) {
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    std::string hello;
    {
      const PlainPeer peer([&](support::RawConnection& connection) {
        const std::string header = *connection.Receive(5);
        hello = *connection.Receive(static_cast<unsigned char>(header[3]) *
                                        size_t{256} +
                                    static_cast<unsigned char>(header[4]));
      });
      EXPECT_FALSE(Ask(WithHost(peer.address(), host)).ok());
    }
    EXPECT_EQ(absl::StrContains(hello, host), host == "localhost") << host;
  }
}

TEST_F(TlsTest, VerifiesAnIpAddressOfVersion6) {
  CertificateRequest request;
  request.names = "IP:::1";
  const TlsServerOptions options =
      ServerOptions(certificates_.Make("server", request));
  const std::string address = Serve(options, "tls://[::1]:0");
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
  request.names = "IP:::2";
  certificates_.Make("server", request);
  ExpectUntrusted(address,
                  "the name 0:0:0:0:0:0:0:1 is not in its certificate,"
                  " which is for 0:0:0:0:0:0:0:2");
}

// The zone of an address is a name of this machine, which no certificate has.
TEST_F(TlsTest, VerifiesAnIpAddressWithoutItsZone) {
  CertificateRequest request;
  request.names = "IP:::1";
  const std::string address = Serve(
      ServerOptions(certificates_.Make("server", request)), "tls://[::1]:0");
  EXPECT_TRUE(Ask(WithHost(address, "[::1%1]")).ok())
      << Ask(WithHost(address, "[::1%1]"));
}

TEST_F(TlsTest, MayVerifyAnotherNameThanTheHosts) {
  CertificateRequest request;
  request.names = "DNS:jobs.example";
  const std::string address = Serve(request);
  client_options_.server_name = "jobs.example";
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, TakesAnyCertificateWhenVerificationIsSkipped) {
  CertificateRequest request;
  request.self_signed = true;
  request.names = "DNS:jobs.example";
  request.begins = -absl::Hours(30);
  request.ends = -absl::Hours(1);
  const std::string address = Serve(request);
  client_options_.dangerously_skip_verification = true;
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, ShowsAClientCertificateToWhoWantsOne) {
  const std::string address = Serve(MutualOptions());
  UseIdentity(certificates_.Make("client"), &client_options_);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, TakesCertificateAndKeyFromOneFile) {
  const std::string address = Serve(MutualOptions());
  const CertificateFiles files = certificates_.Make("client");
  std::ofstream(files.certificate, std::ios::app)
      << std::ifstream(files.key).rdbuf();
  client_options_.identity.certificate_file = files.certificate;
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, OpensAnEncryptedKeyWithItsPassphrase) {
  const std::string address = Serve(MutualOptions());
  CertificateRequest request;
  request.passphrase = "open sesame";
  UseIdentity(certificates_.Make("client", request), &client_options_);
  client_options_.identity.passphrase = [] {
    return std::string("open sesame");
  };
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
  client_options_.identity.passphrase = nullptr;
  client_options_.identity.passphrase_variable = "GEARMAN_TEST_PASSPHRASE";
  const Variable variable("GEARMAN_TEST_PASSPHRASE", "open sesame");
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, HonoursTheVariablesOfLibgearman) {
  const std::string address = Serve(MutualOptions());
  const CertificateFiles files = certificates_.Make("client");
  const Variable ca("GEARMAND_CA_CERTIFICATE", certificates_.ca_file());
  const Variable certificate("GEARMAN_CLIENT_PEM", files.certificate);
  const Variable key("GEARMAN_CLIENT_KEY", files.key);
  client_options_ = TlsOptions();
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

TEST_F(TlsTest, PrefersItsOptionsToTheVariablesOfLibgearman) {
  support::TestCertificates others("Somebody else's CA");
  const std::string address = Serve(MutualOptions());
  const CertificateFiles foreign = others.Make("client");
  const Variable ca("GEARMAND_CA_CERTIFICATE", others.ca_file());
  const Variable certificate("GEARMAN_CLIENT_PEM", foreign.certificate);
  const Variable key("GEARMAN_CLIENT_KEY", foreign.key);
  UseIdentity(certificates_.Make("client"), &client_options_);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

// --- certificates that are not trusted

TEST_F(TlsTest, AnExpiredCertificateIsNamedWithItsDate) {
  CertificateRequest request;
  request.begins = -absl::Hours(30);
  request.ends = -absl::Hours(1);
  ExpectUntrusted(Serve(request), "its certificate expired on ");
}

TEST_F(TlsTest, ACertificateOfTheFutureIsNamedWithItsDate) {
  CertificateRequest request;
  request.begins = absl::Hours(1);
  ExpectUntrusted(Serve(request), "its certificate is not valid before ");
}

TEST_F(TlsTest, AWrongHostIsToldWhatTheCertificateIsFor) {
  CertificateRequest request;
  request.names = "DNS:jobs.example,IP:10.0.0.7";
  ExpectUntrusted(WithHost(Serve(request), "localhost"),
                  "the name localhost is not in its certificate, which is for "
                  "jobs.example, 10.0.0.7");
}

TEST_F(TlsTest, TheNamesOfAWrongCertificateAreShownSafely) {
  CertificateRequest request;
  request.names = "DNS:evil\x1b[2Jexample";
  for (int i = 0; i < 30; ++i) {
    request.names += absl::StrCat(",DNS:n", i, ".example");
  }
  ExpectUntrusted(Serve(request),
                  "which is for evil\\x1b[2Jexample, n0.example");
  ExpectUntrusted(server_->addresses()[0], " and 23 more");
}

TEST_F(TlsTest, AWrongIpAddressIsToldWhatTheCertificateIsFor) {
  CertificateRequest request;
  request.names = "DNS:localhost";
  ExpectUntrusted(Serve(request),
                  "the name 127.0.0.1 is not in its certificate, which is for "
                  "localhost");
}

TEST_F(TlsTest, ANameInTheSubjectAloneDoesNotCount) {
  CertificateRequest request;
  request.names = "";
  const std::string address =
      Serve(ServerOptions(certificates_.Make("localhost", request)));
  ExpectUntrusted(WithHost(address, "localhost"), "needs a subjectAltName");
}

TEST_F(TlsTest, AnUnknownCaIsNamed) {
  support::TestCertificates others("Somebody else's CA");
  ExpectUntrusted(Serve(ServerOptions(others.Make("server"))),
                  "the unknown issuer \"CN=Somebody else's CA\"");
}

TEST_F(TlsTest, ASelfSignedCertificateIsCalledSo) {
  CertificateRequest request;
  request.self_signed = true;
  ExpectUntrusted(Serve(request), "self-signed");
}

// --- servers that do not trust us

// Trap 51: with TLS 1.3 the handshake looks good to the client.
TEST_F(TlsTest, AMissingClientCertificateIsToldInEachVersion) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    support::TlsPeerOptions options;
    options.files = certificates_.Make("server");
    options.client_ca_file = certificates_.ca_file();
    options.max_version = version;
    const support::TlsPeer peer(options, [](SSL* ssl) {
      EXPECT_FALSE(SSL_is_init_finished(ssl));
      support::ReceiveSome(ssl, 1);
    });
    ExpectUntrusted(peer.address(), "client certificate");
  }
}

// The alert of a server may be here before our first packet leaves, and its end
// with it. Some servers have no alert, and just hang up.
TEST_F(TlsTest, AMissingClientCertificateIsToldThoughTheServerHangsUp) {
  const support::RawListener nobody;
  const support::TlsTerminator terminator(
      nobody.port(), certificates_.Make("server"), certificates_.ca_file());
  ASSERT_TRUE(terminator.ok());
  ExpectUntrusted(terminator.address(), "client certificate");
}

TEST_F(TlsTest, AMissingClientCertificateIsToldThoughVerificationIsSkipped) {
  client_options_ = TlsOptions();
  client_options_.dangerously_skip_verification = true;
  ExpectUntrusted(Serve(MutualOptions()), "client certificate");
}

TEST_F(TlsTest, AClientCertificateOfAnotherCaIsRefused) {
  support::TestCertificates others("Somebody else's CA");
  const std::string address = Serve(MutualOptions());
  UseIdentity(others.Make("client"), &client_options_);
  ExpectUntrusted(address, "refuses our certificate");
}

TEST_F(TlsTest, AnExpiredClientCertificateIsRefused) {
  const std::string address = Serve(MutualOptions());
  CertificateRequest request;
  request.begins = -absl::Hours(30);
  request.ends = -absl::Hours(1);
  UseIdentity(certificates_.Make("client", request), &client_options_);
  ExpectUntrusted(address, "refuses our certificate");
}

// --- servers that speak something else, or nothing

TEST_F(TlsTest, AServerWithoutAVersionInCommonIsToldApart) {
  support::TlsPeerOptions options;
  options.files = certificates_.Make("server");
  options.max_version = TLS1_1_VERSION;
  const support::TlsPeer old(options, [](SSL*) {});
  ExpectUntrusted(old.address(), "no version of TLS in common");
  options.max_version = TLS1_2_VERSION;
  const support::TlsPeer older(options, [](SSL*) {});
  client_options_.min_version = TlsVersion::kTls13;
  ExpectUntrusted(older.address(), "no version of TLS in common");
}

// Trap 50.
TEST_F(TlsTest, AServerThatSpeaksPlainTcpGetsNoPlainByte) {
  std::string received;
  {
    const PlainPeer peer([&](support::RawConnection& connection) {
      received = *connection.Receive(1);
      EXPECT_TRUE(connection.Send("ERR unknown command\r\n").ok());
      received += *connection.ReceiveUntilClosed();
    });
    ExpectUntrusted(peer.address(), "it speaks plain TCP, not TLS");
  }
  // The record of a handshake, and no packet.
  EXPECT_EQ(received[0], '\x16');
  EXPECT_THAT(received, Not(HasSubstr("REQ")));
}

TEST_F(TlsTest, AServerThatHangsUpAtTheHandshakeSeemsToSpeakPlainTcp) {
  const PlainPeer peer([](support::RawConnection& connection) {
    connection.Receive(1).status().IgnoreError();
    connection.ShutdownWrite();
    connection.ReceiveUntilClosed().status().IgnoreError();
  });
  ExpectUntrusted(peer.address(), "seems to speak plain TCP");
}

// A server that is being stopped does this. It may be back at once.
TEST_F(TlsTest, AServerThatResetsTheHandshakeIsUnavailable) {
  const PlainPeer peer([](support::RawConnection& connection) {
    connection.Receive(1).status().IgnoreError();
    connection.Reset();
  });
  const absl::Status status = Ask(peer.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("does it speak TLS?"));
}

TEST_F(TlsTest, AServerThatClosesInTheHandshakeIsUnavailable) {
  const PlainPeer peer([](support::RawConnection& connection) {
    connection.Receive(1).status().IgnoreError();
    // The beginning of a server's answer.
    EXPECT_TRUE(
        connection.Send(std::string("\x16\x03\x03\0\x7a\x02\0\0\x76", 9)).ok());
    connection.ShutdownWrite();
    connection.ReceiveUntilClosed().status().IgnoreError();
  });
  const absl::Status status = Ask(peer.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("closed the connection in the TLS handshake"));
}

// Debian's takes the option, and has no TLS.
TEST_F(TlsTest, ARealGearmandWithoutTlsIsToldApart) {
  support::GearmandProcess gearmand({"--ssl"});
  ASSERT_TRUE(gearmand.ok());
  ExpectUntrusted(absl::StrCat("tls://127.0.0.1:", gearmand.port()),
                  "seems to speak plain TCP");
}

TEST_F(TlsTest, AServerThatNeverAnswersEndsByTheLimitOfConnecting) {
  const support::RawListener listener;
  ClientOptions options;
  options.connect_timeout = absl::Milliseconds(100);
  const absl::Status status =
      Ask(absl::StrCat("tls://127.0.0.1:", listener.port()), options);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("connect_timeout"));
}

TEST_F(TlsTest, AServerThatNeverAnswersEndsByTheCallsDeadline) {
  const support::RawListener listener;
  const auto client =
      MakeClient(absl::StrCat("tls://127.0.0.1:", listener.port()));
  CallOptions options;
  options.timeout = absl::Milliseconds(100);
  const absl::Status status = client->Run("task", "data", options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

}  // namespace
}  // namespace gearman
