#include "gearman/sdk/internal/worker/handler_pool.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/transports/epoll_poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A pool of at most four threads, of which the system grants `granted_`.
class HandlerPoolTest : public ::testing::Test {
 protected:
  HandlerPoolTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
    mailbox_ = std::make_shared<Mailbox>(poller_, 1 << 20, 1 << 20);
    const Logger logger(LogLevel::kWarning,
                        [this](LogLevel, absl::string_view message) {
                          logged_.push_back(std::string(message));
                        });
    pool_ = std::make_unique<HandlerPool>(
        4, mailbox_, poller_->clock(), logger,
        [this](std::function<void()> work) {
          if (started_ == granted_) {
            throw std::system_error(std::make_error_code(
                std::errc::resource_unavailable_try_again));
          }
          ++started_;
          return std::thread(std::move(work));
        });
  }
  ~HandlerPoolTest() override { mailbox_->Close(); }

  std::vector<HeldJobPtr> Jobs(int count, std::function<void()> handler) {
    auto task = std::make_shared<Task>();
    task->handler = [handler](JobContext&) -> absl::StatusOr<std::string> {
      handler();
      return std::string();
    };
    std::vector<HeldJobPtr> jobs;
    for (int i = 0; i < count; ++i) {
      jobs.push_back(std::make_shared<HeldJob>());
      jobs.back()->task = task;
      jobs.back()->mailbox = mailbox_;
    }
    return jobs;
  }

  // Whether the end of a job of a task with these options is told while the
  // handler of the next job runs.
  bool TellsBeforeTheNext(const TaskOptions& options) {
    absl::Notification next_begun;
    absl::Notification looked;
    absl::Notification done;
    int begun = 0;
    std::vector<HeldJobPtr> jobs = Jobs(2, [&] {
      if (++begun < 2) return;
      next_begun.Notify();
      looked.WaitForNotification();
      done.Notify();
    });
    jobs[0]->task->options = options;
    const HeldJobPtr first = jobs[0];
    pool_->Add(&jobs);
    next_begun.WaitForNotification();
    std::vector<Message> messages;
    mailbox_->Take(&messages);
    const bool found = std::any_of(
        messages.begin(), messages.end(), [&first](const Message& message) {
          return message.job == first &&
                 message.kind == Message::Kind::kReturned;
        });
    looked.Notify();
    done.WaitForNotification();
    return found;
  }

  std::shared_ptr<EpollPoller> poller_;
  std::shared_ptr<Mailbox> mailbox_;
  int granted_ = 0;
  int started_ = 0;
  std::vector<std::string> logged_;
  std::unique_ptr<HandlerPool> pool_;
};

TEST_F(HandlerPoolTest, MakesDoWithTheThreadsThatItGets) {
  granted_ = 2;
  ASSERT_TRUE(pool_->Start().ok());
  absl::BlockingCounter done(10);
  std::vector<HeldJobPtr> jobs = Jobs(10, [&done] { done.DecrementCount(); });
  pool_->Add(&jobs);
  done.Wait();
  EXPECT_EQ(started_, 2);
  EXPECT_THAT(logged_, ElementsAre(HasSubstr("2 of 4 run")));
}

TEST_F(HandlerPoolTest, SaysWhenItGetsNoThreadAtAll) {
  const absl::Status status = pool_->Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("a thread for handlers can't be started"));
  // The pool may be asked again.
  granted_ = 1;
  EXPECT_TRUE(pool_->Start().ok());
}

TEST_F(HandlerPoolTest, ReturnsWhatItHasNotBegun) {
  // A thread that never gets to its work.
  HandlerPool pool(
      1, mailbox_, poller_->clock(), Logger(),
      [](const std::function<void()>&) { return std::thread([] {}); });
  ASSERT_TRUE(pool.Start().ok());
  const std::vector<HeldJobPtr> given = Jobs(2, [] {});
  std::vector<HeldJobPtr> jobs = given;
  pool.Add(&jobs);
  EXPECT_THAT(pool.Stop(), ElementsAre(given[0], given[1]));
}

// A job that is done must neither count as late nor keep others from beginning
// because the next one, which was expected to be quick, is not.
TEST_F(HandlerPoolTest, TellsAtOnceTheEndOfAJobThatIsAwaited) {
  TaskOptions with_time_limit;
  with_time_limit.time_limit = absl::Hours(1);
  TaskOptions one_at_a_time;
  one_at_a_time.max_running = 1;
  granted_ = 1;
  ASSERT_TRUE(pool_->Start().ok());
  for (const TaskOptions& options : {with_time_limit, one_at_a_time}) {
    EXPECT_TRUE(TellsBeforeTheNext(options));
  }
}

}  // namespace
}  // namespace internal
}  // namespace gearman
