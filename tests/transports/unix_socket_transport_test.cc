// A transport from outside: a client, a worker and a job server over UNIX
// sockets, by nothing but a scheme in the registry.
#include "gearman/tests/transports/unix_socket_transport.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

class UnixSocketTransportTest : public ::testing::Test {
 protected:
  UnixSocketTransportTest() {
    EXPECT_TRUE(
        transports_
            ->Register("unix", std::make_shared<UnixSocketTransportFactory>())
            .ok());
    // The path of a socket has at most 107 bytes, less than a test's folder may
    // have: so a relative one.
    EXPECT_EQ(chdir(directory_.path().c_str()), 0);
  }
  ~UnixSocketTransportTest() override {
    if (worker_ != nullptr) worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  std::unique_ptr<Client> MakeClient(const std::string& address) {
    ClientOptions options;
    options.servers = {address};
    options.transports = transports_;
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  support::TestDirectory directory_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  const std::shared_ptr<TransportRegistry> transports_ =
      std::make_shared<TransportRegistry>();
};

TEST_F(UnixSocketTransportTest, CarriesJobsBetweenClientServerAndWorker) {
  const std::string address = "unix://socket";
  JobServerOptions server_options;
  server_options.transports = transports_;
  auto server = JobServer::Create(std::move(server_options));
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Listen(address).ok());

  WorkerOptions worker_options;
  worker_options.servers = {address};
  worker_options.transports = transports_;
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  worker_ = *std::move(worker);
  ASSERT_TRUE(
      worker_
          ->Register("reverse",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       const absl::string_view data = context.job().data();
                       return std::string(data.rbegin(), data.rend());
                     })
          .ok());
  thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });

  const auto client = MakeClient(address);
  std::string large(1 << 20, 'a');
  large.back() = 'z';
  const absl::StatusOr<std::string> result = client->Run("reverse", large);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->size(), large.size());
  EXPECT_EQ(result->front(), 'z');
}

TEST_F(UnixSocketTransportTest, ItsErrorsReachTheRequest) {
  const auto client = MakeClient("unix:///no/such/socket");
  const absl::Status status = client->Run("reverse", "x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("unix:///no/such/socket"),
                    HasSubstr("No such file or directory")));
}

TEST_F(UnixSocketTransportTest, ASchemeNobodyRegisteredListsThoseThereAre) {
  ClientOptions options;
  options.servers = {"vsock://1:2"};
  options.transports = transports_;
  const absl::Status status = Client::Create(std::move(options)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("unix"));
}

}  // namespace
}  // namespace gearman
