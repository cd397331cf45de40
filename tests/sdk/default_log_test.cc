// The log of a program that has set none: warnings go to standard error.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Standard error of a worker that runs until it has failed to reach its server.
std::string ErrorOutputOf(WorkerOptions options) {
  ::testing::internal::CaptureStderr();
  auto worker = Worker::Create(std::move(options));
  EXPECT_TRUE(worker.ok()) << worker.status();
  std::thread thread([&worker] { EXPECT_TRUE((*worker)->Run().ok()); });
  EXPECT_TRUE(support::WaitFor([&worker] {
    return (*worker)->health().servers[0].state == ServerState::kFailing;
  }));
  (*worker)->Stop();
  thread.join();
  return ::testing::internal::GetCapturedStderr();
}

TEST(DefaultLogTest, AWorkerThatReachesNoServerSaysSo) {
  support::RawListener gone;
  const std::string address = gone.address();
  gone.Close();
  WorkerOptions options;
  options.servers = {address};
  EXPECT_THAT(ErrorOutputOf(options),
              AllOf(HasSubstr("gearman warning: lost "), HasSubstr(address)));
  options.logger = Logger();
  EXPECT_THAT(ErrorOutputOf(options), IsEmpty());
}

// The lines of a client or worker while it is made.
template <typename Made, typename Options>
std::vector<std::string> LinesOf(std::vector<std::string> servers) {
  std::vector<std::string> lines;
  Options options;
  options.servers = std::move(servers);
  options.logger = Logger(
      LogLevel::kWarning,
      [&lines](LogLevel, absl::string_view line) { lines.emplace_back(line); });
  EXPECT_TRUE(Made::Create(std::move(options)).ok());
  return lines;
}

TEST(DefaultLogTest, TheEmbeddedServerIsToldWhenNobodyHasNamedIt) {
  const auto told = ElementsAre(
      AllOf(HasSubstr("no server is named"), HasSubstr("inproc://default")));
  EXPECT_THAT((LinesOf<Client, ClientOptions>({})), told);
  EXPECT_THAT((LinesOf<Worker, WorkerOptions>({})), told);
  EXPECT_THAT((LinesOf<Client, ClientOptions>({"inproc://default"})),
              IsEmpty());
  EXPECT_THAT((LinesOf<Worker, WorkerOptions>({"inproc://default"})),
              IsEmpty());
}

}  // namespace
}  // namespace gearman
