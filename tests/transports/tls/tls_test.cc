// TLS: who is trusted and who is not, and what a person is told.
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::CertificateFiles;
using support::CertificateRequest;
using support::kBound;
using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
    client_options_.ca_file = certificates_.ca_file();
  }
  ~TlsTest() override {
    if (worker_ != nullptr) worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  static TlsServerOptions ServerOptions(const CertificateFiles& files) {
    TlsServerOptions options;
    options.identity.certificate_file = files.certificate;
    options.identity.key_file = files.key;
    return options;
  }
  static void UseIdentity(const CertificateFiles& files, TlsOptions* options) {
    options->identity.certificate_file = files.certificate;
    options->identity.key_file = files.key;
  }
  // A job server that listens on tls://127.0.0.1; returns the address.
  std::string Serve(TlsServerOptions options) {
    auto transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(transports
                    ->Register("tls", std::make_shared<TlsTransportFactory>(
                                          TlsOptions(), std::move(options)))
                    .ok());
    JobServerOptions server_options;
    server_options.transports = std::move(transports);
    auto server = JobServer::Create(std::move(server_options));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const auto address = server_->Listen("tls://127.0.0.1:0");
    EXPECT_TRUE(address.ok()) << address.status();
    return address.ok() ? *address : "";
  }
  std::string Serve(const CertificateRequest& request = {}) {
    return Serve(ServerOptions(certificates_.Make("server", request)));
  }
  std::unique_ptr<Client> MakeClient(const std::string& address,
                                     ClientOptions options = {}) {
    auto transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(transports
                    ->Register("tls", std::make_shared<TlsTransportFactory>(
                                          client_options_))
                    .ok());
    options.servers = {address};
    options.transports = transports;
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  // What a client is told that asks for an echo.
  absl::Status Ask(const std::string& address) {
    return MakeClient(address)->Echo("hello").status();
  }
  void ExpectUntrusted(const std::string& address, const std::string& why) {
    const absl::Status status = Ask(address);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(address), HasSubstr(why)));
  }
  static std::string WithHost(const std::string& address,
                              const std::string& host) {
    return absl::StrCat("tls://", host, address.substr(address.rfind(':')));
  }

  support::TestCertificates certificates_;
  TlsOptions client_options_;
  std::unique_ptr<EpollPoller> poller_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

// --- trusted

TEST_F(TlsTest, CarriesWhatATrustedServerSays) {
  const std::string address = Serve();
  const auto client = MakeClient(address);
  const auto echo = client->Echo(std::string(1 << 20, 'x'));
  ASSERT_TRUE(echo.ok()) << echo.status();
  EXPECT_EQ(echo->data.size(), size_t{1} << 20);
}

TEST_F(TlsTest, TrustsByFolderAndByMemory) {
  const std::string address = Serve();
  client_options_.ca_file = "";
  client_options_.ca_pem = certificates_.ca_pem();
  EXPECT_TRUE(Ask(address).ok());
  client_options_.ca_pem = "";
  client_options_.ca_folder = "/etc/ssl/certs";
  ExpectUntrusted(address, "unknown issuer \"CN=Test CA\"");
}

TEST_F(TlsTest, VerifiesTheNameOfTheHost) {
  const std::string address = WithHost(Serve(), "localhost");
  EXPECT_TRUE(Ask(address).ok());
}

TEST_F(TlsTest, MayVerifyAnotherNameThanTheHosts) {
  CertificateRequest request;
  request.names = "DNS:jobs.example";
  const std::string address = Serve(request);
  client_options_.server_name = "jobs.example";
  EXPECT_TRUE(Ask(address).ok());
}

TEST_F(TlsTest, TakesAnyCertificateWhenVerificationIsSkipped) {
  CertificateRequest request;
  request.self_signed = true;
  const std::string address = Serve(request);
  client_options_.dangerously_skip_verification = true;
  EXPECT_TRUE(Ask(address).ok());
}

TEST_F(TlsTest, ShowsAClientCertificateToWhoWantsOne) {
  TlsServerOptions options = ServerOptions(certificates_.Make("server"));
  options.client_ca_file = certificates_.ca_file();
  const std::string address = Serve(options);
  UseIdentity(certificates_.Make("client"), &client_options_);
  EXPECT_TRUE(Ask(address).ok());
}

