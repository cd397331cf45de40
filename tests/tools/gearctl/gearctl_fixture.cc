#include "gearman/tests/tools/gearctl/gearctl_fixture.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {

support::SubprocessOptions GearctlOptions(std::vector<std::string> arguments) {
  support::SubprocessOptions options;
  options.argv = {kGearctl};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment["GEARMAN_SERVERS"] = "";
  options.environment["GEARMAN_SERVER"] = "";
  return options;
}

ProgramResult Gearctl(std::vector<std::string> arguments, std::string input) {
  support::SubprocessOptions options = GearctlOptions(std::move(arguments));
  options.input = std::move(input);
  absl::StatusOr<ProgramResult> result =
      support::RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : ProgramResult();
}

std::unique_ptr<Subprocess> StartGearctl(std::vector<std::string> arguments) {
  support::SubprocessOptions options = GearctlOptions(std::move(arguments));
  options.keep_input_open = true;
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start(std::move(options));
  EXPECT_TRUE(process.ok()) << process.status();
  return *std::move(process);
}

ServerProcess::ServerProcess(std::vector<std::string> arguments) {
  std::vector<std::string> all = {"server", "--listen", "127.0.0.1:0"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  process_ = StartGearctl(std::move(all));
  const absl::Status listens = process_->WaitForOutput("\n");
  EXPECT_TRUE(listens.ok()) << listens;
}

std::string ServerProcess::address() const {
  return std::string(absl::StripAsciiWhitespace(process_->output()));
}

TestWorker::TestWorker(const std::string& server) {
  WorkerOptions options;
  options.servers = {server};
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(std::move(options));
  EXPECT_TRUE(worker.ok()) << worker.status();
  worker_ = *std::move(worker);
}

TestWorker::~TestWorker() {
  worker_->Stop();
  if (thread_.joinable()) thread_.join();
}

void TestWorker::Register(const std::string& task, Worker::Handler handler) {
  const absl::Status status = worker_->Register(task, std::move(handler));
  EXPECT_TRUE(status.ok()) << status;
}

void TestWorker::Start() {
  thread_ = std::thread([this] {
    const absl::Status status = worker_->Run();
    EXPECT_TRUE(status.ok()) << status;
  });
}

}  // namespace gearctl
}  // namespace gearman
