// Tests of coroutines alone; tests/sdk/call_styles_test.cc has what all styles
// share.
#include "gearman/sdk/coroutines.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/task.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/transports/epoll_poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

using Outcome = absl::StatusOr<std::string>;

// A started task whose end another thread waits for.
template <typename T>
class Started {
 public:
  explicit Started(Task<T> task) : task_(std::move(task)) {
    task_->Start([this] { done_.Notify(); });
  }
  T Get() {
    EXPECT_TRUE(done_.WaitForNotificationWithTimeout(kLong));
    return task_->TakeResult();
  }
  bool done() const { return done_.HasBeenNotified(); }
  void Destroy() { task_.reset(); }

 private:
  absl::Notification done_;
  std::optional<Task<T>> task_;
};

// Runs functions when the test says so.
class Queue {
 public:
  Executor executor() {
    return [this](absl::AnyInvocable<void()> function) {
      absl::MutexLock lock(&mutex_);
      functions_.push_back(std::move(function));
    };
  }
  // Waits for the next function, and takes it.
  absl::AnyInvocable<void()> Take() {
    absl::MutexLock lock(&mutex_);
    const bool came = mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](std::deque<absl::AnyInvocable<void()>>* queue) {
              return !queue->empty();
            },
            &functions_),
        kLong);
    EXPECT_TRUE(came);
    if (!came) return [] {};
    absl::AnyInvocable<void()> function = std::move(functions_.front());
    functions_.pop_front();
    return function;
  }
  // Waits for the next function, and runs it on this thread.
  void RunOne() { Take()(); }

 private:
  absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> functions_;
};

class CoroutinesTest : public ClientTest {
 protected:
  static void Accept(PlayedServer& server, const std::string& handle) {
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {handle});
  }
};

Task<std::vector<std::string>> TwoResults(Client& client,
                                          absl::Notification* submitted) {
  std::vector<std::string> heard;
  Call call = gearman::Run(client, ReverseSpec());
  submitted->Notify();
  Outcome outcome = co_await call.Result();
  heard.push_back(outcome.ok() ? *outcome : outcome.status().ToString());
  heard.push_back(call.request().handle());
  const Outcome again = co_await call.Result();
  heard.push_back(absl::StatusCodeToString(again.status().code()));
  co_return heard;
}

TEST_F(CoroutinesTest, ARequestGoesOnUntilItsResultIsAwaited) {
  auto client = MakeClient();
  absl::Notification submitted;
  Started<std::vector<std::string>> task(TwoResults(*client, &submitted));
  EXPECT_TRUE(submitted.HasBeenNotified());
  PlayedServer server(&listener_);
  Accept(server, "H:1");
  server.Send(kWorkComplete, {"H:1", "olleh"});
  EXPECT_THAT(task.Get(), ElementsAre("olleh", "H:1", "FAILED_PRECONDITION"));
}

Task<std::vector<std::string>> Many(Client& client) {
  std::vector<JobSpec> specs;
  for (int i = 0; i < 3; ++i) specs.push_back(ReverseSpec(absl::StrCat(i)));
  std::vector<Call> calls = RunAll(client, std::move(specs));
  std::vector<std::string> results;
  for (Call& call : calls) {
    Outcome outcome = co_await call;
    results.push_back(outcome.value_or("none"));
  }
  co_return results;
}

TEST_F(CoroutinesTest, AJobMayBeSubmittedMoreThanOnce) {
  auto client = MakeClient();
  const JobSpec spec = ReverseSpec();
  const Call first = gearman::Run(*client, spec);
  const Call second = gearman::Run(*client, spec);
  EXPECT_EQ(first.request().data(), "hello");
  EXPECT_EQ(second.request().data(), "hello");
}

TEST_F(CoroutinesTest, AwaitsManyCallsInTheOrderOfTheJobs) {
  auto client = MakeClient();
  Started<std::vector<std::string>> task(Many(*client));
  PlayedServer server(&listener_);
  for (int i = 0; i < 3; ++i) Accept(server, absl::StrCat("H:", i));
  for (int i = 2; i >= 0; --i) {
    server.Send(kWorkComplete, {absl::StrCat("H:", i), absl::StrCat(i)});
  }
  EXPECT_THAT(task.Get(), ElementsAre("0", "1", "2"));
}

