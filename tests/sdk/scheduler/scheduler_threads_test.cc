// A scheduler with a thread of its own.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A poller whose clock is ten years ahead of the machine's.
class LaterPoller final : public Poller {
 public:
  LaterPoller() : poller_(*EpollPoller::Create()) {}

  class LaterClock final : public Clock {
   public:
    absl::Time Now() override { return Clock::Real()->Now() + kAhead; }
    absl::Time WallNow() override { return Clock::Real()->WallNow() + kAhead; }
  };

  Clock* clock() override { return &clock_; }
  absl::Status Watch(Key key, const Interest& interest) override {
    Interest now = interest;
    now.deadline -= kAhead;
    return poller_->Watch(key, now);
  }
  void Forget(Key key) override { poller_->Forget(key); }
  std::shared_ptr<Waker> MakeWaker(Key key) override {
    return poller_->MakeWaker(key);
  }
  void Defer(std::shared_ptr<DeferredTask> task) override {
    poller_->Defer(std::move(task));
  }
  void RunDeferred() override { poller_->RunDeferred(); }
  void Wait(absl::Time deadline, std::vector<Key>* ready) override {
    poller_->Wait(deadline - kAhead, ready);
  }
  void Wake() override { poller_->Wake(); }

 private:
  static constexpr absl::Duration kAhead = absl::Hours(24 * 3650);

  LaterClock clock_;
  const std::unique_ptr<EpollPoller> poller_;
};

class SchedulerThreadsTest : public ::testing::Test {
 protected:
  SchedulerThreadsTest() {
    server_ = *JobServer::Create();
    address_ = *server_->Listen("tcp://127.0.0.1:0");
  }

  SchedulerOptions Options() {
    SchedulerOptions options;
    options.client.servers = {address_};
    options.client.transports = TcpOnly();
    options.client.logger =
        Logger(LogLevel::kWarning, [this](LogLevel, absl::string_view line) {
          absl::MutexLock lock(&mutex_);
          log_.emplace_back(line);
        });
    // A thread that has to wait for a processor for longer than the margin
    // submits a tick that has run already.
    options.lead = absl::Seconds(5);
    options.margin = absl::Seconds(3);
    return options;
  }
  static Schedule EverySecond() {
    Schedule schedule;
    schedule.name = "every second";
    schedule.every = absl::Seconds(1);
    schedule.task = "tick";
    schedule.data_of = [](absl::Time tick) {
      return absl::StrCat(absl::ToUnixSeconds(tick));
    };
    return schedule;
  }

  std::unique_ptr<JobServer> server_;
  std::string address_;
  absl::Mutex mutex_;
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(SchedulerThreadsTest, TheTimeIsThatOfTheClientsClock) {
  SchedulerOptions options = Options();
  options.client.poller = std::make_shared<LaterPoller>();
  auto scheduler = *Scheduler::Create(std::move(options));
  absl::Notification later;
  int ticks = 0;
  Schedule schedule = EverySecond();
  schedule.data_of = [&](absl::Time) {
    // The first two are submitted when the schedule is added.
    if (++ticks == 3) later.Notify();
    return std::string();
  };
  ASSERT_TRUE(scheduler->Add(schedule).ok());
  ASSERT_TRUE(scheduler->Start().ok());
  EXPECT_TRUE(later.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

TEST_F(SchedulerThreadsTest, TicksOfTwoSchedulersRunOnceEach) {
  WorkerOptions worker_options;
  worker_options.servers = {address_};
  worker_options.transports = TcpOnly();
  auto worker = *Worker::Create(std::move(worker_options));
  std::set<std::string> ticks;
  ASSERT_TRUE(worker
                  ->Register("tick",
                             [&](JobContext& context) {
                               const std::string tick(context.job().data());
                               EXPECT_TRUE(ticks.insert(tick).second) << tick;
                               if (ticks.size() == 3) worker->Stop();
                               return std::string();
                             })
                  .ok());
  std::vector<std::unique_ptr<Scheduler>> schedulers;
  for (int i = 0; i < 2; ++i) {
    schedulers.push_back(*Scheduler::Create(Options()));
    ASSERT_TRUE(schedulers.back()->Start().ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(schedulers.back()->Start()));
    EXPECT_EQ(schedulers.back()->RunOnce(absl::InfinitePast()),
              absl::InfiniteFuture());
    // A thread that sleeps learns of it.
    ASSERT_TRUE(schedulers.back()->Add(EverySecond()).ok());
  }
  EXPECT_TRUE(worker->Run().ok());
  EXPECT_EQ(ticks.size(), 3u);
}

TEST_F(SchedulerThreadsTest, RefusesAThreadWhereOnlyCallersDoTheIo) {
  SchedulerOptions options = Options();
  options.client.drive_mode = DriveMode::kCallerOnly;
  const auto scheduler = Scheduler::Create(std::move(options));
  ASSERT_TRUE(scheduler.ok()) << scheduler.status();
  const absl::Status started = (*scheduler)->Start();
  EXPECT_TRUE(absl::IsFailedPrecondition(started)) << started;
  EXPECT_THAT(std::string(started.message()), HasSubstr("RunOnce"));
}

TEST_F(SchedulerThreadsTest, EndsWhenCodeThatItCalledHasDestroyedIt) {
  class Sink : public MetricsSink {
   public:
    void Export(const MetricsSnapshot&) override {}
    absl::Duration interval() const override {
      return absl::InfiniteDuration();
    }
    void Detach(const MetricsSource*) override { detached.Notify(); }
    absl::string_view name() const override { return "sink"; }

    absl::Notification detached;
  };
  const auto sink = std::make_shared<Sink>();
  SchedulerOptions options = Options();
  options.client.metrics_sinks = {sink};
  std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(std::move(options));
  Schedule schedule = EverySecond();
  schedule.data_of = [&scheduler](absl::Time) {
    scheduler = nullptr;
    return std::string();
  };
  Scheduler* const raw = scheduler.get();
  ASSERT_TRUE(raw->Add(std::move(schedule)).ok());
  ASSERT_TRUE(raw->Start().ok());
  // The scheduler's client has ended.
  EXPECT_TRUE(sink->detached.WaitForNotificationWithTimeout(kLong));
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(log_, Contains(HasSubstr("a Scheduler was destroyed")));
}

}  // namespace
}  // namespace gearman
