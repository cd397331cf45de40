// inproc://default: the server of programs that name none. The whole process
// has one, so this is one test, in the order of a program's life.
#include "gearman/sdk/embedded/default_server.h"

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Names() { return InprocNetwork::Default()->names(); }

// Without a background thread: whatever thread there is, it is the server's.
std::unique_ptr<Client> DefaultClient() {
  ClientOptions options;
  options.drive_mode = DriveMode::kCallerOnly;
  auto client = Client::Create(std::move(options));
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(DefaultServerTest, StartsWhenFirstUsedAndIsOneForAll) {
  // A server that listens there is the default server as long as it lives.
  {
    auto own = JobServer::Create();
    ASSERT_TRUE(own.ok()) << own.status();
    ASSERT_TRUE((*own)->Listen("inproc://default").ok());
    EXPECT_TRUE(StartDefaultServer().ok());
    const auto client = DefaultClient();
    const JobRequest request = client->SubmitBackgroundJob("f", "");
    EXPECT_TRUE(client->WaitUntilJobsAccepted({request}).ok());
    EXPECT_EQ((*own)->jobs(), 1u);
  }
  EXPECT_THAT(Names(), IsEmpty());

  // A client alone starts nothing; its first use does, without a thread or a
  // descriptor that outlives the client.
  const int threads = support::ThreadCount();
  const int descriptors = support::DescriptorCount();
  {
    const auto client = DefaultClient();
    EXPECT_THAT(Names(), IsEmpty());
    const JobRequest request = client->SubmitBackgroundJob("greet", "");
    EXPECT_TRUE(client->WaitUntilJobsAccepted({request}).ok());
    EXPECT_THAT(Names(), ElementsAre("default"));
    EXPECT_EQ(support::ThreadCount(), threads);
  }
  EXPECT_EQ(support::DescriptorCount(), descriptors);
  EXPECT_TRUE(StartDefaultServer().ok());
  EXPECT_TRUE(StartDefaultServer().ok());

  // The server is still the same: another client's worker gets that job.
  auto worker = Worker::Create(WorkerOptions());
  ASSERT_TRUE(worker.ok()) << worker.status();
  int greeted = 0;
  ASSERT_TRUE((*worker)
                  ->Register("greet",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               ++greeted;
                               return "hello";
                             })
                  .ok());
  std::thread thread([&worker] { EXPECT_TRUE((*worker)->Run().ok()); });
  EXPECT_EQ(*DefaultClient()->Run("greet", ""), "hello");
  (*worker)->Stop();
  thread.join();
  EXPECT_EQ(greeted, 2);
}

}  // namespace
}  // namespace gearman
