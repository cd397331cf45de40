// TLS connections driven by hand: sessions, files that change, ends, and what
// waits for what.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/types/span.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/tls_peer.h"
#include "gearman/tests/transports/tls/tls_fixture.h"
#include "gearman/transports/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

constexpr size_t kEchoBytes = 13;

support::TlsPeerOptions PeerOptions(const CertificateFiles& files,
                                    int max_version = 0) {
  support::TlsPeerOptions options;
  options.files = files;
  options.max_version = max_version;
  return options;
}

support::TlsPeerOptions VerifyingPeerOptions(
    support::TestCertificates& certificates, int version) {
  support::TlsPeerOptions options =
      PeerOptions(certificates.Make("server"), version);
  options.client_ca_file = certificates.ca_file();
  return options;
}

// Sends back what comes, unless the handshake has failed, and then waits until
// the client has gone.
void EchoOnce(SSL* ssl) {
  if (SSL_is_init_finished(ssl) != 1) return;
  support::SendAll(ssl, support::ReceiveSome(ssl, kEchoBytes));
  support::ReceiveSome(ssl, 1);
}

// --- sessions

TEST_F(TlsStreamTest, EachFurtherConnectionResumesASessionOfTheOneBefore) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::atomic<int> resumed_there{0};
    const support::TlsPeer peer(
        PeerOptions(certificates_.Make("server"), version),
        [&](SSL* ssl) {
          EXPECT_EQ(SSL_version(ssl), version);
          resumed_there += SSL_session_reused(ssl);
          support::SendAll(ssl, support::ReceiveSome(ssl, kEchoBytes));
          // Until the client has gone.
          support::ReceiveSome(ssl, 1);
        },
        /*connections=*/5);
    int resumed_here = 0;
    for (int i = 0; i < 5; ++i) {
      const auto transport = Connect(peer.address());
      resumed_here += Resumed(*transport) ? 1 : 0;
      Echo(*transport);
    }
    EXPECT_EQ(resumed_here, 4) << version;
    EXPECT_EQ(resumed_there, 4) << version;
  }
}

// How a connection ends says nothing of whether its server resumes sessions.
TEST_F(TlsStreamTest, ASessionIsResumedAfterAConnectionThatWasCut) {
  constexpr int kConnections = 5;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::atomic<int> resumed_there{0};
    const support::TlsPeer peer(
        PeerOptions(certificates_.Make("server"), version),
        [&](SSL* ssl) {
          resumed_there += SSL_session_reused(ssl);
          support::SendAll(ssl, support::ReceiveSome(ssl, kEchoBytes));
          // The socket is closed without TLS's goodbye.
        },
        kConnections);
    for (int i = 0; i < kConnections; ++i) {
      const auto transport = Connect(peer.address());
      EXPECT_EQ(Resumed(*transport), i > 0) << version << " " << i;
      Echo(*transport);
      char byte;
      const IoResult end = ReadSome(*transport, absl::MakeSpan(&byte, 1));
      EXPECT_TRUE(end.failed());
      EXPECT_THAT(std::string(end.status.message()), HasSubstr("goodbye"));
    }
    EXPECT_EQ(resumed_there, kConnections - 1) << version;
  }
}

// Socat is such a server. It verifies clients, and then OpenSSL resumes no
// session without a setting that socat does not make.
TEST_F(TlsStreamTest, AServerThatFailsAtResumingIsOfferedNoSessionAgain) {
  UseIdentity(certificates_.Make("client"), &client_options_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const support::TlsPeer peer(VerifyingPeerOptions(certificates_, version),
                                EchoOnce, /*connections=*/4);
    Echo(*Connect(peer.address()));
    std::unique_ptr<Transport> transport;
    const absl::Status refused = TryToConnect(peer.address(), &transport);
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr("the next connection resumes none"));
    for (int i = 0; i < 2; ++i) Echo(*Connect(peer.address()));
  }
}

// Nothing may be said of the certificate then, which was not verified.
TEST_F(TlsStreamTest, NorDoesOneThatVerifiesNothingFailAtResumingAgain) {
  support::TestCertificates others("Somebody else's CA");
  client_options_.ca_file = others.ca_file();
  client_options_.dangerously_skip_verification = true;
  UseIdentity(certificates_.Make("client"), &client_options_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const support::TlsPeer peer(VerifyingPeerOptions(certificates_, version),
                                EchoOnce, /*connections=*/5);
    Echo(*Connect(peer.address()));
    std::unique_ptr<Transport> transport;
    const absl::Status refused = TryToConnect(peer.address(), &transport);
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
    for (int i = 0; i < 3; ++i) Echo(*Connect(peer.address()));
  }
}

