// Tests of WorkerSignals, with real signals to this process.
#include "gearman/sdk/worker_signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/forked_child.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

// The program's own handlers.
std::atomic<int> own_calls{0};
void CountOwn(int) { own_calls.fetch_add(1); }
void OtherHandler(int) {}

class WorkerSignalsTest : public ::testing::Test {
 protected:
  WorkerSignalsTest() {
    // RunInChild forks beside threads (docs/threads.md).
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    own_calls = 0;
    Handle(SIGINT, CountOwn);
    Handle(SIGTERM, CountOwn);
    auto server = JobServer::Create({});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    auto address = server_->Listen("tcp://127.0.0.1:0");
    EXPECT_TRUE(address.ok()) << address.status();
    address_ = *address;
    ClientOptions options;
    options.servers = {address_};
    client_ = *Client::Create(std::move(options));
    worker_ = MakeWorker();
  }
  ~WorkerSignalsTest() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
    worker_ = nullptr;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
  }

  static void Handle(int signal, void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    ASSERT_EQ(sigaction(signal, &action, nullptr), 0);
  }
  static struct sigaction HandlerOf(int signal) {
    struct sigaction now = {};
    EXPECT_EQ(sigaction(signal, nullptr, &now), 0);
    return now;
  }

  // A worker whose "echo" echoes, and whose "wait" waits for go_on_.
  std::unique_ptr<Worker> MakeWorker() {
    return MakeWorker(
        Logger(LogLevel::kInfo, [this](LogLevel, absl::string_view text) {
          absl::MutexLock lock(&mutex_);
          if (absl::StrContains(text, "draining")) ++draining_;
        }));
  }
  std::unique_ptr<Worker> MakeWorker(Logger logger) {
    WorkerOptions options;
    options.servers = {address_};
    options.logger = std::move(logger);
    auto worker = Worker::Create(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    EXPECT_TRUE((*worker)
                    ->Register("echo",
                               [](JobContext& context) {
                                 return std::string(context.job().data());
                               })
                    .ok());
    EXPECT_TRUE((*worker)
                    ->Register("wait",
                               [this](JobContext& context) {
                                 begun_.Notify();
                                 const StopToken token = context.stop_token();
                                 while (!go_on_.HasBeenNotified() &&
                                        !token.WaitFor(absl::Milliseconds(1))) {
                                 }
                                 absl::MutexLock lock(&mutex_);
                                 reason_ = token.reason();
                                 return std::string(context.job().data());
                               })
                    .ok());
    return *std::move(worker);
  }
  bool Draining() {
    absl::MutexLock lock(&mutex_);
    return draining_ > 0;
  }
  StopReason reason() {
    absl::MutexLock lock(&mutex_);
    return reason_;
  }

  std::unique_ptr<JobServer> server_;
  std::string address_;
  std::unique_ptr<Client> client_;
  absl::Notification begun_;
  absl::Notification go_on_;
  absl::Mutex mutex_;
  int draining_ ABSL_GUARDED_BY(mutex_) = 0;
  StopReason reason_ ABSL_GUARDED_BY(mutex_) = StopReason::kNone;
  std::unique_ptr<Worker> worker_;
};

TEST_F(WorkerSignalsTest, TheFirstSignalDrains) {
  for (const int first : {SIGINT, SIGTERM}) {
    const std::unique_ptr<Worker> worker = MakeWorker();
    const auto signals = WorkerSignals::Create({worker.get()});
    ASSERT_TRUE(signals.ok()) << signals.status();
    absl::Status end;
    std::thread thread([&] { end = worker->Run(); });
    EXPECT_TRUE(client_->Run("echo", "").ok());
    EXPECT_EQ((*signals)->count(), 0);
    ASSERT_EQ(raise(first), 0);
    thread.join();
    EXPECT_TRUE(end.ok()) << end;
    EXPECT_EQ((*signals)->count(), 1);
  }
  EXPECT_TRUE(Draining());
  EXPECT_EQ(own_calls, 0);
}

