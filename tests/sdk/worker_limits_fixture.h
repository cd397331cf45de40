// WorkerLimitsTest: a job server, a client and workers on a virtual clock, for
// tests of the limits of tasks. Jobs of asynchronous tasks run until the test
// ends them.
#ifndef GEARMAN_TESTS_SDK_WORKER_LIMITS_FIXTURE_H_
#define GEARMAN_TESTS_SDK_WORKER_LIMITS_FIXTURE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gtest/gtest.h"

namespace gearman {

class WorkerLimitsTest : public ::testing::Test {
 protected:
  WorkerLimitsTest() {
    stack_.StartServer("jobs");
    client_ = stack_.MakeClient("client", {"inproc://jobs"});
    worker_ = &stack_.StartWorker("worker", {"inproc://jobs"});
  }

  static TaskOptions AtMost(int jobs) {
    TaskOptions options;
    options.max_running = jobs;
    return options;
  }
  // Registers a task whose jobs run until End ends them.
  void RegisterHeld(const std::string& task, const TaskOptions& options = {}) {
    const absl::Status status = worker_->RegisterAsync(
        task, [this](PendingJob job) { running_.push_back(std::move(job)); },
        options);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Registers a task whose jobs end at once, and are noted in done_.
  void RegisterQuick(Worker& worker, const std::string& task,
                     const TaskOptions& options = {}) {
    const absl::Status status = worker.Register(
        task,
        [this](JobContext& context) -> absl::StatusOr<std::string> {
          const absl::string_view data = context.job().data();
          done_.push_back(
              absl::StrCat(absl::string_view(context.job().task()), " ", data));
          return std::string(data.data(), data.size());
        },
        options);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Submits jobs with the data "0", "1" and so on.
  std::vector<JobRequest> Submit(const std::string& task, int count) {
    std::vector<JobSpec> specs;
    for (int i = 0; i < count; ++i) specs.emplace_back(task, absl::StrCat(i));
    return client_->SubmitMultipleJobs(std::move(specs));
  }
  // Lets everybody go on until they have nothing to do at this moment.
  void Settle() { stack_.simulation.RunFor(absl::ZeroDuration()); }
  void Pass(absl::Duration time) { stack_.simulation.RunFor(time); }
  absl::Time now() { return stack_.simulation.now(); }
  // Ends the job that began first.
  void End() {
    ASSERT_FALSE(running_.empty());
    running_.front().Finish("");
    running_.pop_front();
    Settle();
  }
  // The number of jobs that were answered with a result.
  uint64_t complete() const { return worker_->stats().jobs_complete; }

  // Before the stack: a worker that ends drops its pending jobs.
  std::deque<PendingJob> running_;
  std::vector<std::string> done_;
  testing::SimulatedStack stack_{1};
  std::unique_ptr<Client> client_;
  Worker* worker_ = nullptr;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_WORKER_LIMITS_FIXTURE_H_
