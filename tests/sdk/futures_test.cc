// Tests of futures alone; tests/sdk/call_styles_test.cc has what all styles
// share.
#include "gearman/sdk/futures.h"

#include <chrono>  // NOLINT: a future's wait takes it
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client/told_call.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/job_request.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using Outcome = absl::StatusOr<std::string>;

class FuturesTest : public ClientTest {
 protected:
  static bool Ready(std::future<Outcome>& future) {
    return future.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }
  // Plays a server that does one job, and expects its result in `future`.
  void ExpectServed(std::future<Outcome>* future) {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    server.Send(kWorkComplete, {"H:1", "r"});
    const Outcome outcome = future->get();
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(*outcome, "r");
  }
};

TEST_F(FuturesTest, ManyAreInTheOrderOfTheJobs) {
  auto client = MakeClient();
  std::vector<JobSpec> specs;
  for (int i = 0; i < 3; ++i) specs.push_back(ReverseSpec(absl::StrCat(i)));
  auto futures = AsyncAll(*client, std::move(specs));
  ASSERT_EQ(futures.size(), 3u);
  PlayedServer server(&listener_);
  for (int i = 0; i < 3; ++i) {
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {absl::StrCat("H:", i)});
  }
  for (int i = 2; i >= 0; --i) {
    server.Send(kWorkComplete, {absl::StrCat("H:", i), absl::StrCat(i)});
  }
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = futures[i].get();
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(*outcome, absl::StrCat(i));
  }
}

// Notes the order in which the client tells the ends of requests.
class OrderListener : public internal::CallListener {
 public:
  OrderListener(std::string name, bool runs_user_code, std::string* order)
      : name_(std::move(name)),
        runs_user_code_(runs_user_code),
        order_(order) {}
  void OnEnd(Outcome) override { *order_ += name_; }
  bool runs_user_code() const override { return runs_user_code_; }

 private:
  const std::string name_;
  const bool runs_user_code_;
  std::string* const order_;
};

// A thread that waits for all of them wakes once. Code of the user is never
// overtaken: neither a callback nor a listener that runs it.
TEST_F(FuturesTest, EndsOfOneReadThatOnlyWakeThreadsAreToldLastFirst) {
  auto client = MakeClient();
  std::string order;
  std::vector<JobRequest> requests;
  const auto add = [&](const std::string& name, bool runs_user_code,
                       bool callback) {
    JobSpec spec = ReverseSpec(name);
    if (callback) {
      spec.options.callbacks.on_complete = [&](const JobRequest&) {
        order += "!";
      };
    }
    requests.push_back(internal::MakeTold(
        std::move(spec),
        internal::Ref<OrderListener>::Make(name, runs_user_code, &order)));
  };
  add("a", /*runs_user_code=*/false, /*callback=*/false);
  add("b", /*runs_user_code=*/false, /*callback=*/false);
  add("c", /*runs_user_code=*/false, /*callback=*/true);
  add("d", /*runs_user_code=*/false, /*callback=*/false);
  add("e", /*runs_user_code=*/false, /*callback=*/false);
  add("f", /*runs_user_code=*/true, /*callback=*/false);
  add("g", /*runs_user_code=*/false, /*callback=*/false);
  internal::SubmitTold(*client, requests);
  PlayedServer server(&listener_);
  std::string replies;
  for (size_t i = 0; i < requests.size(); ++i) {
    server.ReceiveBody(kSubmitJob);
    const std::string handle = absl::StrCat("H:", i);
    absl::StrAppend(&replies, support::ResponsePacket(kJobCreated, {handle}),
                    support::ResponsePacket(kWorkComplete, {handle, "r"}));
  }
  server.SendBytes(replies);
  EXPECT_TRUE(client->WaitUntilJobsCompleted(requests).ok());
  EXPECT_EQ(order, "ba!cedfg");
}

TEST_F(FuturesTest, ACallerOnlyClientRefusesAtOnce) {
  ClientOptions options = Options();
  options.drive_mode = DriveMode::kCallerOnly;
  auto client = MakeClient(options);
  auto future = Async(*client, ReverseSpec());
  ASSERT_TRUE(Ready(future));
  EXPECT_TRUE(absl::IsFailedPrecondition(future.get().status()));
}

