// A program with a static client and a static worker that forks while both are
// at work, run by fork_gearmand_test.
//
//   forking_program SERVER WAY
//
// WAY is how the child ends: "return" from main, "exit", "_exit", "exec",
// "destroy" (what it has of the parent's, then return), "use" (that, and a
// client of its own, then return). The parent then has its jobs done, prints
// "unharmed" and ends with 0.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/builtins.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace {

std::unique_ptr<gearman::Client> client;
std::unique_ptr<gearman::Worker> worker;

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  _exit(1);
}

gearman::ClientOptions ClientOptionsOf(const std::string& server) {
  gearman::ClientOptions options;
  options.servers = {server};
  // No timer makes a deaf client look.
  options.heartbeat_interval = absl::InfiniteDuration();
  options.reply_timeout = absl::InfiniteDuration();
  return options;
}

// Ends the child in the way that `way` names. If it returns, its value is the
// child's exit code.
int ChildMain(const std::string& server, const std::string& way) {
  alarm(60);
  if (way == "exit") std::exit(0);
  if (way == "_exit") _exit(0);
  if (way == "exec") execl("/bin/true", "true", nullptr);
  if (way == "destroy") {
    client = nullptr;
    worker = nullptr;
  }
  if (way == "use") {
    const absl::Status refused = client->Run("echo", "child").status();
    if (!absl::IsFailedPrecondition(refused)) Fail(refused.ToString());
    if (!absl::IsFailedPrecondition(worker->Run())) Fail("Worker::Run");
    const auto own = gearman::Client::Create(ClientOptionsOf(server));
    if (!own.ok()) Fail(own.status().ToString());
    const auto result = (*own)->Run("echo", "child");
    if (!result.ok()) Fail(result.status().ToString());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  // docs/threads.md says why, under forks.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::string server = argv[1];
  const std::string way = argv[2];
  client = *gearman::Client::Create(ClientOptionsOf(server));
  gearman::WorkerOptions options;
  options.servers = {server};
  options.concurrency = 2;
  options.heartbeat_interval = absl::InfiniteDuration();
  options.reply_timeout = absl::InfiniteDuration();
  worker = *gearman::Worker::Create(std::move(options));
  absl::Notification began;
  absl::Notification gate;
  worker
      ->Register("echo",
                 [](gearman::JobContext& context) {
                   return std::string(context.job().data());
                 })
      .IgnoreError();
  worker
      ->Register("gated",
                 [&](gearman::JobContext& context) {
                   began.Notify();
                   gate.WaitForNotification();
                   return std::string(context.job().data());
                 })
      .IgnoreError();
  std::thread thread([] { worker->Run().IgnoreError(); });

  absl::Notification told;
  gearman::JobSpec spec("gated", "in flight");
  spec.options.callbacks.on_complete = [&told](const gearman::JobRequest&) {
    told.Notify();
  };
  const gearman::JobRequest request = client->SubmitJob(std::move(spec));
  began.WaitForNotification();
  const pid_t pid = fork();
  if (pid == 0) {
    // In the child it is the handle of a thread that does not exist.
    thread.detach();
    return ChildMain(server, way);
  }
  int status = -1;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 0) {
    Fail(absl::StrCat("the child ended with ", status));
  }
  gate.Notify();
  if (!told.WaitForNotificationWithTimeout(absl::Seconds(30))) Fail("deaf");
  if (request.result() != "in flight") Fail(request.status().ToString());
  for (int i = 0; i < 10; ++i) {
    const auto result = client->Run("echo", "after");
    if (!result.ok()) Fail(result.status().ToString());
  }
  worker->Stop();
  thread.join();
  std::puts("unharmed");
  return 0;
}
