// gearctl where a system call fails, as where descriptors, memory or processes
// have run out: one call of one run, each call of a run in turn, in each way.
//
// The program ends, by itself or on a signal, says why, and loses no job.
#include "gearman/tests/support/failing_calls.h"

#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::ExitStatus;
using support::FailingCall;
using support::SubprocessOptions;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kJobs = 3;

// A scenario that gearctl runs, and a function that it calls in it.
struct Run {
  std::string scenario;  // as RunScenario knows it
  std::string call;
};

class FailingCallsTest : public ::testing::TestWithParam<Run> {
 protected:
  // Starts gearctl with the call that fails.
  std::unique_ptr<Subprocess> Start(SubprocessOptions options) {
    if (clean()) {
      calls_.Count(&options);
    } else {
      calls_.Fail(call_, &options);
    }
    absl::StatusOr<std::unique_ptr<Subprocess>> process =
        Subprocess::Start(std::move(options));
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }

  // The program ends: with success, or with a code and a message. `signal`: one
  // that was sent may end it at once, where it can't be held back.
  void ExpectAnEnd(Subprocess& process, int signal = 0) {
    const absl::StatusOr<ExitStatus> end = process.Wait();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_TRUE(end->signal == 0 || (end->signal == signal && !clean()))
        << end->ToString() << process.error_output();
    if (end->code > 0) {
      EXPECT_THAT(process.error_output(), HasSubstr("gearctl: "));
    }
  }