Task<Outcome> One(Client& client, JobSpec spec, CoroutineOptions options = {}) {
  co_return co_await Run(client, std::move(spec), std::move(options));
}

TEST_F(CoroutinesTest, DestroyingATaskCancelsItsRequest) {
  auto client = MakeClient();
  Started<Outcome> task(One(*client, ReverseSpec("first")));
  PlayedServer server(&listener_);
  Accept(server, "H:1");
  task.Destroy();
  // The result comes too late for the request, and harms nobody.
  server.Send(kWorkComplete, {"H:1", "late"});
  Started<Outcome> other(One(*client, ReverseSpec("next")));
  Accept(server, "H:2");
  server.Send(kWorkComplete, {"H:2", "r"});
  EXPECT_EQ(other.Get().value_or("none"), "r");
  EXPECT_FALSE(task.done());
}

// The destructor waits for a callback that refers to the coroutine's variables.
TEST_F(CoroutinesTest, NoCallbackRunsWhenItsCallHasBeenDestroyed) {
  auto client = MakeClient();
  absl::Notification in_callback, may_return;
  bool alive = true, touched_alive = false;
  int late = 0;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_data = [&](const JobRequest&, absl::string_view) {
    if (!alive) ++late;
    if (in_callback.HasBeenNotified()) return;
    in_callback.Notify();
    may_return.WaitForNotification();
    touched_alive = alive;
  };
  std::optional<Call> call(gearman::Run(*client, std::move(spec)));
  PlayedServer server(&listener_);
  Accept(server, "H:1");
  server.Send(kWorkData, {"H:1", "1"});
  in_callback.WaitForNotification();
  std::thread destroyer([&] {
    call.reset();
    alive = false;
  });
  may_return.Notify();
  destroyer.join();
  server.Send(kWorkData, {"H:1", "2"});
  // The end of a later job shows that the data was handled.
  Started<Outcome> next(One(*client, ReverseSpec("next")));
  Accept(server, "H:2");
  server.Send(kWorkComplete, {"H:2", "r"});
  EXPECT_EQ(next.Get().value_or("none"), "r");
  EXPECT_TRUE(touched_alive);
  EXPECT_EQ(late, 0);
}

TEST_F(CoroutinesTest, AStopRequestCancels) {
  auto client = MakeClient();
  std::stop_source stop;
  CoroutineOptions options;
  options.stop_token = stop.get_token();
  Started<Outcome> task(One(*client, ReverseSpec(), options));
  PlayedServer server(&listener_);
  Accept(server, "H:1");
  stop.request_stop();
  EXPECT_TRUE(absl::IsCancelled(task.Get().status()));
  // A task that begins after the stop ends at once, too.
  Started<Outcome> late(One(*client, ReverseSpec("late"), options));
  EXPECT_TRUE(absl::IsCancelled(late.Get().status()));
}

