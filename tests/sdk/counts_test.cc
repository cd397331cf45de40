// What a job costs, in things that can be counted whatever the machine: writes,
// reads, allocations, grabs. All in one thread on a virtual clock.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"
#include "gtest/gtest.h"

namespace {

uint64_t allocations = 0;

}  // namespace

// The whole program's; malloc itself is not counted. One thread.
void* operator new(size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace gearman {
namespace {

struct Counts {
  uint64_t writes = 0;
  uint64_t reads = 0;  // that found something
};

class CountingTransport final : public ForwardingTransport {
 public:
  CountingTransport(std::unique_ptr<Transport> next, Counts* counts)
      : ForwardingTransport(std::move(next)), counts_(counts) {}
  IoResult Read(absl::Span<char> into) override {
    IoResult result = ForwardingTransport::Read(into);
    if (result.done()) ++counts_->reads;
    return result;
  }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    ++counts_->writes;
    return ForwardingTransport::Write(pieces);
  }

 private:
  Counts* const counts_;
};

class CountingFactory final : public TransportFactory {
 public:
  CountingFactory(std::shared_ptr<InprocNetwork> network, Counts* counts)
      : inproc_(std::move(network)), counts_(counts) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override {
    auto transport = inproc_.Create({"inproc", address.authority}, poller, key);
    if (!transport.ok()) return transport.status();
    return std::make_unique<CountingTransport>(*std::move(transport), counts_);
  }

 private:
  InprocTransportFactory inproc_;
  Counts* const counts_;
};

class CountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    stack_.StartServer("jobs");
    WorkerOptions worker_options =
        stack_.WorkerDefaults("worker", {"counted-worker://jobs"});
    ASSERT_TRUE(
        worker_options.transports
            ->Register("counted-worker", std::make_shared<CountingFactory>(
                                             stack_.network(), &worker_counts_))
            .ok());
    worker_ = &stack_.StartWorker("worker", std::move(worker_options));
    ASSERT_TRUE(
        worker_
            ->Register("tiny",
                       [](JobContext& context) -> absl::StatusOr<std::string> {
                         const absl::string_view data = context.job().data();
                         return std::string(data.data(), data.size());
                       })
            .ok());
    ClientOptions client_options =
        stack_.ClientDefaults("client", {"counted-client://jobs"});
    ASSERT_TRUE(
        client_options.transports
            ->Register("counted-client", std::make_shared<CountingFactory>(
                                             stack_.network(), &client_counts_))
            .ok());
    client_ = stack_.MakeClient(std::move(client_options));
  }
  void Run(int jobs) {
    std::vector<JobSpec> specs;
    specs.reserve(static_cast<size_t>(jobs));
    for (int i = 0; i < jobs; ++i) specs.emplace_back("tiny", "0123456789abc");
    const auto requests = client_->SubmitMultipleJobs(std::move(specs));
    ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  }

  testing::SimulatedStack stack_{1};
  Counts client_counts_;
  Counts worker_counts_;
  Worker* worker_ = nullptr;
  std::unique_ptr<Client> client_;
};

TEST_F(CountsTest, ThousandsOfJobsLeaveInAFewWrites) {
  Run(1000);
  client_counts_ = {};
  worker_counts_ = {};
  for (int i = 0; i < 10; ++i) Run(1000);
  RecordProperty("client_writes", static_cast<int>(client_counts_.writes));
  RecordProperty("client_reads", static_cast<int>(client_counts_.reads));
  RecordProperty("worker_writes", static_cast<int>(worker_counts_.writes));
  RecordProperty("worker_reads", static_cast<int>(worker_counts_.reads));
  // Of 10,000 jobs: one write for each thousand, and far fewer than 0.1 calls
  // for each job on all ways.
  EXPECT_LE(client_counts_.writes, 20u);
  EXPECT_LE(client_counts_.reads, 500u);
  EXPECT_LE(worker_counts_.writes, 500u);
  EXPECT_LE(worker_counts_.reads, 500u);
}

TEST_F(CountsTest, AJobCostsFewAllocations) {
  for (int i = 0; i < 5; ++i) Run(1000);
  const uint64_t before = allocations;
  for (int i = 0; i < 10; ++i) Run(1000);
  const double per_job = static_cast<double>(allocations - before) / 10000;
  RecordProperty("allocations_per_job", std::to_string(per_job));
  // Of client, server and worker together.
  EXPECT_LE(per_job, 6.5) << per_job;
  EXPECT_GE(per_job, 0.5) << "are they counted at all?";
}

TEST_F(CountsTest, TinyJobsAreGrabbedManyAtATime) {
  Run(1000);
  Run(1000);
  const uint64_t writes = worker_->stats().writes;
  const uint64_t grabs = worker_->stats().grabs_sent;
  Run(1000);
  EXPECT_GE(worker_->stats().grabs_sent - grabs, 1000u);
  EXPECT_LE(worker_->stats().writes - writes, 100u);
  EXPECT_LE(worker_->stats().grabs_outstanding, 129u);
}

}  // namespace
}  // namespace gearman