  std::unique_ptr<Client> MakeClientOf(const std::string& server) {
    ClientOptions options;
    options.servers = {server};
    options.timeout = support::kBound;
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  std::vector<JobRequest> SubmitJobs(Client& client) {
    std::vector<JobSpec> specs;
    for (int i = 0; i < kJobs; ++i) {
      specs.emplace_back("upper", absl::StrCat("job ", i));
      specs.back().options.idempotent = true;
    }
    return client.SubmitMultipleJobs(std::move(specs));
  }

  // Each job was done, or its client was told that it was not.
  void ExpectEachTold(Client& client, const std::vector<JobRequest>& requests) {
    for (int i = 0; i < kJobs; ++i) {
      client.Wait(requests[i]).IgnoreError();  // the request tells
      const absl::Status status = requests[i].status();
      EXPECT_FALSE(absl::IsDeadlineExceeded(status)) << status;
      if (status.ok()) {
        EXPECT_EQ(requests[i].result_view(), absl::StrCat("JOB ", i));
      } else {
        EXPECT_THAT(std::string(status.message()), Not(IsEmpty()));
      }
      EXPECT_TRUE(status.ok() || !clean()) << status;
    }
  }

  void RegisterUpper(TestWorker& worker) {
    worker.Register("upper", [](JobContext& context) {
      return absl::AsciiStrToUpper(context.job().data());
    });
    worker.Start();
  }

  void RunSubmit(bool lines) {
    TestWorker worker(server_.address());
    RegisterUpper(worker);
    SubprocessOptions options =
        GearctlOptions({"submit", "--server", server_.address(), "upper",
                        "--file", directory_.Write("payload", "one\ntwo\n")});
    if (lines) options.argv.push_back("--lines");
    std::unique_ptr<Subprocess> process = Start(std::move(options));
    ExpectAnEnd(*process);
    const bool all_well = process->Wait()->code == 0;
    EXPECT_TRUE(all_well || !clean()) << process->error_output();
    if (all_well) {
      EXPECT_EQ(process->output(), "ONE\nTWO\n");
    }
  }

  SubprocessOptions WorkOptions() {
    return GearctlOptions({"work", "--server", server_.address(), "upper",
                           "--concurrency", "2", "--", "tr", "a-z", "A-Z"});
  }

  void RunWork() {
    std::unique_ptr<Client> client = MakeClientOf(server_.address());
    std::unique_ptr<Subprocess> process = Start(WorkOptions());
    const std::vector<JobRequest> requests = SubmitJobs(*client);
    // A worker that ends with an error leaves its jobs to the next one.
    std::unique_ptr<Subprocess> next;
    std::atomic<bool> done{false};
    std::thread watcher([&] {
      ExpectAnEnd(*process);
      if (!done) next = *Subprocess::Start(WorkOptions());
    });
    ExpectEachTold(*client, requests);
    done = true;
    process->Signal(SIGTERM);
    watcher.join();
  }

  void RunServer() {
    std::unique_ptr<Subprocess> process =
        Start(GearctlOptions({"server", "--listen", "127.0.0.1:0"}));
    if (process->WaitForOutput("\n").ok()) {
      const std::string address(absl::StripAsciiWhitespace(process->output()));
      TestWorker worker(address);
      RegisterUpper(worker);
      std::unique_ptr<Client> client = MakeClientOf(address);
      ExpectEachTold(*client, SubmitJobs(*client));
      process->Signal(SIGTERM);
    }
    ExpectAnEnd(*process, SIGTERM);
    EXPECT_TRUE(process->Wait()->ok() || !clean()) << process->error_output();
  }

  // Nothing fails in this run.
  bool clean() const { return call_.nth == 0; }

  // A command that asks, and needs no worker of the test.
  void RunQuestion(std::vector<std::string> arguments) {
    arguments.push_back("--server");
    arguments.push_back(server_.address());
    std::unique_ptr<Subprocess> process =
        Start(GearctlOptions(std::move(arguments)));
    ExpectAnEnd(*process);
    EXPECT_TRUE(process->Wait()->ok() || !clean()) << process->error_output();
  }

  void RunScenario() {
    const std::string& scenario = GetParam().scenario;
    if (scenario == "submit") return RunSubmit(/*lines=*/false);
    if (scenario == "lines") return RunSubmit(/*lines=*/true);
    if (scenario == "work") return RunWork();
    if (scenario == "status") return RunQuestion({"status"});
    if (scenario == "bench") {
      return RunQuestion({"bench", "--jobs", "20", "--workers", "2"});
    }
    RunServer();
  }

  FailingCall call_{GetParam().call, 0, 0};
  support::FailingCalls calls_;
  const support::TestDirectory directory_;
  ServerProcess server_;
};

std::vector<Run> Runs() {
  std::vector<Run> runs;
  for (const char* const scenario : {"submit", "lines", "work", "server"}) {
    for (const char* const call : {"epoll_create1", "epoll_ctl", "eventfd",
                                   "pthread_create", "signalfd", "socket"}) {
      runs.push_back({scenario, call});
    }
  }
  for (const char* const call :
       {"epoll_create1", "epoll_ctl", "eventfd", "pthread_create", "socket"}) {
    runs.push_back({"bench", call});
    if (call != std::string("pthread_create")) runs.push_back({"status", call});
  }
  runs.push_back({"submit", "open"});
  runs.push_back({"lines", "open"});
  runs.push_back({"work", "pipe2"});
  runs.push_back({"work", "clone"});
  runs.push_back({"server", "accept4"});
  return runs;
}

INSTANTIATE_TEST_SUITE_P(
    Calls, FailingCallsTest, ::testing::ValuesIn(Runs()), [](const auto& run) {
      return absl::StrReplaceAll(
          absl::StrCat(run.param.scenario, "_", run.param.call), {{"_", "X"}});
    });

TEST_P(FailingCallsTest, OneThatFailsNeitherHangsNorCrashesNorLosesAJob) {
  RunScenario();
  const uint64_t made = calls_.count(call_.name);
  EXPECT_GT(made, 0u) << "gearctl does not call " << call_.name;
  for (uint64_t nth = 1; nth <= made && !HasFailure(); ++nth) {
    for (const int error : support::CallErrors()) {
      call_.nth = nth;
      call_.error = error;
      SCOPED_TRACE(absl::StrCat(call_.name, " number ", nth, ": ",
                                std::strerror(error)));
      RunScenario();
    }
  }
}

TEST(FailingServerTest, OneThatCannotWatchItsSocketPausesBetweenTwoTries) {
  SubprocessOptions options =
      GearctlOptions({"server", "--listen", "127.0.0.1:0"});
  support::FailingCalls calls;
  // After a pause for want of descriptors it watches its socket again.
  calls.FailEach(
      {{"accept4", 1, EMFILE}, {"epoll_ctl", 3, ENOMEM, /*and_later=*/true}},
      &options);
  absl::StatusOr<std::unique_ptr<Subprocess>> server =
      Subprocess::Start(std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->WaitForOutput("\n").ok());
  const ProgramResult run =
      Gearctl({"ping", "--count", "4", "--interval", "200ms", "--server",
               std::string(absl::StripAsciiWhitespace((*server)->output()))});
  EXPECT_EQ(run.status.signal, 0) << run.error_output;
  EXPECT_GT(calls.count("epoll_ctl"), 2u);
  EXPECT_LT(calls.count("epoll_ctl"), 5000u);
  (*server)->Signal(SIGTERM);
  EXPECT_EQ((*server)->Wait()->code, 0);
}

TEST(FewDescriptorsTest, EachNumberOfThemIsEnoughToEnd) {
  ServerProcess server;
  TestWorker worker(server.address());
  worker.Register("t", [](JobContext&) { return std::string("done"); });
  worker.Start();
  const std::vector<std::vector<std::string>> commands = {
      {"submit", "--server", server.address(), "t"},
      {"work", "--server", server.address(), "other", "--", "cat"},
      {"server", "--listen", "127.0.0.1:0"}};
  for (const std::vector<std::string>& command : commands) {
    for (uint64_t descriptors = 0; descriptors < 12; ++descriptors) {
      SubprocessOptions options = GearctlOptions(command);
      support::FailingCalls calls;
      calls.Fail(
          {"any_descriptor", descriptors + 1, EMFILE, /*and_later=*/true},
          &options);
      SCOPED_TRACE(absl::StrCat(command[0], ": ", descriptors));
      absl::StatusOr<std::unique_ptr<Subprocess>> process =
          Subprocess::Start(std::move(options));
      ASSERT_TRUE(process.ok()) << process.status();
      // A program that is at work is asked to end.
      if (command[0] == "server") (*process)->WaitForOutput("\n").IgnoreError();
      if (command[0] == "work") {
        (*process)->WaitForErrorOutput("works on").IgnoreError();
      }
      if (command[0] != "submit") (*process)->Signal(SIGTERM);
      const absl::StatusOr<ExitStatus> end = (*process)->Wait();
      ASSERT_TRUE(end.ok()) << end.status();
      EXPECT_TRUE(end->signal == 0 || end->signal == SIGTERM)
          << end->ToString() << (*process)->error_output();
      if (end->code > 0) {
        EXPECT_THAT((*process)->error_output(), HasSubstr("gearctl: "));
      } else if (command[0] == "submit") {
        EXPECT_EQ((*process)->output(), "done");
      }
    }
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
