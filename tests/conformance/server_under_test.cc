#include "gearman/tests/conformance/server_under_test.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gtest/gtest.h"

namespace gearman {
namespace conformance {
namespace {

std::unique_ptr<Peer> ConnectByTcp(const std::string& address) {
  return std::make_unique<Peer>(
      [&address](
          Poller* poller,
          Poller::Key key) -> absl::StatusOr<std::unique_ptr<Transport>> {
        absl::StatusOr<Address> parsed = ParseAddress(address);
        if (!parsed.ok()) return parsed.status();
        return TcpTransportFactory().Create(*parsed, poller, key);
      });
}

uint16_t PortOf(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return 0;
  const absl::StatusOr<HostPort> host_port = ParseHostPort(parsed->authority);
  return host_port.ok() ? host_port->port : 0;
}

std::unique_ptr<JobServer> StartEmbedded(const ServerOptions& options,
                                         JobServerOptions embedded,
                                         absl::string_view address,
                                         std::string* real_address) {
  embedded.job_handle_prefix = options.job_handle_prefix;
  embedded.job_retries = options.job_retries;
  embedded.worker_wakeup = options.worker_wakeup;
  embedded.round_robin = options.round_robin;
  embedded.exceptions = options.exceptions;
  absl::StatusOr<std::unique_ptr<JobServer>> server =
      JobServer::Create(std::move(embedded));
  if (!server.ok()) {
    ADD_FAILURE() << server.status();
    return nullptr;
  }
  absl::StatusOr<std::string> listening = (*server)->Listen(address);
  if (!listening.ok()) {
    ADD_FAILURE() << listening.status();
    return nullptr;
  }
  *real_address = *listening;
  return *std::move(server);
}

class InProcess : public ServerUnderTest {
 public:
  explicit InProcess(const ServerOptions& options) {
    JobServerOptions embedded;
    embedded.network = network_;
    std::string address;
    server_ =
        StartEmbedded(options, std::move(embedded), "inproc://test", &address);
  }
  std::unique_ptr<Peer> Connect() override {
    return std::make_unique<Peer>([this](Poller* poller, Poller::Key key) {
      return network_->Connect("test", poller, key);
    });
  }
  uint16_t port() const override { return 0; }

 private:
  const std::shared_ptr<InprocNetwork> network_ =
      std::make_shared<InprocNetwork>();
  std::unique_ptr<JobServer> server_;
};

class EmbeddedTcp : public ServerUnderTest {
 public:
  explicit EmbeddedTcp(const ServerOptions& options)
      : server_(StartEmbedded(options, JobServerOptions(), "tcp://127.0.0.1:0",
                              &address_)) {}
  std::unique_ptr<Peer> Connect() override { return ConnectByTcp(address_); }
  uint16_t port() const override { return PortOf(address_); }

 private:
  std::string address_;
  const std::unique_ptr<JobServer> server_;
};

// The same over TLS, which must make no difference.
class EmbeddedTls : public ServerUnderTest {
 public:
  explicit EmbeddedTls(const ServerOptions& options) {
    const support::CertificateFiles files = certificates_.Make("server");
    TlsServerOptions listen;
    listen.identity.certificate_file = files.certificate;
    listen.identity.key_file = files.key;
    TlsOptions connect;
    connect.ca_file = certificates_.ca_file();
    factory_ = std::make_shared<TlsTransportFactory>(connect, listen);
    JobServerOptions embedded;
    embedded.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(embedded.transports->Register("tls", factory_).ok());
    server_ = StartEmbedded(options, std::move(embedded), "tls://127.0.0.1:0",
                            &address_);
  }
  std::unique_ptr<Peer> Connect() override {
    return std::make_unique<Peer>(
        [this](Poller* poller,
               Poller::Key key) -> absl::StatusOr<std::unique_ptr<Transport>> {
          absl::StatusOr<Address> address = ParseAddress(address_);
          if (!address.ok()) return address.status();
          return factory_->Create(*address, poller, key);
        });
  }
  // No plain bytes can be sent to it.
  uint16_t port() const override { return 0; }

 private:
  support::TestCertificates certificates_;
  std::shared_ptr<TlsTransportFactory> factory_;
  std::string address_;
  std::unique_ptr<JobServer> server_;
};

std::vector<std::string> GearmandOptions(const ServerOptions& options) {
  std::vector<std::string> arguments = {
      absl::StrCat("--job-handle-prefix=", options.job_handle_prefix),
      absl::StrCat("--job-retries=", options.job_retries),
      absl::StrCat("--worker-wakeup=", options.worker_wakeup)};
  if (options.round_robin) arguments.push_back("--round-robin");
  if (options.exceptions) arguments.push_back("--exceptions");
  return arguments;
}

class Gearmand : public ServerUnderTest {
 public:
  explicit Gearmand(const ServerOptions& options)
      : process_(GearmandOptions(options)) {}
  std::unique_ptr<Peer> Connect() override {
    return ConnectByTcp(process_.address());
  }
  uint16_t port() const override { return process_.port(); }

 private:
  support::GearmandProcess process_;
};

template <typename Server>
Variant Make(const std::string& name, bool is_gearmand) {
  return {name, is_gearmand, [](const ServerOptions& options) {
            return std::make_unique<Server>(options);
          }};
}

}  // namespace

std::vector<Variant> Variants() {
  return {Make<InProcess>("EmbeddedInProcess", false),
          Make<EmbeddedTcp>("EmbeddedTcp", false),
          Make<EmbeddedTls>("EmbeddedTls", false),
          Make<Gearmand>("Gearmand", true)};
}

}  // namespace conformance
}  // namespace gearman