TEST_F(TlsTest, OpensAnEncryptedKeyWithItsPassphrase) {
  TlsServerOptions options = ServerOptions(certificates_.Make("server"));
  options.client_ca_file = certificates_.ca_file();
  const std::string address = Serve(options);
  CertificateRequest request;
  request.passphrase = "open sesame";
  UseIdentity(certificates_.Make("client", request), &client_options_);
  const absl::Status closed = Ask(address);
  EXPECT_EQ(closed.code(), absl::StatusCode::kInvalidArgument) << closed;
  EXPECT_THAT(std::string(closed.message()), HasSubstr("passphrase"));
  client_options_.identity.passphrase = [] {
    return std::string("open sesame");
  };
  EXPECT_TRUE(Ask(address).ok());
  client_options_.identity.passphrase = nullptr;
  client_options_.identity.passphrase_variable = "GEARMAN_TEST_PASSPHRASE";
  ASSERT_EQ(setenv("GEARMAN_TEST_PASSPHRASE", "open sesame", 1), 0);
  EXPECT_TRUE(Ask(address).ok());
}

TEST_F(TlsTest, HonoursTheVariablesOfLibgearman) {
  TlsServerOptions options = ServerOptions(certificates_.Make("server"));
  options.client_ca_file = certificates_.ca_file();
  const std::string address = Serve(options);
  const CertificateFiles files = certificates_.Make("client");
  ASSERT_EQ(
      setenv("GEARMAND_CA_CERTIFICATE", certificates_.ca_file().c_str(), 1), 0);
  ASSERT_EQ(setenv("GEARMAN_CLIENT_PEM", files.certificate.c_str(), 1), 0);
  ASSERT_EQ(setenv("GEARMAN_CLIENT_KEY", files.key.c_str(), 1), 0);
  client_options_ = TlsOptions();
  EXPECT_TRUE(Ask(address).ok());
  unsetenv("GEARMAND_CA_CERTIFICATE");
  unsetenv("GEARMAN_CLIENT_PEM");
  unsetenv("GEARMAN_CLIENT_KEY");
}

// --- not trusted

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

TEST_F(TlsTest, AWrongIpAddressIsToldWhatTheCertificateIsFor) {
  CertificateRequest request;
  request.names = "DNS:localhost";
  ExpectUntrusted(Serve(request),
                  "the name 127.0.0.1 is not in its certificate, which is for "
                  "localhost");
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

// Trap 51: with TLS 1.3 the handshake looks good to the client.
TEST_F(TlsTest, AMissingClientCertificateIsToldAtTheFirstRead) {
  for (const TlsVersion version : {TlsVersion::kTls12, TlsVersion::kTls13}) {
    TlsServerOptions options = ServerOptions(certificates_.Make("server"));
    options.client_ca_file = certificates_.ca_file();
    options.min_version = version;
    ExpectUntrusted(Serve(options), "client certificate");
  }
}

// Its alert may be here before our first packet leaves, and its end with it.
TEST_F(TlsTest, AMissingClientCertificateIsToldWhenWritingFails) {
  const CertificateFiles files = certificates_.Make("terminator");
  const uint16_t port = support::FreePort();
  support::SubprocessOptions socat;
  socat.argv = {"socat",
                absl::StrCat("OPENSSL-LISTEN:", port,
                             ",bind=127.0.0.1,reuseaddr,fork,verify=1,cert=",
                             files.certificate, ",key=", files.key,
                             ",cafile=", certificates_.ca_file()),
                "EXEC:cat"};
  auto terminator = support::Subprocess::Start(std::move(socat));
  ASSERT_TRUE(terminator.ok()) << terminator.status();
  ASSERT_TRUE(support::WaitFor(
      [port] { return support::RawConnection::Connect(port).ok(); }));
  ExpectUntrusted(absl::StrCat("tls://localhost:", port), "certificate");
}

TEST_F(TlsTest, AClientCertificateOfAnotherCaIsRefused) {
  support::TestCertificates others("Somebody else's CA");
  TlsServerOptions options = ServerOptions(certificates_.Make("server"));
  options.client_ca_file = certificates_.ca_file();
  const std::string address = Serve(options);
  UseIdentity(others.Make("client"), &client_options_);
  ExpectUntrusted(address, "refuses our certificate");
}

// Trap 50.
TEST_F(TlsTest, AServerThatSpeaksPlainTcpGetsNoPlainByte) {
  support::RawListener listener;
  const std::string address = absl::StrCat("tls://127.0.0.1:", listener.port());
  std::string greeting;
  std::thread peer([&] {
    auto connection = listener.Accept();
    ASSERT_TRUE(connection.ok()) << connection.status();
    greeting = *connection->Receive(1);
    EXPECT_TRUE(connection->Send("ERR unknown command\r\n").ok());
    connection->ReceiveUntilClosed().status().IgnoreError();
  });
  ExpectUntrusted(address, "speaks plain TCP");
  peer.join();
  // The record of a handshake, and not a packet.
  EXPECT_EQ(greeting, "\x16");
}

TEST_F(TlsTest, AServerThatHangsUpAtTheHandshakeSeemsToSpeakPlainTcp) {
  support::RawListener listener;
  std::thread peer([&] {
    auto connection = listener.Accept();
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection->Receive(1).status().IgnoreError();
    connection->ShutdownWrite();
    connection->ReceiveUntilClosed().status().IgnoreError();
  });
  ExpectUntrusted(absl::StrCat("tls://127.0.0.1:", listener.port()),
                  "speak plain TCP");
  peer.join();
}

TEST_F(TlsTest, ARealGearmandWithoutTlsIsToldApart) {
  support::GearmandProcess gearmand({"--ssl"});
  if (!gearmand.ok()) return;
  ClientOptions options;
  options.connect_timeout = absl::Seconds(2);
  const absl::Status status =
      MakeClient(absl::StrCat("tls://127.0.0.1:", gearmand.port()), options)
          ->Echo()
          .status();
  EXPECT_THAT(status.code(),
              ::testing::AnyOf(absl::StatusCode::kUnauthenticated,
                               absl::StatusCode::kUnavailable))
      << status;
}

TEST_F(TlsTest, AServerThatNeverAnswersEndsByItsTimeLimit) {
  support::RawListener listener;
  ClientOptions options;
  options.connect_timeout = absl::Milliseconds(100);
  const absl::Status status =
      MakeClient(absl::StrCat("tls://127.0.0.1:", listener.port()), options)
          ->Echo()
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("connect_timeout"));
}

