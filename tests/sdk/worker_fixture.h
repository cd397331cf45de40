// WorkerTest: a worker whose server the test plays by hand, both in one thread
// on a virtual clock.
#ifndef GEARMAN_TESTS_SDK_WORKER_FIXTURE_H_
#define GEARMAN_TESTS_SDK_WORKER_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {

using Command = wire::Command;

inline absl::StatusOr<std::string> Echo(JobContext& context) {
  const absl::string_view data = context.job().data();
  return std::string(data.data(), data.size());
}

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest()
      : played_(&stack_.simulation, stack_.network(), "jobs"),
        options_(stack_.WorkerDefaults("", {"inproc://jobs"})) {
    // One grab at a time, so that each packet has its place.
    options_.prefetch.max_jobs = 0;
  }

  // A handler that can be in a list of tasks, which is copied.
  using Function = std::function<absl::StatusOr<std::string>(JobContext&)>;

  // Starts the worker of options_ with these tasks.
  void Start(const std::vector<std::pair<std::string, Function>>& tasks,
             const TaskOptions& task_options = {}) {
    worker_ = &stack_.StartWorker("worker", options_);
    for (const auto& task : tasks) {
      const absl::Status status =
          worker_->Register(task.first, task.second, task_options);
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  // Starts the worker, and plays its server up to the first grab.
  void StartAndGrab(const std::string& task, Function handler,
                    const TaskOptions& task_options = {}) {
    Start({{task, std::move(handler)}}, task_options);
    Accept();
    ASSERT_THAT(server_->Receive(), ::testing::StartsWith("CAN_DO"));
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  // Like StartAndGrab, but with an asynchronous handler.
  void StartAsyncAndGrab(const std::string& task,
                         Worker::AsyncHandler handler) {
    Start({});
    ASSERT_TRUE(worker_->RegisterAsync(task, std::move(handler)).ok());
    Accept();
    ASSERT_EQ(server_->Receive(), "CAN_DO " + task);
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  void Accept() { server_ = played_.Accept(); }
  void Give(const std::string& handle, const std::string& task,
            const std::string& data, const std::string& unique = "u") {
    server_->Send(Command::kJobAssignUniq, {handle, task, unique, data});
  }
  // The packets of a failure with a text, as ReceiveFailure returns them.
  static std::string FailureOf(const std::string& handle,
                               const std::string& text) {
    return absl::StrCat("WORK_WARNING ", handle, "|gearman exception: ", text,
                        ", WORK_FAIL ", handle);
  }
  std::string ReceiveFailure() {
    const std::string warning = server_->Receive();
    return absl::StrCat(warning, ", ", server_->Receive());
  }
  // Lets everybody go on until they have nothing to do at this moment.
  void Settle() { stack_.simulation.RunFor(absl::ZeroDuration()); }
  absl::Time now() { return stack_.simulation.now(); }

  testing::SimulatedStack stack_{1};
  testing::PlayedServer played_;
  WorkerOptions options_;
  Worker* worker_ = nullptr;
  std::unique_ptr<testing::PlayedConnection> server_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_WORKER_FIXTURE_H_
