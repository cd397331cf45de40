// JobRetryTest: workers whose failed jobs are tried again, on a virtual clock.
#ifndef GEARMAN_TESTS_SDK_JOB_RETRY_JOB_RETRY_FIXTURE_H_
#define GEARMAN_TESTS_SDK_JOB_RETRY_JOB_RETRY_FIXTURE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {

class JobRetryTest : public ::testing::Test {
 protected:
  // One run of a handler.
  struct Run {
    int attempt;
    std::string unique;  // of the first submission
    std::string data;
    absl::Time time;
  };
  using End = std::function<absl::StatusOr<std::string>(const Run&)>;

  ~JobRetryTest() override {
    for (const auto& retry : retries_) stack_.simulation.Stop(retry.first);
    retries_.clear();
    EXPECT_EQ(stack_.simulation.failure(), "");
  }

  JobRetryOptions Options(const std::string& name,
                          std::vector<std::string> servers) {
    JobRetryOptions options;
    options.client = stack_.ClientDefaults(name, std::move(servers));
    options.client.logger = Logger(
        LogLevel::kInfo,
        [this](LogLevel, absl::string_view line) { log_.emplace_back(line); });
    return options;
  }
  JobRetry& StartRetry(const std::string& name, JobRetryOptions options) {
    auto retry = JobRetry::Create(std::move(options));
    EXPECT_TRUE(retry.ok()) << retry.status();
    JobRetry* const raw = retry->get();
    retries_[name] = *std::move(retry);
    stack_.simulation.Drive(
        name, [raw] { return raw->RunOnce(absl::InfinitePast()); });
    return *raw;
  }
  JobRetry& StartRetry() {
    return StartRetry("retry", Options("retry", {"inproc://jobs"}));
  }

  // A policy without chance: each delay has 10 seconds.
  static JobRetryPolicy Policy(int max_attempts = 3) {
    JobRetryPolicy policy;
    policy.max_attempts = max_attempts;
    policy.backoff = std::make_shared<ConstantBackoffPolicy>(absl::Seconds(10));
    return policy;
  }
  // A handler that notes its run, and ends as `end` says.
  JobRetry::Handler Noting(End end) {
    return [this, end = std::move(end)](
               JobContext& context,
               const JobAttempt& attempt) -> absl::StatusOr<std::string> {
      const StringView data = context.job().data();
      runs_.push_back({attempt.number, attempt.unique,
                       std::string(data.data(), data.size()),
                       stack_.simulation.now()});
      return end(runs_.back());
    };
  }
  // A handler that fails until the attempt of this number.
  JobRetry::Handler FailingUntil(int attempt) {
    return Noting([attempt](const Run& run) -> absl::StatusOr<std::string> {
      if (run.attempt < attempt) return absl::NotFoundError("no image 17");
      return std::string("done");
    });
  }
  // Registers a task that notes the bytes of its jobs.
  void Collect(Worker& worker, const std::string& task) {
    const absl::Status status =
        worker.Register(task, [this, task](JobContext& context) {
          const StringView data = context.job().data();
          collected_[task].emplace_back(data.data(), data.size());
          return std::string();
        });
    EXPECT_TRUE(status.ok()) << status;
  }
  bool WaitForRuns(size_t count) {
    return stack_.simulation.RunUntil([&] { return runs_.size() >= count; },
                                      absl::Hours(1));
  }
  std::vector<int> Attempts() const {
    std::vector<int> attempts;
    for (const Run& run : runs_) attempts.push_back(run.attempt);
    return attempts;
  }

  SimulatedStack stack_{1};
  std::map<std::string, std::unique_ptr<JobRetry>> retries_;
  std::vector<Run> runs_;
  std::map<std::string, std::vector<std::string>> collected_;  // by task
  std::vector<std::string> log_;
};

// A server, a worker without tasks, and a client.
class JobRetryAtAServer : public JobRetryTest {
 protected:
  JobRetryAtAServer()
      : server_(&stack_.StartServer("jobs")),
        worker_(&stack_.StartWorker("worker", {"inproc://jobs"})),
        client_(stack_.MakeClient("client", {"inproc://jobs"})) {}

  void Submit(const std::string& data, const std::string& unique = "u") {
    CallOptions options;
    options.unique = unique;
    const JobRequest request =
        client_->SubmitBackgroundJob("resize", data, std::move(options));
    EXPECT_TRUE(client_->Wait(request).ok());
  }
  // Lets everything end.
  void Finish() {
    EXPECT_TRUE(stack_.simulation.RunUntil(
        [this] { return server_->jobs() == 0; }, absl::Hours(1)));
  }

  JobServer* const server_;
  Worker* const worker_;
  const std::unique_ptr<Client> client_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_JOB_RETRY_JOB_RETRY_FIXTURE_H_