// No callback is called for such a job.
TEST_F(FuturesTest, ADroppedJobHasItsErrorAtOnce) {
  ClientOptions options = Options();
  options.limits.max_requests_in_flight = 1;
  options.limits.when_full = WhenFull::kDrop;
  auto client = MakeClient(options);
  auto first = Async(*client, ReverseSpec("1"));
  auto second = Async(*client, ReverseSpec("2"));
  ASSERT_TRUE(Ready(second));
  EXPECT_TRUE(absl::IsResourceExhausted(second.get().status()));
  EXPECT_FALSE(Ready(first));
}

// A client that is being destroyed calls no callback of what it refuses.
TEST_F(FuturesTest, AJobSubmittedWhileTheClientIsDestroyedIsCancelledAtOnce) {
  auto client = MakeClient();
  Client* const raw = client.get();
  bool ready = false;
  absl::Status status;
  JobSpec spec = ReverseSpec("1");
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    auto late = Async(*raw, ReverseSpec("2"));
    ready = Ready(late);
    if (ready) status = late.get().status();
  };
  auto future = Async(*client, std::move(spec));
  client = nullptr;
  EXPECT_TRUE(absl::IsCancelled(future.get().status()));
  EXPECT_TRUE(ready);
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

TEST_F(FuturesTest, TheJobGoesOnWithoutItsFuture) {
  auto client = MakeClient();
  Async(*client, ReverseSpec("1"));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "r"});
  auto next = Async(*client, ReverseSpec("2"));
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkComplete, {"H:2", "r"});
  EXPECT_TRUE(next.get().ok());
}

TEST_F(FuturesTest, IsSetByTheThreadOfTheClientAfterTheCallback) {
  auto client = MakeClient();
  std::thread::id caller = std::this_thread::get_id(), setter = caller;
  bool ready_in_callback = true;
  std::future<Outcome> future;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    setter = std::this_thread::get_id();
    ready_in_callback = Ready(future);
    // The future has the result, though this callback leaves it in place.
    EXPECT_EQ(request.result_view(), "r");
  };
  future = Async(*client, std::move(spec));
  ExpectServed(&future);
  EXPECT_FALSE(ready_in_callback);
  EXPECT_NE(setter, caller);
}

// A callback that resubmits each lost job goes on with the same future.
TEST_F(FuturesTest,
       ARequestThatItsCallbackSubmitsAgainSetsTheFutureAtItsLastEnd) {
  auto client = MakeClient();
  Client* const raw = client.get();
  int ends = 0;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    if (++ends > 1) return;
    JobRequest again = request;
    EXPECT_TRUE(again.Reset().ok());
    EXPECT_TRUE(raw->SubmitMultipleRequests({again}).ok());
  };
  auto future = Async(*client, std::move(spec));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkFail, {"H:1"});
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkComplete, {"H:2", "second"});
  const Outcome outcome = future.get();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "second");
}

// New options have none of the callbacks that the job had.
TEST_F(FuturesTest, IsSetThoughAnInterceptorReplacesTheOptions) {
  ClientOptions options = Options();
  options.interceptors.emplace_back(
      [](OutgoingJob& job) { job.set_options(CallOptions()); });
  auto client = MakeClient(options);
  auto future = Async(*client, ReverseSpec());
  ExpectServed(&future);
}

TEST_F(FuturesTest, AnExceptionOfTheCallbackDoesNotKeepTheFutureFromBeingSet) {
  ClientOptions options = Options();
  options.logger = Logger();
  auto client = MakeClient(options);
  JobSpec spec = ReverseSpec(std::string(64, 'u'));
  spec.options.callbacks.on_complete = [](const JobRequest&) {
    throw std::runtime_error("mine");
  };
  EXPECT_TRUE(
      absl::IsInvalidArgument(Async(*client, std::move(spec)).get().status()));
}

}  // namespace
}  // namespace gearman
