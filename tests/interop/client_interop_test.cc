// Our client with workers that others made: Debian's `gearman -w` and
// libgearman, through a real gearmand.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::Subprocess;
using support::SubprocessOptions;
using ::testing::ElementsAre;

std::string AllBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i * 7 + i / 256);
  return bytes;
}

class ClientInteropTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ok());
    ClientOptions options;
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void StartProgram(std::vector<std::string> argv) {
    SubprocessOptions options;
    options.argv = std::move(argv);
    absl::StatusOr<std::unique_ptr<Subprocess>> program =
        Subprocess::Start(std::move(options));
    ASSERT_TRUE(program.ok()) << program.status();
    programs_.push_back(*std::move(program));
  }
  // A worker of Debian's tool that runs `command` for each job of `task`.
  void StartToolWorker(const std::string& task,
                       std::vector<std::string> command) {
    std::vector<std::string> argv = {
        "gearman", "-w", "-h", "127.0.0.1", "-p", absl::StrCat(server_.port()),
        "-f",      task, "--"};
    argv.insert(argv.end(), command.begin(), command.end());
    StartProgram(std::move(argv));
  }
  void StartLibgearmanWorker() {
    StartProgram(
        {"tests/interop/libgearman_worker", absl::StrCat(server_.port())});
    ASSERT_TRUE(programs_.back()->WaitForOutput("ready").ok());
  }

  GearmandProcess server_;
  std::unique_ptr<Client> client_;
  std::vector<std::unique_ptr<Subprocess>> programs_;
};

TEST_F(ClientInteropTest, TheToolsWorkerDoesAForegroundJob) {
  StartToolWorker("upper", {"tr", "a-z", "A-Z"});
  const absl::StatusOr<std::string> result = client_->Run("upper", "hello");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "HELLO");
}

// The tool feeds its command in one go before it reads, so it hangs once the
// payload exceeds the two pipes: 16 MiB are libgearman's test below.
TEST_F(ClientInteropTest, TheToolsWorkerCarriesBinaryPayloads) {
  StartToolWorker("cat", {"cat"});
  for (const size_t size : {size_t{0}, size_t{1}, size_t{256}, size_t{65536}}) {
    const std::string payload = AllBytes(size);
    const absl::StatusOr<std::string> result = client_->Run("cat", payload);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == payload) << size;
  }
}

TEST_F(ClientInteropTest, TheToolsWorkerDoesABackgroundJobOfEachPriority) {
  std::vector<JobRequest> requests;
  for (const Priority priority :
       {Priority::kNone, Priority::kLow, Priority::kHigh}) {
    CallOptions call;
    call.priority = priority;
    requests.push_back(client_->SubmitBackgroundJob("cat", "x", call));
    requests.push_back(client_->SubmitJob("cat", "y", call));
  }
  ASSERT_TRUE(client_->WaitUntilJobsAccepted(requests, kLong).ok());
  StartToolWorker("cat", {"cat"});
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests, kLong).ok());
  EXPECT_EQ(requests[1].result(), "y");
  // The server forgets background jobs when they are done.
  for (;;) {
    bool known = false;
    for (const auto& status : client_->GetJobStatuses(requests, kLong)) {
      ASSERT_TRUE(status.ok()) << status.status();
      known = known || status->known;
    }
    if (!known) break;
  }
}

TEST_F(ClientInteropTest, ACommandThatFailsIsAFailedJob) {
  StartToolWorker("false", {"false"});
  EXPECT_EQ(client_->Run("false", "x").status().code(),
            absl::StatusCode::kAborted);
}

TEST_F(ClientInteropTest, LibgearmansWorkerSendsUpdates) {
  StartLibgearmanWorker();
  const JobRequest request = client_->SubmitJob("lg_updates", "");
  ASSERT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(request.result(), "done");
  EXPECT_THAT(request.data_updates(),
              ElementsAre("one", std::string("two\0\xff", 5)));
  EXPECT_THAT(request.warning_updates(), ElementsAre("careful"));
  EXPECT_EQ(request.job_status().numerator, 1);
  EXPECT_EQ(request.job_status().denominator, 2);
}

TEST_F(ClientInteropTest, LibgearmansWorkerFailsAndRaises) {
  StartLibgearmanWorker();
  EXPECT_EQ(client_->Run("lg_fail", "").status().code(),
            absl::StatusCode::kAborted);
  const JobRequest request = client_->SubmitJob("lg_exception", "boom");
  EXPECT_EQ(client_->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(request.exception(), "boom");
}

TEST_F(ClientInteropTest, LibgearmansWorkerCarriesPayloadsOfAnySize) {
  StartLibgearmanWorker();
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{256}, size_t{65536}, size_t{16} << 20}) {
    const std::string payload = AllBytes(size);
    const absl::StatusOr<std::string> result = client_->Run("lg_echo", payload);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == payload) << size;
  }
}

}  // namespace
}  // namespace gearman
