// ClientServersTest: a client with several servers, on a virtual clock.
#ifndef GEARMAN_TESTS_SDK_CLIENT_SERVERS_FIXTURE_H_
#define GEARMAN_TESTS_SDK_CLIENT_SERVERS_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gtest/gtest.h"

namespace gearman {

class ClientServersTest : public ::testing::Test {
 protected:
  ~ClientServersTest() override { stack_.simulation.Stop("client"); }

  void Start(std::vector<std::string> servers) {
    ClientOptions options = stack_.ClientDefaults("client", std::move(servers));
    options.reconnect = reconnect_;
    options.connect_timeout = absl::Seconds(1);
    client_ = stack_.MakeClient(std::move(options));
  }
  // Lets the client go on while something else is waited for.
  void Drive() {
    stack_.simulation.Drive(
        "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  }
  absl::Time now() { return stack_.simulation.now(); }
  // Where a background job is accepted.
  std::string Placed() {
    const JobRequest request = client_->SubmitBackgroundJob("f", "");
    EXPECT_TRUE(client_->WaitUntilJobsAccepted({request}).ok())
        << request.status();
    return request.job().connection();
  }
  // A played server's next connection, whose first packet has been answered.
  std::unique_ptr<testing::PlayedConnection> Accept(
      testing::PlayedServer& server) {
    std::unique_ptr<testing::PlayedConnection> connection = server.Accept();
    EXPECT_EQ(connection->Receive(), "OPTION_REQ exceptions");
    connection->Send(wire::Command::kOptionRes, {"exceptions"});
    return connection;
  }

  testing::SimulatedStack stack_{1};
  ReconnectOptions reconnect_;
  std::unique_ptr<Client> client_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_CLIENT_SERVERS_FIXTURE_H_
