// Tests of the cost of a job in numbers that do not depend on the machine:
// writes, reads, allocations, grabs. All in one thread on a virtual clock.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/counting_transport.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gtest/gtest.h"

namespace {

// The side whose code runs. All run in turns in one thread.
enum Side { kTest, kClient, kWorker, kServer, kSides };
constexpr const char* kSideNames[] = {"test", "client", "worker", "server"};

// The allocations of a job of 13 bytes on each side, on average over thousands.
// Each limit is a little above the counted value, so that a change that makes
// jobs cost more must change it. (In steady state a job should cost at most 2.)
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr double kClientAllocations = 1.1;  // ThreadCache keeps nothing
#else
constexpr double kClientAllocations = 0.1;
#endif
constexpr double kMaxAllocations[kSides] = {0.01, kClientAllocations, 0.1,
                                            0.05};

// For a job with large data and a large result.
constexpr double kMaxAllocationsOfLarge[kSides] = {0, 2.4 + kClientAllocations,
                                                   0.5, 3.5};

Side side = kTest;
uint64_t allocations[kSides];
// Allocations of at least kLarge bytes are large.
constexpr size_t kLarge = 16384;
uint64_t large_allocations[kSides];

// Counts for a side while it lives.
class As {
 public:
  explicit As(Side now) : before_(side) { side = now; }
  ~As() { side = before_; }
  As(const As&) = delete;
  As& operator=(const As&) = delete;

 private:
  const Side before_;
};

}  // namespace

// The whole program's; malloc itself is not counted. One thread.
void* operator new(size_t size) {
  ++allocations[side];
  if (size >= kLarge) ++large_allocations[side];
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

class CountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    JobServer& server = stack_.StartServer("jobs");
    stack_.simulation.Drive("server jobs", [&server] {
      const As as(kServer);
      server.RunOnce(absl::InfinitePast()).IgnoreError();
      return absl::InfiniteFuture();
    });
    WorkerOptions worker_options =
        stack_.WorkerDefaults("worker", {"counted-worker://jobs"});
    ASSERT_TRUE(worker_options.transports
                    ->Register("counted-worker",
                               std::make_shared<testing::CountingFactory>(
                                   stack_.network(), &worker_counts_))
                    .ok());
    worker_ = &stack_.StartWorker("worker", std::move(worker_options));
    stack_.simulation.Drive("worker", [this] {
      const As as(kWorker);
      return worker_->RunOnce(absl::InfinitePast());
    });
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
    ASSERT_TRUE(client_options.transports
                    ->Register("counted-client",
                               std::make_shared<testing::CountingFactory>(
                                   stack_.network(), &client_counts_))
                    .ok());
    client_ = stack_.MakeClient(std::move(client_options));
  }
  void Run(int jobs) {
    std::vector<JobSpec> specs;
    specs.reserve(static_cast<size_t>(jobs));
    for (int i = 0; i < jobs; ++i) specs.emplace_back("tiny", "0123456789abc");
    const As as(kClient);
    const auto requests = client_->SubmitMultipleJobs(std::move(specs));
    ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  }

  testing::SimulatedStack stack_{1};
  testing::IoCounts client_counts_;
  testing::IoCounts worker_counts_;
  Worker* worker_ = nullptr;
  std::unique_ptr<Client> client_;
};

TEST_F(CountsTest, ThousandsOfJobsLeaveInAFewWrites) {
  Run(1000);
  client_counts_.Reset();
  worker_counts_.Reset();
  for (int i = 0; i < 10; ++i) Run(1000);
  RecordProperty("client_writes", static_cast<int>(client_counts_.writes));
  RecordProperty("client_reads", static_cast<int>(client_counts_.reads));
  RecordProperty("worker_writes", static_cast<int>(worker_counts_.writes));
  RecordProperty("worker_reads", static_cast<int>(worker_counts_.reads));
  // For 10,000 jobs: one write for each thousand, and far fewer than 0.1 calls
  // for each job in all.
  EXPECT_LE(client_counts_.writes, 20u);
  EXPECT_LE(client_counts_.reads, 500u);
  EXPECT_LE(worker_counts_.writes, 500u);
  EXPECT_LE(worker_counts_.reads, 500u);
}

TEST_F(CountsTest, AJobCostsFewAllocationsOnEachSide) {
  for (int i = 0; i < 5; ++i) Run(1000);
  uint64_t before[kSides];
  std::copy(std::begin(allocations), std::end(allocations), before);
  for (int i = 0; i < 10; ++i) Run(1000);
  for (int i = 0; i < kSides; ++i) {
    const double per_job =
        static_cast<double>(allocations[i] - before[i]) / 10000;
    RecordProperty(absl::StrCat("allocations_per_job_of_", kSideNames[i]),
                   std::to_string(per_job));
    EXPECT_LE(per_job, kMaxAllocations[i]) << kSideNames[i];
    EXPECT_GT(allocations[i], before[i]) << "are they counted at all?";
  }
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

// A large payload, in process: nobody allocates memory for one, and so nobody
// copies it.
TEST_F(CountsTest, LargePayloadsNeedNoMemoryOnTheirWay) {
  constexpr size_t kBytes = 1 << 20;
  constexpr int kJobs = 100;
  WorkerOptions worker_options =
      stack_.WorkerDefaults("large worker", {"inproc://jobs"});
  Worker& worker =
      stack_.StartWorker("large worker", std::move(worker_options));
  stack_.simulation.Drive("large worker", [&worker] {
    const As as(kWorker);
    return worker.RunOnce(absl::InfinitePast());
  });
  std::vector<std::string> results(2 * kJobs, std::string(kBytes, 'r'));
  ASSERT_TRUE(worker
                  .Register("large",
                            [&results](JobContext&) {
                              std::string result = std::move(results.back());
                              results.pop_back();
                              return result;
                            })
                  .ok());
  const auto client = stack_.MakeClient("large client", {"inproc://jobs"});
  const auto run = [&](int jobs) {
    std::vector<JobSpec> specs;
    specs.reserve(static_cast<size_t>(jobs));
    for (int i = 0; i < jobs; ++i) {
      specs.emplace_back("large", std::string(kBytes, 'd'));
    }
    const As as(kClient);
    const auto requests = client->SubmitMultipleJobs(std::move(specs));
    ASSERT_TRUE(client->WaitUntilJobsCompleted(requests).ok());
    for (const JobRequest& request : requests) {
      ASSERT_EQ(request.result_view().size(), kBytes);
    }
  };
  // Buffers and tables grow to their size.
  run(kJobs);
  uint64_t before[kSides];
  std::copy(std::begin(allocations), std::end(allocations), before);
  std::fill(std::begin(large_allocations), std::end(large_allocations), 0);
  run(kJobs);
  for (const Side one : {kClient, kWorker, kServer}) {
    EXPECT_EQ(large_allocations[one], 0u) << kSideNames[one];
    const double each =
        static_cast<double>(allocations[one] - before[one]) / kJobs;
    RecordProperty(absl::StrCat(kSideNames[one], "_allocations_large"),
                   absl::StrCat(each));
    EXPECT_LT(each, kMaxAllocationsOfLarge[one]) << kSideNames[one];
  }
}

}  // namespace
}  // namespace gearman
