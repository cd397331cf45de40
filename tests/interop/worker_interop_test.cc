// Our worker with clients that others made: Debian's `gearman` and libgearman,
// through a real gearmand.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::ProgramResult;
using support::RunProgram;
using support::SubprocessOptions;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string AllBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 7 + i / 256);
  }
  return bytes;
}

class WorkerInteropTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ok());
    WorkerOptions options;
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Worker>> worker =
        Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
  }
  void TearDown() override {
    worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void Serve(const std::string& task, Worker::Handler handler) {
    const absl::Status status = worker_->Register(task, std::move(handler));
    ASSERT_TRUE(status.ok()) << status;
  }
  void Start() {
    thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
  }
  // Debian's client.
  ProgramResult Gearman(std::vector<std::string> arguments,
                        const std::string& input) {
    SubprocessOptions options;
    options.argv = {"gearman", "-h", "127.0.0.1", "-p",
                    absl::StrCat(server_.port())};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.input = input;
    absl::StatusOr<ProgramResult> result =
        RunProgram(std::move(options), absl::Minutes(2));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : ProgramResult();
  }
  // The small client of tests/interop/libgearman_client.cc: what it hears.
  std::vector<std::string> Libgearman(const std::string& task,
                                      const std::string& input) {
    SubprocessOptions options;
    options.argv = {"tests/interop/libgearman_client",
                    absl::StrCat(server_.port()), task};
    options.input = input;
    absl::StatusOr<ProgramResult> result =
        RunProgram(std::move(options), absl::Minutes(2));
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return {};
    EXPECT_TRUE(result->status.ok()) << result->error_output;
    return absl::StrSplit(absl::StripSuffix(result->output, "\n"), '\n');
  }
  static absl::StatusOr<std::string> Echo(JobContext& context) {
    const absl::string_view data = context.job().data();
    return std::string(data.data(), data.size());
  }

  // Whether the payload is AllBytes of its size.
  static absl::StatusOr<std::string> Compare(JobContext& context) {
    const absl::string_view data = context.job().data();
    return std::string(data == AllBytes(data.size()) ? "the same" : "not");
  }

  GearmandProcess server_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

TEST_F(WorkerInteropTest, TheToolGetsAResult) {
  Serve("upper", [](JobContext& context) -> absl::StatusOr<std::string> {
    return absl::AsciiStrToUpper(context.job().data());
  });
  Start();
  const ProgramResult result = Gearman({"-f", "upper"}, "hello");
  EXPECT_TRUE(result.status.ok()) << result.error_output;
  EXPECT_EQ(result.output, "HELLO");
}

// The time that libgearman needs to receive a payload grows with the square of
// its size, and so does the time that its tool needs to read its input: 64 KiB
// are instant, 16 MiB take more than a minute. So our own client receives
// results of 16 MiB, below. Libgearman needs 10 s to send 16 MiB through its 64
// KiB socket buffer.
constexpr size_t kLibgearmanReceives = 64 << 10;
constexpr size_t kToolReads = 1 << 20;
constexpr size_t kLargest = 16 << 20;

TEST_F(WorkerInteropTest, TheToolCarriesPayloadsOfAnySizeThatItCanReceive) {
  Serve("echo", Echo);
  Start();
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{256}, kLibgearmanReceives}) {
    const std::string payload = AllBytes(size);
    const ProgramResult result = Gearman({"-f", "echo"}, payload);
    EXPECT_TRUE(result.status.ok()) << result.error_output;
    EXPECT_TRUE(result.output == payload) << size;
  }
}

TEST_F(WorkerInteropTest, TheToolSendsLargePayloads) {
  Serve("compare", Compare);
  Start();
  const ProgramResult result = Gearman({"-f", "compare"}, AllBytes(kToolReads));
  EXPECT_TRUE(result.status.ok()) << result.error_output;
  EXPECT_EQ(result.output, "the same");
}

TEST_F(WorkerInteropTest, TheToolsBackgroundJobsOfEachPriorityAreDone) {
  absl::Mutex mutex;
  std::vector<std::string> heard;
  absl::BlockingCounter left(3);
  Serve("note", [&](JobContext& context) -> absl::StatusOr<std::string> {
    {
      absl::MutexLock lock(&mutex);
      heard.emplace_back(context.job().data());
    }
    left.DecrementCount();
    return std::string();
  });
  for (const char* priority : {"-L", "-b", "-I"}) {
    std::vector<std::string> arguments = {"-f", "note", "-b"};
    if (std::string(priority) != "-b") arguments.push_back(priority);
    EXPECT_TRUE(Gearman(arguments, priority).status.ok());
  }
  Start();
  left.Wait();
  absl::MutexLock lock(&mutex);
  EXPECT_THAT(heard, ElementsAre("-I", "-b", "-L"));
}