TEST_F(WorkerSignalsTest, AJobThatIsBeingDoneIsFinished) {
  const auto signals = WorkerSignals::Create({worker_.get()});
  ASSERT_TRUE(signals.ok()) << signals.status();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitJob("wait", "done");
  begun_.WaitForNotification();
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  EXPECT_TRUE(support::WaitFor([this] { return Draining(); }));
  go_on_.Notify();
  EXPECT_TRUE(worker_->Join().ok());
  ASSERT_TRUE(client_->Wait(request, support::kBound).ok());
  EXPECT_EQ(request.result(), "done");
  EXPECT_EQ(reason(), StopReason::kNone);
}

TEST_F(WorkerSignalsTest, ASecondSignalStops) {
  const auto signals = WorkerSignals::Create({worker_.get()});
  ASSERT_TRUE(signals.ok()) << signals.status();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitBackgroundJob("wait", "");
  begun_.WaitForNotification();
  ASSERT_EQ(raise(SIGINT), 0);
  EXPECT_TRUE(support::WaitFor([this] { return Draining(); }));
  EXPECT_FALSE(worker_->stopped());
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_TRUE(worker_->Join().ok());
  EXPECT_EQ(reason(), StopReason::kStopped);
  EXPECT_EQ((*signals)->count(), 2);
}

// A program that waits for something else than its workers can be ended.
TEST_F(WorkerSignalsTest, AThirdSignalHasItsEarlierEffect) {
  for (const int third : {SIGINT, SIGTERM}) {
    const std::unique_ptr<Worker> worker = MakeWorker();
    const auto signals = WorkerSignals::Create({worker.get()});
    ASSERT_TRUE(signals.ok()) << signals.status();
    ASSERT_EQ(raise(SIGINT), 0);
    ASSERT_EQ(raise(SIGTERM), 0);
    EXPECT_EQ(own_calls, 0);
    ASSERT_EQ(raise(third), 0);
    EXPECT_EQ(own_calls, 1);
    EXPECT_EQ((*signals)->count(), 2);
    own_calls = 0;
  }
}

TEST_F(WorkerSignalsTest, TheLimitIsThatOfDrain) {
  const auto signals =
      WorkerSignals::Create({worker_.get()}, absl::Milliseconds(20));
  ASSERT_TRUE(signals.ok()) << signals.status();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitBackgroundJob("wait", "");
  begun_.WaitForNotification();
  ASSERT_EQ(raise(SIGTERM), 0);
  const absl::Status end = worker_->Join();
  EXPECT_TRUE(absl::IsDeadlineExceeded(end)) << end;
  EXPECT_EQ(reason(), StopReason::kDrainLimit);
}

TEST_F(WorkerSignalsTest, EachOfItsWorkersEnds) {
  const std::unique_ptr<Worker> second = MakeWorker();
  const auto signals = WorkerSignals::Create({worker_.get(), second.get()});
  ASSERT_TRUE(signals.ok()) << signals.status();
  ASSERT_TRUE(worker_->Start().ok());
  ASSERT_TRUE(second->Start().ok());
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_TRUE(worker_->Join().ok());
  EXPECT_TRUE(second->Join().ok());
}

TEST_F(WorkerSignalsTest, EarlierHandlersAreInForceAgainAtItsEnd) {
  struct sigaction earlier = {};
  earlier.sa_handler = CountOwn;
  earlier.sa_flags = SA_RESTART;
  sigaddset(&earlier.sa_mask, SIGUSR1);
  ASSERT_EQ(sigaction(SIGTERM, &earlier, nullptr), 0);
  {
    const auto signals = WorkerSignals::Create({worker_.get()});
    ASSERT_TRUE(signals.ok()) << signals.status();
    ASSERT_EQ(raise(SIGTERM), 0);
    EXPECT_EQ(own_calls, 0);
  }
  const struct sigaction now = HandlerOf(SIGTERM);
  EXPECT_EQ(now.sa_handler, CountOwn);
  EXPECT_TRUE((now.sa_flags & SA_RESTART) != 0);
  EXPECT_EQ(sigismember(&now.sa_mask, SIGUSR1), 1);
  ASSERT_EQ(raise(SIGTERM), 0);
  ASSERT_EQ(raise(SIGINT), 0);
  EXPECT_EQ(own_calls, 2);
}

