// Clients and workers on an event loop of the program: one thread sleeps on the
// descriptors of their pollers (DriveMode::kEventLoop). Each test runs over TCP
// and in process.
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>  // NOLINT: a future's wait takes it
#include <functional>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/futures.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/epoll_poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The program's loop. It knows descriptors and timers, and nothing of Gearman.
class Loop {
 public:
  using Pass = std::function<absl::Time(absl::Time)>;

  void Add(int descriptor, Pass pass) {
    watched_.push_back({descriptor, POLLIN, 0});
    passes_.push_back(std::move(pass));
  }
  // Sleeps only on descriptors and until the times that the passes return.
  void RunUntil(const std::function<bool()>& done) {
    for (;;) {
      absl::Time next = absl::InfiniteFuture();
      for (const Pass& pass : passes_) {
        next = std::min(next, pass(absl::InfinitePast()));
      }
      if (done()) return;
      Sleep(next);
      ++turns_;
    }
  }
  // Whether the loop would sleep now.
  bool Quiet() { return poll(watched_.data(), watched_.size(), 0) == 0; }
  int turns() const { return turns_; }

 private:
  void Sleep(absl::Time next) {
    timespec limit =
        absl::ToTimespec(std::max(absl::ZeroDuration(), next - absl::Now()));
    ASSERT_GE(ppoll(watched_.data(), watched_.size(),
                    next == absl::InfiniteFuture() ? nullptr : &limit, nullptr),
              0);
  }

  std::vector<pollfd> watched_;
  std::vector<Pass> passes_;
  int turns_ = 0;
};

class EventLoopTest : public ::testing::TestWithParam<const char*> {
 protected:
  EventLoopTest() {
    auto server = JobServer::Create({});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const auto port = server_->Listen(GetParam());
    EXPECT_TRUE(port.ok()) << port.status();
    address_ = server_->addresses().front();
    ClientOptions options;
    options.poller = MakePoller();
    options.drive_mode = DriveMode::kEventLoop;
    options.servers = {address_};
    const std::shared_ptr<Poller> poller = options.poller;
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    loop_.Add(poller->descriptor(), [this](absl::Time deadline) {
      return client_->RunOnce(deadline);
    });
  }

  static std::shared_ptr<Poller> MakePoller() {
    auto poller = EpollPoller::CreateForEventLoop();
    EXPECT_TRUE(poller.ok()) << poller.status();
    return *std::move(poller);
  }
  // Puts a worker on the loop that answers each job of the task "echo".
  void AddWorker() {
    WorkerOptions options;
    options.poller = MakePoller();
    options.servers = {address_};
    const std::shared_ptr<Poller> poller = options.poller;
    auto worker = Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(worker_
                    ->Register("echo",
                               [](JobContext& context) {
                                 return absl::StatusOr<std::string>(
                                     std::string(context.job().data()));
                               })
                    .ok());
    loop_.Add(poller->descriptor(), [this](absl::Time deadline) {
      return worker_->RunOnce(deadline);
    });
  }
  // Client and worker have nothing to do: the loop sleeps, and the server has
  // answered the worker that there is no further job.
  bool Rests() {
    return loop_.Quiet() && worker_->stats().grabs_outstanding == 0;
  }
  // The callback counts, and notes whether this thread calls it.
  CallOptions Counted() {
    CallOptions options;
    options.callbacks.on_complete =
        [this, loop = std::this_thread::get_id()](const JobRequest& request) {
          if (std::this_thread::get_id() != loop) elsewhere_ = true;
          failed_ += request.status().ok() ? 0 : 1;
          ++ended_;
        };
    return options;
  }

  std::unique_ptr<JobServer> server_;
  std::string address_;
  Loop loop_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::atomic<int> ended_{0};
  std::atomic<int> failed_{0};
  std::atomic<bool> elsewhere_{false};
};

TEST_P(EventLoopTest, AClientAndAWorkerShareOneThread) {
  AddWorker();
  for (int i = 0; i < 100; ++i) {
    client_->SubmitJob("echo", absl::StrCat(i), Counted());
  }
  loop_.RunUntil([this] { return ended_ == 100; });
  EXPECT_EQ(failed_, 0);
  EXPECT_FALSE(elsewhere_);
}

TEST_P(EventLoopTest, ASubmissionOfAnotherThreadWakesTheLoop) {
  AddWorker();
  // The loop sleeps without a timer of its own until it hears of each job.
  client_->SubmitJob("echo", "", Counted());
  loop_.RunUntil([this] { return ended_ == 1; });
  const CallOptions options = Counted();
  std::thread other([&] {
    for (int i = 1; i < 50; ++i) {
      client_->SubmitJob("echo", absl::StrCat(i), options);
      while (ended_ <= i) std::this_thread::yield();
    }
  });
  loop_.RunUntil([this] { return ended_ == 50; });
  other.join();
  EXPECT_EQ(failed_, 0);
  EXPECT_FALSE(elsewhere_);
}