TEST_F(WorkerInteropTest, TheToolHearsAFailure) {
  Serve("fails", [](JobContext&) -> absl::StatusOr<std::string> {
    return JobFailed("no");
  });
  Start();
  EXPECT_FALSE(Gearman({"-f", "fails"}, "x").status.ok());
}

// gearmand spoils what it makes of a WORK_EXCEPTION for a client that has not
// asked for exceptions: the tool waited for ever.
TEST_F(WorkerInteropTest, TheToolHearsTheTextOfAFailureAndEnds) {
  Serve("raises", [](JobContext&) -> absl::StatusOr<std::string> {
    throw std::runtime_error("boom");
  });
  Serve("finds", [](JobContext&) -> absl::StatusOr<std::string> {
    return absl::NotFoundError("no image 17");
  });
  Start();
  const ProgramResult raised = Gearman({"-f", "raises"}, "x");
  EXPECT_FALSE(raised.status.ok());
  EXPECT_THAT(raised.error_output, HasSubstr("boom"));
  const ProgramResult found = Gearman({"-f", "finds"}, "x");
  EXPECT_FALSE(found.status.ok());
  EXPECT_THAT(found.error_output, HasSubstr("NOT_FOUND: no image 17"));
}

TEST_F(WorkerInteropTest, OurClientHearsTheTextOfAFailure) {
  Serve("raises", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SendWarning("careful").IgnoreError();
    throw std::runtime_error("boom");
  });
  Start();
  ClientOptions options;
  options.servers = {server_.address()};
  options.transports = TcpOnly();
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(options));
  ASSERT_TRUE(client.ok()) << client.status();
  const JobRequest request = (*client)->SubmitJob("raises", "x");
  EXPECT_EQ((*client)->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(request.exception(), "boom");
  EXPECT_THAT(request.warning_updates(), ElementsAre("careful"));
}

TEST_F(WorkerInteropTest, LibgearmanHearsUpdatesInOrder) {
  Serve("updates", [](JobContext& context) -> absl::StatusOr<std::string> {
    context.SendWarning("careful").IgnoreError();
    context.SendData("one").IgnoreError();
    context.SendStatus(1, 2).IgnoreError();
    context.SendData(std::string("two\0\xff", 5)).IgnoreError();
    return std::string("done");
  });
  Start();
  EXPECT_THAT(Libgearman("updates", "x"),
              ElementsAre("warning " + absl::BytesToHexString("careful"),
                          "data " + absl::BytesToHexString("one"),
                          "status 312f32", "data 74776f00ff",
                          "complete " + absl::BytesToHexString("done")));
}

TEST_F(WorkerInteropTest, LibgearmanHearsTheTextAsAWarningAndAFailure) {
  Serve("raises", [](JobContext&) -> absl::StatusOr<std::string> {
    throw std::runtime_error("boom");
  });
  Serve("fails", [](JobContext&) -> absl::StatusOr<std::string> {
    return JobFailed("no");
  });
  Start();
  EXPECT_THAT(Libgearman("raises", "x"),
              ElementsAre("warning " +
                              absl::BytesToHexString("gearman exception: boom"),
                          "fail"));
  EXPECT_THAT(Libgearman("fails", "x"), ElementsAre("fail"));
}

// Not 0 bytes: libgearman refuses to add such a task.
TEST_F(WorkerInteropTest, LibgearmanCarriesPayloadsOfAnySizeThatItCanReceive) {
  Serve("echo", Echo);
  Start();
  for (const size_t size : {size_t{1}, size_t{256}, kLibgearmanReceives}) {
    const std::string payload = AllBytes(size);
    const std::vector<std::string> heard = Libgearman("echo", payload);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0] == "complete " + absl::BytesToHexString(payload))
        << size;
  }
}

TEST_F(WorkerInteropTest, LibgearmanSendsLargePayloads) {
  Serve("compare", Compare);
  Start();
  EXPECT_THAT(Libgearman("compare", AllBytes(kLargest)),
              ElementsAre("complete " + absl::BytesToHexString("the same")));
}

TEST_F(WorkerInteropTest, OurClientCarriesPayloadsOfAnySizeBothWays) {
  Serve("echo", Echo);
  Start();
  ClientOptions options;
  options.servers = {server_.address()};
  options.transports = TcpOnly();
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(options));
  ASSERT_TRUE(client.ok()) << client.status();
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{256}, size_t{64 << 10}, kLargest}) {
    const std::string payload = AllBytes(size);
    const absl::StatusOr<std::string> result = (*client)->Run("echo", payload);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(*result == payload) << size;
  }
}

}  // namespace
}  // namespace gearman
