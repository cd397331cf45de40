#include "gearman/transports/epoll_poller.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/time/time.h"
#include "gearman/transports/wake_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class EpollPollerTest : public ::testing::Test {
 protected:
  EpollPollerTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
  }
  ~EpollPollerTest() override {
    for (const int end : ends_) close(end);
  }
  std::vector<Poller::Key> Wait(absl::Duration limit = absl::Seconds(30)) {
    std::vector<Poller::Key> ready;
    poller_->Wait(now() + limit, &ready);
    return ready;
  }
  std::vector<Poller::Key> Look() { return Wait(-absl::Seconds(1)); }
  absl::Time now() { return poller_->clock()->Now(); }
  void Watch(Poller::Key key, const Interest& interest) {
    EXPECT_TRUE(poller_->Watch(key, interest).ok());
  }
  static Interest Reading(int fd) {
    Interest interest;
    interest.fd = fd;
    interest.read = true;
    return interest;
  }

  std::unique_ptr<EpollPoller> poller_;
  std::array<int, 2> ends_{};
};

TEST_F(EpollPollerTest, ReportsADescriptorWhenItCanBeRead) {
  Watch(7, Reading(ends_[0]));
  EXPECT_THAT(Look(), IsEmpty());
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  EXPECT_THAT(Wait(), ElementsAre(7));
}

TEST_F(EpollPollerTest, ReportsADescriptorWhenItCanBeWritten) {
  Interest interest = Reading(ends_[0]);
  interest.write = true;
  Watch(7, interest);
  EXPECT_THAT(Wait(), ElementsAre(7));
  interest.write = false;
  Watch(7, interest);
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(EpollPollerTest, ReportsTheEndOfAStream) {
  Watch(7, Reading(ends_[0]));
  shutdown(ends_[1], SHUT_RDWR);
  EXPECT_THAT(Wait(), ElementsAre(7));
}

TEST_F(EpollPollerTest, ForgetsAKey) {
  Watch(7, Reading(ends_[0]));
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  poller_->Forget(7);
  EXPECT_THAT(Look(), IsEmpty());
  poller_->Forget(7);
}

TEST_F(EpollPollerTest, WatchesAnotherDescriptorUnderTheSameKey) {
  std::array<int, 2> others{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, others.data()), 0);
  Watch(7, Reading(ends_[0]));
  Watch(7, Reading(others[0]));
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  EXPECT_THAT(Look(), IsEmpty());
  ASSERT_EQ(write(others[1], "x", 1), 1);
  EXPECT_THAT(Wait(), ElementsAre(7));
  for (const int end : others) close(end);
}

TEST_F(EpollPollerTest, ReportsWhatIsReadyNowUntilItIsNot) {
  Interest interest;
  interest.ready_now = true;
  Watch(7, interest);
  EXPECT_THAT(Wait(), ElementsAre(7));
  EXPECT_THAT(Wait(), ElementsAre(7));
  interest.ready_now = false;
  Watch(7, interest);
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(EpollPollerTest, ReportsAKeyAtItsDeadline) {
  Interest interest;
  interest.deadline = now() + absl::Hours(1);
  Watch(7, interest);
  EXPECT_THAT(Look(), IsEmpty());
  interest.deadline = now() + absl::Milliseconds(5);
  Watch(7, interest);
  EXPECT_THAT(Wait(), ElementsAre(7));
  EXPECT_GE(now(), interest.deadline);
}

TEST_F(EpollPollerTest, ReportsAMarkOnceHoweverOftenItWasMade) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(7);
  waker->Wake();
  waker->Wake();
  EXPECT_THAT(Wait(), ElementsAre(7));
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(EpollPollerTest, AMarkMayComeFromAnotherThreadDuringTheWait) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(7);
  std::thread thread([&waker] { waker->Wake(); });
  EXPECT_THAT(Wait(), ElementsAre(7));
  thread.join();
}

TEST_F(EpollPollerTest, AMarkOfABatchIsSeenAtOnceByWhoIsAwake) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(7);
  WakeBatch batch;
  waker->Wake();
  EXPECT_THAT(Look(), ElementsAre(7));
}

TEST_F(EpollPollerTest, TheEndOfABatchEndsTheWait) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(7);
  std::thread marking([&] {
    WakeBatch batch;
    waker->Wake();
  });
  EXPECT_THAT(Wait(), ElementsAre(7));
  marking.join();
}

TEST_F(EpollPollerTest, AWakerMayOutliveItsKeyAndItsPoller) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(7);
  poller_->Forget(7);
  waker->Wake();
  EXPECT_THAT(Look(), IsEmpty());
  poller_ = nullptr;
  waker->Wake();
}

