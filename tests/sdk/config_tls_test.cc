// Files of TLS that can't be used: found where clients, workers, admin clients
// and job servers are created, with the place in the config.
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigTlsTest : public ::testing::Test {
 protected:
  static Config Read(absl::string_view text) {
    absl::StatusOr<Config> config = Config::FromText(text, "f");
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? *std::move(config) : Config();
  }
  static void ExpectRefused(const absl::Status& status,
                            const std::string& begin, const std::string& part) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(StartsWith(begin), HasSubstr(part)));
  }

  support::TestCertificates certificates_;
};

TEST_F(ConfigTlsTest, PlacesAFileThatIsMissing) {
  const Config config = Read(
      "servers: \"tls://127.0.0.1:4731\"\nconnections { tls {\n  ca_file: "
      "\"/no/such/ca.pem\" } }");
  const std::string begin =
      "f:3:12: connections.tls.ca_file: TLS: the CA file \"/no/such/ca.pem\"";
  const std::string reason = "there is no such file";
  ExpectRefused(config.ToClientOptions().status(), begin, reason);
  ExpectRefused(config.ToWorkerOptions().status(), begin, reason);
  ExpectRefused(CreateClient(config).status(), begin, reason);
  ExpectRefused(CreateWorker(config).status(), begin, reason);
  // The options of a job server have nothing of connections to other servers.
  EXPECT_TRUE(config.ToJobServerOptions().ok());
}

TEST_F(ConfigTlsTest, PlacesAKeyThatIsAnothers) {
  const std::string certificate = certificates_.Make("one").certificate;
  const std::string key = certificates_.Make("other").key;
  ExpectRefused(
      CreateClient(Read(absl::StrCat(
                       "connections { tls { identity {\n certificate_file: \"",
                       certificate, "\"\n key_file: \"", key, "\" } } }")))
          .status(),
      "f:3:12: connections.tls.identity.key_file: ", "the two are no pair");
}

TEST_F(ConfigTlsTest, PlacesAFileOfAJobServer) {
  const auto files = certificates_.Make("server");
  ExpectRefused(
      CreateJobServer(Read(absl::StrCat("embedded_server { tls { identity {\n "
                                        "certificate_file: \"",
                                        files.key, "\" } } }")))
          .status(),
      "f:2:20: embedded_server.tls.identity.certificate_file: ",
      "it holds no certificate, but a private key");
  ExpectRefused(
      CreateJobServer(
          Read(absl::StrCat(
              "embedded_server { tls { identity { certificate_file: \"",
              files.certificate, "\" key_file: \"", files.key,
              "\" }\n client_ca_file: \"", files.key, "\" } }")))
          .status(),
      "f:2:18: embedded_server.tls.client_ca_file: ",
      "it holds no certificate, but a private key");
  ExpectRefused(CreateJobServer(Read("embedded_server {\n tls {} }")).status(),
                "f:2:2: embedded_server.tls.identity: ", "takes a certificate");
}

TEST_F(ConfigTlsTest, TakesFilesThatAreRight) {
  const auto files = certificates_.Make("both");
  const std::string identity =
      absl::StrCat("identity { certificate_file: \"", files.certificate,
                   "\" key_file: \"", files.key, "\" }");
  const Config config = Read(absl::StrCat(
      "servers: \"tls://localhost:4731\" connections { tls { ca_file: \"",
      certificates_.ca_file(), "\" ", identity,
      " } } embedded_server { listen: \"tls://127.0.0.1:0\" tls { ", identity,
      " } }"));
  EXPECT_TRUE(CreateClient(config).ok()) << CreateClient(config).status();
  EXPECT_TRUE(CreateWorker(config).ok()) << CreateWorker(config).status();
  EXPECT_TRUE(CreateJobServer(config).ok()) << CreateJobServer(config).status();
}

// No config names it, so that there is no place: each Create finds it.
TEST_F(ConfigTlsTest, NamesTheVariableOfAFileThatCantBeUsed) {
  ASSERT_EQ(setenv("GEARMAND_CA_CERTIFICATE", "/no/such/ca.pem", 1), 0);
  constexpr char kServer[] = "tls://127.0.0.1:4731";
  const std::string begin =
      "tls://127.0.0.1:4731: TLS: the CA file \"/no/such/ca.pem\" "
      "(GEARMAND_CA_CERTIFICATE) can't be used: there is no such file";
  ClientOptions client;
  // The default transports were made before main, when the variable was not
  // set.
  client.transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(client.transports
                  ->Register("tls", std::make_shared<TlsTransportFactory>())
                  .ok());
  client.servers = {kServer};
  ExpectRefused(Client::Create(client).status(), begin, "");
  WorkerOptions worker;
  worker.transports = client.transports;
  worker.servers = {kServer};
  ExpectRefused(Worker::Create(worker).status(), begin, "");
  AdminClientOptions admin;
  admin.transports = client.transports;
  admin.server = kServer;
  ExpectRefused(AdminClient::Create(admin).status(), begin, "");
  // A server that is added later.
  ASSERT_TRUE(client.transports
                  ->Register("tcp", std::make_shared<TcpTransportFactory>())
                  .ok());
  client.servers = {"tcp://127.0.0.1:4731"};
  const auto created = Client::Create(client);
  ASSERT_TRUE(created.ok()) << created.status();
  ExpectRefused((*created)->AddServer(kServer), begin, "");
  unsetenv("GEARMAND_CA_CERTIFICATE");
}

TEST_F(ConfigTlsTest, RefusesANameThatNoServerCanHave) {
  ExpectRefused(
      CreateClient(Read("connections {\n tls { server_name: \"a\\000b\" } }"))
          .status(),
      "f:2:21: connections.tls.server_name: ", "can't be the name of a server");
}

TEST_F(ConfigTlsTest, RefusesAPortThatNothingListensOn) {
  for (const char* const server : {"tcp://127.0.0.1:0", "tls://127.0.0.1:0"}) {
    ClientOptions options;
    options.servers = {server};
    ExpectRefused(Client::Create(options).status(), server,
                  "nothing can be reached at port 0");
  }
}

}  // namespace
}  // namespace gearman