TEST_F(TlsStreamTest, OneServersSessionIsNotAnothers) {
  const std::string address = Serve();
  Echo(*Connect(address));
  EXPECT_FALSE(Resumed(*Connect(WithHost(address, "localhost"))));
  EXPECT_TRUE(Resumed(*Connect(address)));
}

TEST_F(TlsStreamTest, AServerThatForgotTheSessionsIsConnectedAnew) {
  const CertificateFiles files = certificates_.Make("server");
  const std::string address = Serve(ServerOptions(files));
  Echo(*Connect(address));
  server_->Stop();
  server_ = nullptr;
  JobServerOptions options;
  options.transports = Transports(TlsOptions(), ServerOptions(files));
  auto server = JobServer::Create(std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  const auto again = (*server)->Listen(address);
  ASSERT_TRUE(again.ok()) << again.status();
  const auto transport = Connect(address);
  EXPECT_FALSE(Resumed(*transport));
  Echo(*transport);
}

// A resumed session skips the verification of the certificate. A client that no
// longer trusts the certificate must not resume.
TEST_F(TlsStreamTest, NoSessionIsResumedThatWasMadeUnderOtherFiles) {
  const std::string address = Serve();
  support::TestDirectory directory;
  client_options_.ca_file = directory.Write("ca.pem", certificates_.ca_pem());
  const auto before = Connect(address);
  Echo(*before);
  const auto late = Connect(address);
  EXPECT_TRUE(Resumed(*late));
  support::TestCertificates others("Somebody else's CA");
  directory.Write("ca.pem", certificates_.ca_pem() + others.ca_pem());
  EXPECT_FALSE(Resumed(*Connect(address)));
  // Not even by a ticket that comes only now.
  poller_->Forget(kKey);
  Echo(*late);
  EXPECT_FALSE(Resumed(*Connect(address)));
  directory.Write("ca.pem", others.ca_pem());
  ExpectUntrusted(address, "unknown issuer");
}

// --- files that change

TEST_F(TlsStreamTest, FilesThatHaveChangedAreReadAgainForNewConnections) {
  const CertificateFiles files = certificates_.Make("server");
  const std::string address = Serve(ServerOptions(files));
  const auto live = Connect(address);
  Echo(*live);
  CertificateRequest request;
  request.names = "DNS:renamed.example";
  certificates_.Make("server", request);
  ExpectUntrusted(address, "renamed.example");
  // The live connection goes on with what it was made with.
  Echo(*live);
}

TEST_F(TlsStreamTest, AClientsCertificateIsReadAgainToo) {
  const std::string address = Serve(MutualOptions());
  const CertificateFiles files = certificates_.Make("client");
  UseIdentity(files, &client_options_);
  const auto live = Connect(address);
  Echo(*live);
  support::TestCertificates others("Somebody else's CA");
  const CertificateFiles foreign = others.Make("client");
  ASSERT_EQ(std::rename(foreign.key.c_str(), files.key.c_str()), 0);
  ASSERT_EQ(std::rename(foreign.certificate.c_str(), files.certificate.c_str()),
            0);
  const auto refused = Connect(address);
  char buffer[100];
  const IoResult result = ReadSome(*refused, absl::MakeSpan(buffer));
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnauthenticated)
      << result.status;
  poller_->Forget(kKey);
  Echo(*live);
}

TEST_F(TlsStreamTest, FilesThatDoNotFitTogetherYetLeaveTheOldOnesInUse) {
  const CertificateFiles files = certificates_.Make("server");
  const std::string address = Serve(ServerOptions(files));
  Echo(*Connect(address));
  CertificateRequest request;
  request.names = "DNS:localhost,IP:127.0.0.1,DNS:renewed.example";
  const CertificateFiles fresh = certificates_.Make("fresh", request);
  ASSERT_EQ(std::rename(fresh.certificate.c_str(), files.certificate.c_str()),
            0);
  client_options_.server_name = "renewed.example";
  ExpectUntrusted(address, "renewed.example is not in its certificate");
  ASSERT_EQ(std::rename(fresh.key.c_str(), files.key.c_str()), 0);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
  ASSERT_EQ(std::remove(files.key.c_str()), 0);
  EXPECT_TRUE(Ask(address).ok()) << Ask(address);
}

// --- ends

TEST_F(TlsStreamTest, AGoodbyeIsTheEndOfTheStream) {
  const support::TlsPeer peer(PeerOptions(certificates_.Make("server")),
                              [](SSL* ssl) {
                                support::SendAll(ssl, "last words");
                                SSL_shutdown(ssl);
                                support::ReceiveSome(ssl, 1);
                              });
  const auto transport = Connect(peer.address());
  char buffer[100];
  IoResult result = ReadSome(*transport, absl::MakeSpan(buffer));
  EXPECT_EQ(absl::string_view(buffer, result.bytes), "last words");
  result = ReadSome(*transport, absl::MakeSpan(buffer));
  EXPECT_TRUE(result.closed()) << result.status;
  transport->Close();
}