// A callback submits the next job.
TEST_P(EventLoopTest, AChainOfCallbacksGoesOn) {
  AddWorker();
  std::function<void(int)> next = [&](int left) {
    CallOptions options;
    options.callbacks.on_complete = [&, left](const JobRequest& request) {
      failed_ += request.status().ok() ? 0 : 1;
      ++ended_;
      if (left > 1) next(left - 1);
    };
    client_->SubmitJob("echo", "x", std::move(options));
  };
  next(20);
  loop_.RunUntil([this] { return ended_ == 20; });
  EXPECT_EQ(failed_, 0);
}

TEST_P(EventLoopTest, ATimerOfTheClientIsKept) {
  CallOptions options = Counted();
  options.timeout = absl::Milliseconds(20);
  const absl::Time begun = absl::Now();
  const JobRequest request =
      client_->SubmitJob("nobody", "", std::move(options));
  loop_.RunUntil([this] { return ended_ == 1; });
  EXPECT_GE(absl::Now() - begun, absl::Milliseconds(20));
  EXPECT_TRUE(absl::IsDeadlineExceeded(request.status())) << request.status();
  EXPECT_FALSE(elsewhere_);
}

// The server hears nothing of this job, so only the client can wake the loop.
TEST_P(EventLoopTest, AJobThatIsRefusedBeforeTheLoopSleepsWakesIt) {
  bool submitted = false;
  // The loop asks just before it sleeps.
  loop_.RunUntil([&] {
    if (!std::exchange(submitted, true)) {
      CallOptions options = Counted();
      options.unique = std::string(64, 'u');  // too long
      client_->SubmitJob("echo", "", std::move(options));
    }
    return ended_ == 1;
  });
  EXPECT_EQ(failed_, 1);
  EXPECT_FALSE(elsewhere_);
}

// A loop that is woken again and again would burn a core.
TEST_P(EventLoopTest, SleepsWhileNothingHappens) {
  AddWorker();
  client_->SubmitJob("echo", "", Counted());
  loop_.RunUntil([this] { return ended_ == 1 && Rests(); });
  EXPECT_TRUE(loop_.Quiet());
  // A job takes some turns: the connections, the assignment, the answers.
  EXPECT_LT(loop_.turns(), 60);
  const int before = loop_.turns();
  for (int i = 0; i < 100; ++i) {
    client_->SubmitJob("echo", "", Counted());
  }
  loop_.RunUntil([this] { return ended_ == 101 && Rests(); });
  EXPECT_LT(loop_.turns() - before, 1000);
}

TEST_P(EventLoopTest, FuturesAreSet) {
  AddWorker();
  JobSpec spec;
  spec.task = "echo";
  spec.data = "future";
  auto future = Async(*client_, std::move(spec));
  const auto ready = [&future] {
    return future.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  };
  loop_.RunUntil(ready);
  const absl::StatusOr<std::string> result = future.get();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "future");
}

// A thread that waits drives the client meanwhile, and the loop goes on
// afterwards.
TEST_P(EventLoopTest, AThreadMayWaitAllTheSame) {
  AddWorker();
  std::atomic<bool> done{false};
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) {
      const auto result = client_->Run("echo", absl::StrCat(i));
      EXPECT_TRUE(result.ok()) << result.status();
    }
    done = true;
    client_->SubmitJob("echo", "", Counted());
  });
  loop_.RunUntil([&] { return done && ended_ == 1; });
  other.join();
  EXPECT_EQ(failed_, 0);
}

TEST_P(EventLoopTest, TheDestructorEndsWhatIsLeft) {
  client_->SubmitJob("nobody", "", Counted());
  client_ = nullptr;
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(failed_, 1);
  EXPECT_FALSE(elsewhere_);
}

INSTANTIATE_TEST_SUITE_P(Servers, EventLoopTest,
                         ::testing::Values("tcp://127.0.0.1:0",
                                           "inproc://event_loop_test"),
                         [](const auto& info) {
                           return std::string(info.param).substr(0, 3);
                         });

TEST(EventLoopOptionsTest, AClientNeedsAPollerWithADescriptor) {
  auto plain = EpollPoller::Create();
  ASSERT_TRUE(plain.ok()) << plain.status();
  const std::shared_ptr<Poller> pollers[] = {nullptr, *std::move(plain)};
  for (const std::shared_ptr<Poller>& poller : pollers) {
    ClientOptions options;
    options.servers = {"127.0.0.1"};
    options.drive_mode = DriveMode::kEventLoop;
    options.poller = poller;
    const absl::Status status = Client::Create(std::move(options)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("ClientOptions::poller"),
                      HasSubstr("EpollPoller::CreateForEventLoop()")));
  }
}

}  // namespace
}  // namespace gearman
