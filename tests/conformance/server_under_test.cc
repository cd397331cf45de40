#include "gearman/tests/conformance/server_under_test.h"

#include <random>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/testing/fault_transport.h"
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

absl::StatusOr<std::unique_ptr<Transport>> TcpTransport(
    const std::string& address, Poller* poller, Poller::Key key) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  return TcpTransportFactory().Create(*parsed, poller, key);
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
  absl::StatusOr<std::unique_ptr<Transport>> MakeTransport(
      Poller* poller, Poller::Key key) override {
    return network_->Connect("test", poller, key);
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
  absl::StatusOr<std::unique_ptr<Transport>> MakeTransport(
      Poller* poller, Poller::Key key) override {
    return TcpTransport(address_, poller, key);
  }
  uint16_t port() const override { return PortOf(address_); }

 private:
  std::string address_;
  const std::unique_ptr<JobServer> server_;
};

// The embedded server over TLS, which must make no difference.
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
  absl::StatusOr<std::unique_ptr<Transport>> MakeTransport(
      Poller* poller, Poller::Key key) override {
    absl::StatusOr<Address> address = ParseAddress(address_);
    if (!address.ok()) return address.status();
    return factory_->Create(*address, poller, key);
  }
  // No plain bytes can be sent to it.
  uint16_t port() const override { return 0; }

 private:
  support::TestCertificates certificates_;
  std::shared_ptr<TlsTransportFactory> factory_;
  std::string address_;
  std::unique_ptr<JobServer> server_;
};

// A bad network in front of another server, which must make no difference
// either: bytes come in pieces, and late. The seed draws it for each
// connection.
class Faulty : public ServerUnderTest {
 public:
  Faulty(uint64_t seed, std::unique_ptr<ServerUnderTest> server)
      : random_(seed), server_(std::move(server)) {}
  absl::StatusOr<std::unique_ptr<Transport>> MakeTransport(
      Poller* poller, Poller::Key key) override {
    absl::StatusOr<std::unique_ptr<Transport>> transport =
        server_->MakeTransport(poller, key);
    if (!transport.ok()) return transport.status();
    return std::make_unique<testing::FaultTransport>(*std::move(transport),
                                                     Draw(), poller->clock());
  }
  // Bytes sent directly to this port arrive unchanged.
  uint16_t port() const override { return server_->port(); }
  int gearmand_version() const override { return server_->gearmand_version(); }

 private:
  testing::FaultPlan Draw() {
    testing::FaultPlan plan;
    plan.seed = random_();
    // Not both, which would take long.
    if (random_() % 2 == 0) {
      plan.max_piece = size_t{1} << random_() % 12;
    } else {
      plan.connect_delay = absl::Microseconds(random_() % 1000);
      plan.read_delay = absl::Microseconds(random_() % 500);
    }
    return plan;
  }

  std::mt19937_64 random_;
  const std::unique_ptr<ServerUnderTest> server_;
};

std::vector<std::string> GearmandOptions(const ServerOptions& options) {
  std::vector<std::string> arguments = {
      absl::StrCat("--job-handle-prefix=", options.job_handle_prefix),
      absl::StrCat("--worker-wakeup=", options.worker_wakeup)};
  // Without it there is no limit; after 2.0.0 a 0 means one run.
  if (options.job_retries != 0) {
    arguments.push_back(absl::StrCat("--job-retries=", options.job_retries));
  }
  if (options.round_robin) arguments.push_back("--round-robin");
  if (options.exceptions) arguments.push_back("--exceptions");
  return arguments;
}

class Gearmand : public ServerUnderTest {
 public:
  explicit Gearmand(const ServerOptions& options)
      : process_(GearmandOptions(options)) {}
  absl::StatusOr<std::unique_ptr<Transport>> MakeTransport(
      Poller* poller, Poller::Key key) override {
    return TcpTransport(process_.address(), poller, key);
  }
  uint16_t port() const override { return process_.port(); }
  int gearmand_version() const override { return process_.major_version(); }

 private:
  support::GearmandProcess process_;
};

template <typename Server>
Variant MakeFaulty(const std::string& name, uint64_t seed, bool is_gearmand) {
  return {absl::StrCat(name, seed), is_gearmand, /*in_pieces=*/true,
          [seed](const ServerOptions& options) {
            // Another one in each test.
            const std::string test =
                ::testing::UnitTest::GetInstance()->current_test_info()->name();
            std::seed_seq all(test.begin(), test.end());
            uint32_t of_test = 0;
            all.generate(&of_test, &of_test + 1);
            return std::make_unique<Faulty>(seed << 32 | of_test,
                                            std::make_unique<Server>(options));
          }};
}

template <typename Server>
Variant Make(const std::string& name, bool is_gearmand) {
  return {name, is_gearmand, /*in_pieces=*/false,
          [](const ServerOptions& options) {
            return std::make_unique<Server>(options);
          }};
}

}  // namespace

std::vector<Variant> Variants() {
  std::vector<Variant> variants = {
      Make<InProcess>("EmbeddedInProcess", false),
      Make<EmbeddedTcp>("EmbeddedTcp", false),
      Make<EmbeddedTls>("EmbeddedTls", false), Make<Gearmand>("Gearmand", true),
      MakeFaulty<Gearmand>("GearmandFaults", 1, true)};
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    variants.push_back(
        MakeFaulty<InProcess>("EmbeddedInProcessFaults", seed, false));
  }
  for (uint64_t seed = 5; seed <= 6; ++seed) {
    variants.push_back(
        MakeFaulty<EmbeddedTcp>("EmbeddedTcpFaults", seed, false));
  }
  return variants;
}

}  // namespace conformance
}  // namespace gearman
