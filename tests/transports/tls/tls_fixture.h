// TlsTest: certificates, a job server that listens on tls://, clients of it.
// TlsStreamTest: beside them, a transport that is driven by hand.
#ifndef GEARMAN_TESTS_TRANSPORTS_TLS_TLS_FIXTURE_H_
#define GEARMAN_TESTS_TRANSPORTS_TLS_TLS_FIXTURE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/address.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {

using support::CertificateFiles;
using support::CertificateRequest;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() { client_options_.ca_file = certificates_.ca_file(); }

  static TlsServerOptions ServerOptions(const CertificateFiles& files) {
    TlsServerOptions options;
    options.identity.certificate_file = files.certificate;
    options.identity.key_file = files.key;
    return options;
  }
  // The options of a server that wants a client certificate of our CA.
  TlsServerOptions MutualOptions() {
    TlsServerOptions options = ServerOptions(certificates_.Make("server"));
    options.client_ca_file = certificates_.ca_file();
    return options;
  }
  static void UseIdentity(const CertificateFiles& files, TlsOptions* options) {
    options->identity.certificate_file = files.certificate;
    options->identity.key_file = files.key;
  }
  // A job server that listens on `listen`; returns its address.
  std::string Serve(TlsServerOptions options,
                    absl::string_view listen = "tls://127.0.0.1:0") {
    JobServerOptions server_options;
    server_options.transports = Transports(TlsOptions(), std::move(options));
    auto server = JobServer::Create(std::move(server_options));
    EXPECT_TRUE(server.ok()) << server.status();
    if (!server.ok()) return "";
    server_ = *std::move(server);
    const auto address = server_->Listen(listen);
    EXPECT_TRUE(address.ok()) << address.status();
    return address.ok() ? *address : "";
  }
  std::string Serve(const CertificateRequest& request = {}) {
    return Serve(ServerOptions(certificates_.Make("server", request)));
  }
  static std::shared_ptr<TransportRegistry> Transports(
      const TlsOptions& options, TlsServerOptions server_options = {}) {
    auto transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(transports
                    ->Register("tls", std::make_shared<TlsTransportFactory>(
                                          options, std::move(server_options)))
                    .ok());
    return transports;
  }
  // A client that connects as `client_options_` say now.
  std::unique_ptr<Client> MakeClient(const std::string& address,
                                     ClientOptions options = {}) {
    options.servers = {address};
    options.transports = Transports(client_options_);
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }
  // Returns the status of a client that asks for an echo.
  absl::Status Ask(const std::string& address, ClientOptions options = {}) {
    return MakeClient(address, std::move(options))->Echo("hello").status();
  }
  void ExpectUntrusted(const std::string& address, const std::string& why) {
    const absl::Status status = Ask(address);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(::testing::HasSubstr(address), ::testing::HasSubstr(why)));
  }
  static std::string WithHost(const std::string& address,
                              const std::string& host) {
    return absl::StrCat("tls://", host, address.substr(address.rfind(':')));
  }

  support::TestCertificates certificates_;
  TlsOptions client_options_;
  std::unique_ptr<JobServer> server_;
};

class TlsStreamTest : public TlsTest {
 protected:
  static constexpr Poller::Key kKey = 7;

  TlsStreamTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
  }

  // Connects through one factory, which has the `client_options_` of the first
  // call, and so one cache of sessions. One transport at a time is watched.
  std::unique_ptr<Transport> Connect(const std::string& address) {
    std::unique_ptr<Transport> transport;
    const absl::Status status = TryToConnect(address, &transport);
    EXPECT_TRUE(status.ok()) << status;
    return transport;
  }
  absl::Status TryToConnect(const std::string& address,
                            std::unique_ptr<Transport>* connected) {
    if (factory_ == nullptr) {
      factory_ = std::make_unique<TlsTransportFactory>(client_options_);
    }
    poller_->Forget(kKey);
    auto transport =
        factory_->Create(*ParseAddress(address), poller_.get(), kKey);
    EXPECT_TRUE(transport.ok()) << transport.status();
    IoResult result = (*transport)->Connect();
    while (result.would_block() && Await(**transport)) {
      result = (*transport)->Connect();
    }
    *connected = *std::move(transport);
    return result.done() ? absl::OkStatus() : result.status;
  }
  // Waits until reading may go on.
  bool Await(Transport& transport, bool want_write = false) {
    EXPECT_TRUE(poller_->Watch(kKey, transport.interest(want_write)).ok());
    std::vector<Poller::Key> ready;
    poller_->Wait(poller_->clock()->Now() + support::kBound, &ready);
    EXPECT_FALSE(ready.empty()) << "nothing came";
    return !ready.empty();
  }
  // One read that does not block.
  IoResult ReadSome(Transport& transport, absl::Span<char> into) {
    IoResult result = transport.Read(into);
    while (result.would_block() && Await(transport)) {
      result = transport.Read(into);
    }
    return result;
  }
  static IoResult WriteSome(Transport& transport, absl::string_view bytes) {
    const std::array<absl::string_view, 1> pieces{bytes};
    return transport.Write(pieces);
  }
  // Asks the server for an echo, so that its session tickets come, too.
  void Echo(Transport& transport) {
    const std::string packet("\0REQ\0\0\0\x10\0\0\0\x01x", 13);
    EXPECT_EQ(WriteSome(transport, packet).bytes, packet.size());
    char buffer[100];
    for (size_t received = 0; received < packet.size();) {
      const IoResult result = ReadSome(transport, absl::MakeSpan(buffer));
      ASSERT_TRUE(result.done()) << result.status;
      received += result.bytes;
    }
  }
  static bool Resumed(const Transport& transport) {
    return static_cast<const TlsTransport&>(transport).resumed();
  }

  std::unique_ptr<EpollPoller> poller_;
  std::unique_ptr<TlsTransportFactory> factory_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_TRANSPORTS_TLS_TLS_FIXTURE_H_