TEST_F(TlsStreamTest, AnEndWithoutAGoodbyeIsACut) {
  const support::TlsPeer peer(
      PeerOptions(certificates_.Make("server")),
      [](SSL* ssl) { support::SendAll(ssl, "half a messa"); });
  const auto transport = Connect(peer.address());
  char buffer[100];
  IoResult result = ReadSome(*transport, absl::MakeSpan(buffer));
  EXPECT_EQ(absl::string_view(buffer, result.bytes), "half a messa");
  result = ReadSome(*transport, absl::MakeSpan(buffer));
  EXPECT_TRUE(result.failed());
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(result.status.message()),
              HasSubstr("the stream was cut off"));
}

TEST_F(TlsStreamTest, ACloseSaysGoodbye) {
  absl::Notification ended;
  int shutdown = 0;
  const support::TlsPeer peer(PeerOptions(certificates_.Make("server")),
                              [&](SSL* ssl) {
                                EXPECT_EQ(support::ReceiveSome(ssl, 100), "");
                                shutdown = SSL_get_shutdown(ssl);
                                ended.Notify();
                              });
  const auto transport = Connect(peer.address());
  poller_->Forget(kKey);
  transport->Close();
  ASSERT_TRUE(ended.WaitForNotificationWithTimeout(support::kBound));
  EXPECT_EQ(shutdown & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  char buffer[1];
  EXPECT_TRUE(transport->Read(absl::MakeSpan(buffer)).closed());
}

// The peer's alert came, and its end; what we write then fails, but what is
// told is the alert.
TEST_F(TlsStreamTest, ARefusalIsToldThoughItIsAWriteThatFails) {
  const std::string address = Serve(MutualOptions());
  const auto transport = Connect(address);
  ASSERT_TRUE(Await(*transport));
  IoResult result = WriteSome(*transport, "x");
  while (!result.failed()) result = WriteSome(*transport, "x");
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnauthenticated)
      << result.status;
  EXPECT_THAT(std::string(result.status.message()),
              HasSubstr("client certificate"));
}

// --- pieces

TEST_F(TlsStreamTest, ManySmallPiecesShareARecord) {
  std::string received(20000, '\0');
  const support::TlsPeer peer(
      PeerOptions(certificates_.Make("server")), [&](SSL* ssl) {
        // One record at most.
        received.resize(static_cast<size_t>(
            SSL_read(ssl, &received[0], static_cast<int>(received.size()))));
        support::SendAll(ssl, "x");
      });
  const auto transport = Connect(peer.address());
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.push_back(absl::StrCat("piece ", i));
  const std::vector<absl::string_view> pieces(texts.begin(), texts.end());
  std::string all;
  for (const std::string& text : texts) all += text;
  EXPECT_EQ(transport->Write(pieces).bytes, all.size());
  char buffer[1];
  EXPECT_TRUE(ReadSome(*transport, absl::MakeSpan(buffer)).done());
  EXPECT_EQ(received, all);
}

// A caller that had to wait passes the rest again, from another place in memory
// and in other pieces.
TEST_F(TlsStreamTest, WhatHadToWaitGoesOnWhereItStopped) {
  const size_t size = size_t{16} << 20;
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 131 >> 3);
  absl::Notification may_read;
  std::string received;
  const support::TlsPeer peer(PeerOptions(certificates_.Make("server")),
                              [&](SSL* ssl) {
                                may_read.WaitForNotification();
                                received = support::ReceiveSome(ssl, size);
                                support::SendAll(ssl, received);
                              });
  const auto transport = Connect(peer.address());
  size_t written = 0;
  size_t times_blocked = 0;
  while (written < size) {
    const std::string moved = data.substr(written, size_t{3} << 20);
    const size_t cut = moved.size() % 7 * 100;
    const std::vector<absl::string_view> pieces = {
        absl::string_view(moved).substr(0, cut),
        absl::string_view(moved).substr(cut)};
    const IoResult result = transport->Write(pieces);
    ASSERT_FALSE(result.failed()) << result.status;
    written += result.bytes;
    if (!result.would_block()) continue;
    if (++times_blocked == 1) may_read.Notify();
    ASSERT_TRUE(transport->interest(true).write);
    ASSERT_TRUE(Await(*transport, /*want_write=*/true));
  }
  EXPECT_GT(times_blocked, 0u);
  std::string back(size, '\0');
  for (size_t got = 0; got < size;) {
    const IoResult result =
        ReadSome(*transport, absl::MakeSpan(&back[got], size - got));
    ASSERT_TRUE(result.done()) << result.status;
    got += result.bytes;
  }
  EXPECT_TRUE(received == data);
  EXPECT_TRUE(back == data);
}

}  // namespace
}  // namespace gearman