TEST_F(TlsTest, AFileThatMakesNoSenseIsNamed) {
  const std::string address = Serve();
  client_options_.ca_file = "/no/such/ca.pem";
  const absl::Status status = Ask(address);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/ca.pem"));
  client_options_.ca_file = "";
  client_options_.ca_pem = "no certificate";
  EXPECT_THAT(std::string(Ask(address).message()), HasSubstr("ca_pem"));
  TlsTransportFactory without_certificate;
  EXPECT_EQ(without_certificate
                .Listen(*ParseAddress("tls://127.0.0.1:0"), poller_.get(), 1)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

// --- connections

// A transport that is driven by hand.
class TlsStreamTest : public TlsTest {
 protected:
  // Connects through the factory of `client_options_`.
  std::unique_ptr<Transport> Connect(const std::string& address) {
    if (factory_ == nullptr) {
      factory_ = std::make_unique<TlsTransportFactory>(client_options_);
    }
    auto transport = factory_->Create(*ParseAddress(address), poller_.get(), 7);
    EXPECT_TRUE(transport.ok()) << transport.status();
    for (;;) {
      const IoResult result = (*transport)->Connect();
      if (result.done()) break;
      EXPECT_TRUE(result.would_block()) << result.status;
      if (!result.would_block() || !Await(**transport)) break;
    }
    return *std::move(transport);
  }
  bool Await(Transport& transport) {
    EXPECT_TRUE(poller_->Watch(7, transport.interest(false)).ok());
    std::vector<Poller::Key> ready;
    poller_->Wait(poller_->clock()->Now() + kBound, &ready);
    return !ready.empty();
  }
  // Asks the server for an echo, so that its session tickets come, too.
  void Echo(Transport& transport) {
    const std::string packet("\0REQ\0\0\0\x10\0\0\0\x01x", 13);
    const std::array<absl::string_view, 1> pieces{packet};
    EXPECT_EQ(transport.Write(pieces).bytes, packet.size());
    size_t received = 0;
    char buffer[100];
    while (received < packet.size()) {
      const IoResult result = transport.Read(absl::MakeSpan(buffer));
      if (result.done()) {
        received += result.bytes;
      } else if (!result.would_block() || !Await(transport)) {
        FAIL() << result.status;
      }
    }
  }
  static bool Resumed(const Transport& transport) {
    return static_cast<const TlsTransport&>(transport).resumed();
  }

  std::unique_ptr<TlsTransportFactory> factory_;
};

TEST_F(TlsStreamTest, ASecondConnectionResumesTheSessionOfTheFirst) {
  const std::string address = Serve();
  const auto first = Connect(address);
  EXPECT_FALSE(Resumed(*first));
  Echo(*first);
  poller_->Forget(7);
  const auto second = Connect(address);
  EXPECT_TRUE(Resumed(*second));
  Echo(*second);
}

TEST_F(TlsStreamTest, FilesThatHaveChangedAreReadAgainForNewConnections) {
  const CertificateFiles files = certificates_.Make("server");
  const std::string address = Serve(ServerOptions(files));
  const auto live = Connect(address);
  Echo(*live);
  poller_->Forget(7);
  // The same files, for another name.
  CertificateRequest request;
  request.names = "DNS:renamed.example";
  certificates_.Make("server", request);
  ExpectUntrusted(address, "renamed.example");
  // The live connection goes on with what it was made with.
  Echo(*live);
}

TEST_F(TlsStreamTest, AGoodbyeIsToldFromACut) {
  const std::string address = Serve();
  const auto polite = Connect(address);
  Echo(*polite);
  server_->Stop();
  char buffer[10];
  IoResult result = polite->Read(absl::MakeSpan(buffer));
  while (result.would_block() && Await(*polite)) {
    result = polite->Read(absl::MakeSpan(buffer));
  }
  EXPECT_TRUE(result.closed()) << result.status;
}

TEST_F(TlsStreamTest, ManySmallPiecesShareRecords) {
  const std::string address = Serve();
  const auto transport = Connect(address);
  const std::string packet("\0REQ\0\0\0\x04\0\0\0\0", 12);
  const std::vector<absl::string_view> pieces(1000, packet);
  EXPECT_EQ(transport->Write(pieces).bytes, 12000u);
  Echo(*transport);
}

// --- the whole way

TEST_F(TlsTest, JobsOfAnySizePassBothWays) {
  const std::string address = Serve();
  auto transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(transports
                  ->Register("tls", std::make_shared<TlsTransportFactory>(
                                        client_options_))
                  .ok());
  WorkerOptions options;
  options.servers = {address};
  options.transports = transports;
  auto worker = Worker::Create(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  worker_ = *std::move(worker);
  ASSERT_TRUE(
      worker_
          ->Register("echo",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       const absl::string_view data = context.job().data();
                       return std::string(data.data(), data.size());
                     })
          .ok());
  thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
  const auto client = MakeClient(address);
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{16384}, size_t{16385}, size_t{16} << 20}) {
    std::string data(size, 'a');
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 31);
    const absl::StatusOr<std::string> result = client->Run("echo", data);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == data) << size;
  }
  std::vector<JobRequest> requests;
  for (int i = 0; i < 5000; ++i) {
    requests.push_back(client->SubmitJob("echo", absl::StrCat(i)));
  }
  ASSERT_TRUE(client->WaitUntilJobsCompleted(requests, kBound).ok());
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(requests[static_cast<size_t>(i)].result(), absl::StrCat(i));
  }
}