TEST_F(WorkerSignalsTest, AHandlerThatWasInstalledLaterStays) {
  {
    const auto signals = WorkerSignals::Create({worker_.get()});
    ASSERT_TRUE(signals.ok()) << signals.status();
    Handle(SIGINT, OtherHandler);
  }
  EXPECT_EQ(HandlerOf(SIGINT).sa_handler, OtherHandler);
  EXPECT_EQ(HandlerOf(SIGTERM).sa_handler, CountOwn);
}

TEST_F(WorkerSignalsTest, AnIgnoredSignalStaysIgnored) {
  Handle(SIGINT, SIG_IGN);
  const auto signals = WorkerSignals::Create({worker_.get()});
  ASSERT_TRUE(signals.ok()) << signals.status();
  ASSERT_EQ(raise(SIGINT), 0);
  EXPECT_EQ((*signals)->count(), 0);
  EXPECT_EQ(HandlerOf(SIGINT).sa_handler, SIG_IGN);
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_EQ((*signals)->count(), 1);
}

TEST_F(WorkerSignalsTest, OneLivesAtATime) {
  {
    const auto signals = WorkerSignals::Create({worker_.get()});
    ASSERT_TRUE(signals.ok()) << signals.status();
    const absl::Status second = WorkerSignals::Create({worker_.get()}).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
    // The refused one has changed nothing.
    ASSERT_EQ(raise(SIGTERM), 0);
    EXPECT_EQ((*signals)->count(), 1);
  }
  EXPECT_TRUE(WorkerSignals::Create({worker_.get()}).ok());
}

TEST_F(WorkerSignalsTest, WorkersMustBeGiven) {
  EXPECT_TRUE(absl::IsInvalidArgument(WorkerSignals::Create({}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      WorkerSignals::Create({worker_.get(), nullptr}).status()));
  EXPECT_EQ(HandlerOf(SIGTERM).sa_handler, CountOwn);
}

TEST_F(WorkerSignalsTest, AChildHasTheEarlierHandlersAndMayHaveItsOwn) {
  auto signals = WorkerSignals::Create({worker_.get()});
  ASSERT_TRUE(signals.ok()) << signals.status();
  ASSERT_TRUE(worker_->Start().ok());
  ASSERT_TRUE(support::WaitFor(support::OtherThreadsSleep));
  const std::string wrong = support::RunInChild([&]() -> std::string {
    if (raise(SIGTERM) != 0 || own_calls != 1) return "not the earlier handler";
    // The parent's worker may have logged, and so held mutex_, during the fork.
    const std::unique_ptr<Worker> own = MakeWorker(Logger());
    {
      const auto child_signals = WorkerSignals::Create({own.get()});
      if (!child_signals.ok()) return child_signals.status().ToString();
      if (raise(SIGINT) != 0) return "raise";
      const absl::Status end = own->Run();
      if (!end.ok()) return end.ToString();
      if ((*child_signals)->count() != 1) return "not counted";
    }
    // The copy of the parent's changes nothing.
    Handle(SIGTERM, OtherHandler);
    signals->reset();
    if (HandlerOf(SIGTERM).sa_handler != OtherHandler) return "changed";
    return "";
  });
  EXPECT_EQ(wrong, "");
  EXPECT_EQ((*signals)->count(), 0);
  EXPECT_TRUE(client_->Run("echo", "").ok());
}

TEST_F(WorkerSignalsTest, ASignalMayComeWhileItIsDestroyed) {
  std::atomic<bool> enough{false};
  std::thread sends([&enough] {
    while (!enough) kill(getpid(), SIGTERM);
  });
  for (int i = 0; i < 300; ++i) {
    const std::unique_ptr<Worker> worker = MakeWorker();
    const auto signals = WorkerSignals::Create({worker.get()});
    EXPECT_TRUE(signals.ok()) << signals.status();
  }
  enough = true;
  sends.join();
  EXPECT_EQ(HandlerOf(SIGTERM).sa_handler, CountOwn);
}

}  // namespace
}  // namespace gearman