TEST_F(EpollPollerTest, WakeEndsTheNextOrCurrentWait) {
  poller_->Wake();
  EXPECT_THAT(Wait(), IsEmpty());
  std::thread thread([this] { poller_->Wake(); });
  EXPECT_THAT(Wait(), IsEmpty());
  thread.join();
}

EpollPoller* signalled_poller = nullptr;
void WakeOnSignal(int) { signalled_poller->Wake(); }

TEST_F(EpollPollerTest, WakeMayBeCalledByASignalHandler) {
  signalled_poller = poller_.get();
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = WakeOnSignal;
  ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
  ASSERT_EQ(raise(SIGUSR2), 0);
  EXPECT_THAT(Wait(), IsEmpty());
  ASSERT_EQ(sigaction(SIGUSR2, &before, nullptr), 0);
}

// Another thread does each thing that must end a wait, as soon as the wait
// before it has ended: before this one, in the moment in which it falls asleep,
// or later; with and without a descriptor among what is watched.
TEST_F(EpollPollerTest, NoWakeUpIsLostInWhicheverMomentItComes) {
  constexpr int kRounds = 30000;
  enum What { kMark, kWake, kDeadline, kDescriptor, kSignal, kAll };
  // ThreadSanitizer runs a signal's handler when the thread calls the next
  // function that the sanitizer knows. The system calls in Wait are none, so a
  // signal just before one would be handled after it.
#ifdef __SANITIZE_THREAD__
  constexpr int kWhats = kSignal;
#else
  constexpr int kWhats = kAll;
#endif
  signalled_poller = poller_.get();
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = WakeOnSignal;
  ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(kMark);
  const pthread_t waiting = pthread_self();
  std::atomic<int> begun{0};
  std::atomic<int> done{0};
  std::thread thread([&] {
    for (int round = 1; round <= kRounds; ++round) {
      Interest late;
      late.deadline = now();
      while (begun.load() < round) std::this_thread::yield();
      // Sooner and later, in steps of less than what falling asleep takes.
      for (std::atomic<int> i{0}; i < round % 256; ++i) continue;
      done.store(round, std::memory_order_relaxed);
      switch (round % kWhats) {
        case kMark:
          waker->Wake();
          break;
        case kWake:
          poller_->Wake();
          break;
        case kDeadline:
          Watch(kDeadline, late);
          break;
        case kDescriptor:
          Watch(kDescriptor, Reading(ends_[0]));
          break;
        default:
          pthread_kill(waiting, SIGUSR2);
      }
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    // In every second five it is epoll that sleeps.
    const bool on_epoll = round / kWhats % 2 == 1;
    if (on_epoll) Watch(kAll, Reading(ends_[1]));
    begun.store(round);
    const int what = round % kWhats;
    const absl::Time limit = now() + absl::Seconds(20);
    bool seen = false;
    while (!seen) {
      const std::vector<Poller::Key> ready = Wait();
      if (now() >= limit) break;
      seen = what == kWake || what == kSignal
                 ? done.load(std::memory_order_relaxed) == round
                 : std::count(ready.begin(), ready.end(), what) > 0;
    }
    EXPECT_TRUE(seen) << "round " << round;
    poller_->Forget(kDeadline);
    poller_->Forget(kDescriptor);
    poller_->Forget(kAll);
    if (!seen) break;
  }
  begun.store(kRounds);
  thread.join();
  ASSERT_EQ(sigaction(SIGUSR2, &before, nullptr), 0);
}

TEST_F(EpollPollerTest, ReportsAllThatIsReadyEachOnce) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(1);
  Interest interest = Reading(ends_[0]);
  interest.ready_now = true;
  interest.deadline = now();
  Watch(1, interest);
  interest = Interest();
  interest.ready_now = true;
  Watch(2, interest);
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  waker->Wake();
  EXPECT_THAT(Wait(), UnorderedElementsAre(1, 2));
}

class CountingTask final : public DeferredTask {
 public:
  void Run() override { ++runs; }
  int runs = 0;
};

TEST_F(EpollPollerTest, RunsADeferredTaskOnceHoweverOftenItWasQueued) {
  auto task = std::make_shared<CountingTask>();
  poller_->Defer(task);
  poller_->Defer(task);
  poller_->RunDeferred();
  EXPECT_EQ(task->runs, 1);
  poller_->Defer(task);
  Look();
  EXPECT_EQ(task->runs, 2);
  Look();
  EXPECT_EQ(task->runs, 2);
}

TEST_F(EpollPollerTest, RefusesADescriptorThatIsNone) {
  Interest interest = Reading(1 << 20);
  EXPECT_FALSE(poller_->Watch(7, interest).ok());
}

}  // namespace
}  // namespace gearman
