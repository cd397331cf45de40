// Bodies from sources, from a client through a job server to a worker and back.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/body_source.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/transports/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::gearman::testing::FaultPlan;
using ::gearman::testing::MirrorBody;
using ::gearman::testing::PatternBytes;
using ::gearman::testing::PatternSource;
using ::testing::HasSubstr;

struct Way {
  std::string listen;
  int concurrency;
};

class BodiesTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    auto server = JobServer::Create({});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const auto address = server_->Listen(GetParam().listen);
    ASSERT_TRUE(address.ok()) << address.status();
    WorkerOptions worker_options;
    worker_options.servers = {*address};
    worker_options.concurrency = GetParam().concurrency;
    auto worker = Worker::Create(std::move(worker_options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(worker_->Register("mirror", MirrorBody).ok());
    ASSERT_TRUE(worker_->Start().ok());
    ClientOptions client_options;
    client_options.servers = {*address};
    auto client = Client::Create(std::move(client_options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Client> client_;
};

TEST_P(BodiesTest, EveryByteArrivesBothWays) {
  for (const size_t size : {size_t{1}, size_t{65536}, size_t{262144},
                            size_t{262145}, size_t{9} << 20}) {
    JobSpec spec("mirror", "");
    spec.body = std::make_shared<PatternSource>(size);
    const auto result =
        client_->Result(client_->SubmitJob(std::move(spec)), support::kBound);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == PatternBytes(0, size)) << size;
  }
}

TEST_P(BodiesTest, ManyPassBesideJobsWithoutOne) {
  std::vector<JobSpec> specs;
  const auto size_of = [](size_t i) { return i * 30011; };
  for (size_t i = 0; i < 40; ++i) {
    specs.emplace_back("mirror", i % 2 == 0 ? PatternBytes(0, size_of(i)) : "");
    if (i % 2 == 0) continue;
    specs.back().body = std::make_shared<PatternSource>(size_of(i));
  }
  const std::vector<JobRequest> requests =
      client_->SubmitMultipleJobs(std::move(specs));
  EXPECT_TRUE(client_->WaitUntilJobsCompleted(requests, support::kBound).ok());
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_TRUE(requests[i].result() == PatternBytes(0, size_of(i)))
        << i << " " << requests[i].status();
  }
}

TEST_P(BodiesTest, TheResultMayComeInPieces) {
  constexpr uint64_t kSize = 9 << 20;
  uint64_t received = 0;
  int pieces = 0;
  bool same = true;
  JobSpec spec("mirror", "");
  spec.body = std::make_shared<PatternSource>(kSize);
  spec.options.callbacks.on_piece = [&](const JobRequest&,
                                        const DataPiece& piece) {
    same = same && piece.kind == DataPiece::Kind::kResult &&
           piece.size == kSize && piece.offset == received &&
           piece.bytes == PatternBytes(received, piece.bytes.size());
    received += piece.bytes.size();
    ++pieces;
  };
  const absl::Status status =
      client_->Wait(client_->SubmitJob(std::move(spec)), support::kBound);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(same);
  EXPECT_EQ(received, kSize);
  EXPECT_GE(pieces, 36);
}

TEST_P(BodiesTest, AFileIsSent) {
  const support::TestDirectory directory;
  const std::string content = PatternBytes(0, 3 << 20);
  const auto body = FileBody(directory.Write("data", content));
  ASSERT_TRUE(body.ok()) << body.status();
  JobSpec spec("mirror", "");
  spec.body = *body;
  const auto result =
      client_->Result(client_->SubmitJob(std::move(spec)), support::kBound);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(*result == content);
}

INSTANTIATE_TEST_SUITE_P(All, BodiesTest,
                         ::testing::Values(Way{"inproc://bodies-1", 1},
                                           Way{"inproc://bodies-2", 2},
                                           Way{"tcp://127.0.0.1:0", 1},
                                           Way{"tcp://127.0.0.1:0", 2}),
                         [](const ::testing::TestParamInfo<Way>& info) {
                           return absl::StrCat(info.param.listen.substr(0, 3),
                                               info.param.concurrency);
                         });

// --- faults ------------------------------------------------------------------

struct Outcome {
  absl::Status status;
  int attempts = 0;
  // Jobs that the handler has seen, and those of them with other bytes.
  int jobs = 0;
  int wrong = 0;
};

// Submits one job with a body of so many bytes. The client's first connection
// is cut after it has written `cut` bytes.
Outcome RunWithCut(uint64_t size, uint64_t cut, size_t max_piece) {
  Outcome run;
  bool first = true;
  testing::SimulatedStack stack(cut + 1);
  stack.plan = [&](const Address&) {
    FaultPlan plan;
    plan.bytes_only = true;
    plan.max_piece = max_piece;
    plan.seed = cut;
    if (std::exchange(first, false)) plan.cut_after_written = cut;
    return plan;
  };
  stack.StartServer("jobs");
  Worker& worker = stack.StartWorker("worker", {"inproc://jobs"});
  EXPECT_TRUE(
      worker
          .Register("count",
                    [&](JobContext& context) -> absl::StatusOr<std::string> {
                      ++run.jobs;
                      if (context.job().data() != PatternBytes(0, size)) {
                        ++run.wrong;
                      }
                      return std::string("counted");
                    })
          .ok());
  const auto client = stack.MakeClient("client", {"faulty://jobs"});
  JobSpec spec("count", "");
  spec.body = std::make_shared<PatternSource>(size);
  const JobRequest request = client->SubmitJob(std::move(spec));
  run.status = client->Wait(request, absl::Hours(1));
  run.attempts = request.connection_attempts();
  return run;
}

// A connection that is cut within the packet costs an attempt and nothing else:
// no server accepts a part. A cut behind the packet leaves the job in doubt.
TEST(BodiesFaultsTest, ACutAtEachByteLosesAndDoublesNothing) {
  constexpr uint64_t kSize = 300;
  int repeated = 0;
  int whole = 0;
  for (uint64_t cut = 0; cut < kSize + 150; ++cut) {
    const Outcome run = RunWithCut(kSize, cut, /*max_piece=*/50);
    EXPECT_EQ(run.wrong, 0) << cut;
    if (run.status.ok()) {
      EXPECT_EQ(run.jobs, 1) << cut;
      (run.attempts > 1 ? repeated : whole) += 1;
      continue;
    }
    EXPECT_EQ(run.status.code(), absl::StatusCode::kUnavailable)
        << cut << ": " << run.status;
    EXPECT_THAT(std::string(run.status.message()), HasSubstr("unknown"));
    EXPECT_LE(run.jobs, 1) << cut;
  }
  EXPECT_GT(repeated, static_cast<int>(kSize));
  EXPECT_GT(whole, 10) << "the last cuts are behind everything";
}

TEST(BodiesFaultsTest, CutsAroundPartsLoseAndDoubleNothing) {
  constexpr uint64_t kPart = 256 << 10;
  constexpr uint64_t kSize = 2 * kPart + 1000;
  for (const uint64_t part : {kPart, 2 * kPart}) {
    // The head of the packet and the packet before it have some 100 bytes.
    for (uint64_t more = 0; more < 130; more += 7) {
      const Outcome run = RunWithCut(kSize, part + more, /*max_piece=*/0);
      EXPECT_TRUE(run.status.ok()) << part + more << ": " << run.status;
      EXPECT_EQ(run.attempts, 2);
      EXPECT_EQ(run.jobs, 1);
      EXPECT_EQ(run.wrong, 0);
    }
  }
}

}  // namespace
}  // namespace gearman