TEST_F(TlsTest, ReachesARealGearmandThroughATerminator) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  const CertificateFiles files = certificates_.Make("terminator");
  const uint16_t port = support::FreePort();
  support::SubprocessOptions socat;
  socat.argv = {"socat",
                absl::StrCat("OPENSSL-LISTEN:", port,
                             ",bind=127.0.0.1,reuseaddr,fork,verify=1,cert=",
                             files.certificate, ",key=", files.key,
                             ",cafile=", certificates_.ca_file()),
                absl::StrCat("TCP:127.0.0.1:", gearmand.port())};
  auto terminator = support::Subprocess::Start(std::move(socat));
  ASSERT_TRUE(terminator.ok()) << terminator.status();
  ASSERT_TRUE(support::WaitFor(
      [port] { return support::RawConnection::Connect(port).ok(); }));
  const std::string address = absl::StrCat("tls://localhost:", port);
  // socat sees that the certificate is missing, and just hangs up.
  EXPECT_FALSE(Ask(address).ok());
  UseIdentity(certificates_.Make("client"), &client_options_);
  const auto client = MakeClient(address);
  std::vector<JobRequest> requests;
  for (int i = 0; i < 1000; ++i) {
    requests.push_back(client->SubmitBackgroundJob("f", "data"));
  }
  ASSERT_TRUE(client->WaitUntilJobsAccepted(requests, kBound).ok());
  const auto status = gearmand.Admin("status");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_THAT(*status, ::testing::ElementsAre("f\t1000\t0\t0"));
}

}  // namespace
}  // namespace gearman