TEST_F(CoroutinesTest, GoesOnWhereTheExecutorRunsIt) {
  auto client = MakeClient();
  Queue queue;
  std::thread::id where;
  CoroutineOptions options;
  options.executor = queue.executor();
  const auto run = [&]() -> Task<Outcome> {
    Outcome outcome = co_await gearman::Run(*client, ReverseSpec(), options);
    where = std::this_thread::get_id();
    co_return outcome;
  };
  Started<Outcome> task(run());
  PlayedServer server(&listener_);
  Accept(server, "H:1");
  server.Send(kWorkComplete, {"H:1", "r"});
  queue.RunOne();
  EXPECT_EQ(task.Get().value_or("none"), "r");
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_F(CoroutinesTest, RunsOnAnEventLoopOfTheProgram) {
  auto poller = EpollPoller::CreateForEventLoop();
  ASSERT_TRUE(poller.ok()) << poller.status();
  pollfd watched = {(*poller)->descriptor(), POLLIN, 0};
  ClientOptions options = Options();
  options.poller = *std::move(poller);
  options.drive_mode = DriveMode::kEventLoop;
  auto client = MakeClient(std::move(options));
  std::thread::id where;
  const auto run = [&]() -> Task<Outcome> {
    Outcome outcome = co_await gearman::Run(*client, ReverseSpec());
    where = std::this_thread::get_id();
    co_return outcome;
  };
  Started<Outcome> task(run());
  std::thread other([this] {
    PlayedServer server(&listener_);
    Accept(server, "H:1");
    server.Send(kWorkComplete, {"H:1", "r"});
  });
  while (true) {
    const absl::Time next = client->RunOnce(absl::InfinitePast());
    if (task.done()) break;
    timespec limit =
        absl::ToTimespec(std::max(absl::ZeroDuration(), next - absl::Now()));
    ASSERT_GE(ppoll(&watched, 1, &limit, nullptr), 0);
  }
  other.join();
  EXPECT_EQ(task.Get().value_or("none"), "r");
  EXPECT_EQ(where, std::this_thread::get_id());
}

// On the thread of the client the coroutine may not wait, and elsewhere it may.
TEST_F(CoroutinesTest, ResumeOnTakesItToWhereItMayWait) {
  auto client = MakeClient();
  Queue queue;
  absl::StatusCode on_client_thread = absl::StatusCode::kOk;
  const auto run = [&]() -> Task<Outcome> {
    const Outcome first = co_await gearman::Run(*client, ReverseSpec("1"));
    EXPECT_TRUE(first.ok()) << first.status();
    on_client_thread =
        client->Run(JobRequest(ReverseSpec("2"))).status().code();
    co_await ResumeOn(queue.executor());
    co_return client->Result(client->SubmitJob(ReverseSpec("3")), kLong);
  };
  Started<Outcome> task(run());
  std::thread runner([&] { queue.RunOne(); });
  PlayedServer server(&listener_);
  for (const char* handle : {"H:1", "H:3"}) {
    Accept(server, handle);
    server.Send(kWorkComplete, {handle, handle});
  }
  EXPECT_EQ(task.Get().value_or("none"), "H:3");
  runner.join();
  EXPECT_EQ(on_client_thread, absl::StatusCode::kFailedPrecondition);
}

TEST_F(CoroutinesTest, AFunctionOfTheExecutorThatRunsTooLateDoesNothing) {
  auto client = MakeClient();
  Queue queue;
  CoroutineOptions options;
  options.executor = queue.executor();
  Started<Outcome> task(One(*client, ReverseSpec(), options));
  PlayedServer server(&listener_);
  Accept(server, "H:1");
  server.Send(kWorkComplete, {"H:1", "r"});
  absl::AnyInvocable<void()> late = queue.Take();
  task.Destroy();
  late();
  EXPECT_FALSE(task.done());
}

// Tasks are destroyed while the client's thread ends their requests.
TEST_F(CoroutinesTest, TasksThatAreDestroyedWhileTheyAreResumedAreGone) {
  constexpr int kTasks = 300;
  auto client = MakeClient();
  std::vector<std::unique_ptr<Started<Outcome>>> tasks;
  const auto twice = [&](int i) -> Task<Outcome> {
    const auto text = std::make_unique<std::string>(absl::StrCat(i));
    Outcome first =
        co_await gearman::Run(*client, ReverseSpec(absl::StrCat("a", i)));
    if (!first.ok() || *first != *text) co_return first;
    co_return co_await gearman::Run(*client, ReverseSpec(absl::StrCat("b", i)));
  };
  for (int i = 0; i < kTasks; ++i) {
    tasks.push_back(std::make_unique<Started<Outcome>>(twice(i)));
  }
  PlayedServer server(&listener_);
  for (int i = 0; i < kTasks; ++i) Accept(server, absl::StrCat("H:", i));
  std::string ends;
  for (int i = 0; i < kTasks; ++i) {
    ends += support::ResponsePacket(kWorkComplete,
                                    {absl::StrCat("H:", i), absl::StrCat(i)});
  }
  std::thread destroyer([&] {
    for (auto& task : tasks) task->Destroy();
  });
  server.SendBytes(ends);
  destroyer.join();
  client = nullptr;
  for (auto& task : tasks) EXPECT_FALSE(task->done());
}

}  // namespace
}  // namespace gearman
