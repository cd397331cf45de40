// TracingTest: clients and workers in a simulation, and an observer that
// records what it hears of them.
#ifndef GEARMAN_TESTS_SDK_TRACING_FIXTURE_H_
#define GEARMAN_TESTS_SDK_TRACING_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/recording_observer.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gtest/gtest.h"

namespace gearman {

class TracingTest : public ::testing::Test {
 protected:
  ~TracingTest() override {
    stack_.simulation.Stop("client");
    client_ = nullptr;
    stack_.KillWorker("worker");
    EXPECT_EQ(observer_->lost(), 0);
    for (const testing::RecordedSpan& span : observer_->spans()) {
      EXPECT_EQ(span.ends, 1) << TraceOperationName(span.operation);
      EXPECT_LE(span.begin_time, span.end_time);
    }
  }

  ClientOptions Options(std::vector<std::string> servers = {"inproc://jobs"}) {
    ClientOptions options = stack_.ClientDefaults("client", std::move(servers));
    options.trace_observer = observer_;
    return options;
  }
  void StartClient() { client_ = stack_.MakeClient(Options()); }
  Worker& StartWorker() {
    WorkerOptions options = stack_.WorkerDefaults("worker", {"inproc://jobs"});
    options.trace_observer = observer_;
    Worker& worker = stack_.StartWorker("worker", std::move(options));
    EXPECT_TRUE(
        worker
            .Register("reverse",
                      [](JobContext& context) -> absl::StatusOr<std::string> {
                        const absl::string_view data = context.job().data();
                        return std::string(data.rbegin(), data.rend());
                      })
            .ok());
    return worker;
  }
  // A played server's next connection, whose first packet has been answered.
  std::unique_ptr<testing::PlayedConnection> Accept(
      testing::PlayedServer& server) {
    std::unique_ptr<testing::PlayedConnection> connection = server.Accept();
    EXPECT_EQ(connection->Receive(), "OPTION_REQ exceptions");
    connection->Send(wire::Command::kOptionRes, {"exceptions"});
    return connection;
  }
  void DriveClient() {
    stack_.simulation.Drive(
        "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  }
  std::vector<testing::RecordedSpan> Spans(TraceOperation operation) {
    std::vector<testing::RecordedSpan> spans;
    for (testing::RecordedSpan& span : observer_->spans()) {
      if (span.operation == operation) spans.push_back(std::move(span));
    }
    return spans;
  }

  testing::SimulatedStack stack_{1};
  std::shared_ptr<testing::RecordingObserver> observer_ =
      std::make_shared<testing::RecordingObserver>();
  std::unique_ptr<Client> client_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TRACING_FIXTURE_H_
