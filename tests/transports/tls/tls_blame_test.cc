// Connections that end without an answer: what a person is told of a terminator
// whose server is down, and of a server of TLS at a tcp:// address.
#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/tls_peer.h"
#include "gearman/tests/support/tls_terminator.h"
#include "gearman/tests/transports/tls/tls_fixture.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A terminator takes a connection before it has one to its own server.
TEST_F(TlsTest, ATerminatorWhoseServerIsDownIsToldApartFromACertificate) {
  const support::ReservedPort nobody;
  const CertificateFiles files = certificates_.Make("server");
  const support::TlsTerminator terminator(nobody.port(), files);
  ASSERT_TRUE(terminator.ok());
  absl::Status status = Ask(terminator.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("it may be that it is a TLS terminator (stunnel, "
                              "socat, HAProxy) whose server is down"),
                    Not(HasSubstr("certificate"))));
  // The peer could be either where certificates are wanted.
  UseIdentity(certificates_.Make("client"), &client_options_);
  const support::TlsTerminator verifying(nobody.port(), files,
                                         certificates_.ca_file());
  ASSERT_TRUE(verifying.ok());
  status = Ask(verifying.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("it may not trust our certificate, or it is a TLS "
                        "terminator"));
}

TEST_F(TlsTest, AGoodbyeInThePlaceOfAnAnswerIsToldLikeIt) {
  support::TlsPeerOptions options;
  options.files = certificates_.Make("server");
  // The client tries twice.
  const support::TlsPeer peer(
      options, [](SSL* ssl) { SSL_shutdown(ssl); }, /*connections=*/2);
  const absl::Status status = Ask(peer.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("whose server is down"));
}

// --- plain TCP to a server of TLS

// Returns the statuses of a client and an admin client of this port without
// TLS.
std::vector<absl::Status> AskWithoutTls(uint16_t port) {
  auto transports = std::make_shared<TransportRegistry>();
  EXPECT_TRUE(
      transports->Register("tcp", std::make_shared<TcpTransportFactory>())
          .ok());
  const std::string address = absl::StrCat("tcp://127.0.0.1:", port);
  ClientOptions options;
  options.servers = {address};
  options.transports = transports;
  auto client = Client::Create(options);
  EXPECT_TRUE(client.ok()) << client.status();
  AdminClientOptions admin_options;
  admin_options.server = address;
  admin_options.transports = transports;
  auto admin = AdminClient::Create(admin_options);
  EXPECT_TRUE(admin.ok()) << admin.status();
  return {(*client)->Echo("hello").status(), (*admin)->GetVersion().status()};
}

TEST_F(TlsTest, ARealServerOfTlsIsNamedToAPlainClient) {
  const support::RawListener nobody;
  const support::TlsTerminator terminator(nobody.port(),
                                          certificates_.Make("server"));
  ASSERT_TRUE(terminator.ok());
  for (const absl::Status& status : AskWithoutTls(terminator.port())) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("it has sent no byte; if it speaks TLS, its address "
                          "begins with tls://"));
  }
}

// GnuTLS, among others, does this.
TEST_F(TlsTest, AServerOfTlsThatSendsAnAlertIsNamedToAPlainClient) {
  support::RawListener listener;
  std::atomic<bool> enough{false};
  std::thread peer([&] {
    for (;;) {
      auto connection = listener.Accept();
      ASSERT_TRUE(connection.ok()) << connection.status();
      if (enough) return;
      connection->Receive(1).status().IgnoreError();
      EXPECT_TRUE(
          connection->Send(std::string("\x15\x03\x03\0\2\2\x0a", 7)).ok());
      connection->ShutdownWrite();
      connection->ReceiveUntilClosed().status().IgnoreError();
    }
  });
  for (const absl::Status& status : AskWithoutTls(listener.port())) {
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("this is TLS, for which addresses begin with "
                          "tls://"));
  }
  enough = true;
  // Ends its wait.
  support::RawConnection::Connect(listener.port()).status().IgnoreError();
  peer.join();
}

}  // namespace
}  // namespace gearman
