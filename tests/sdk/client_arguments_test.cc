// Tests of the kinds of arguments that a client takes: callbacks that can't be
// copied, each kind of text, and each kind of duration; and of values that it
// refuses.
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using ::testing::ElementsAre;

class ClientArgumentsTest : public ClientTest {
 protected:
  // Plays a server that gives the job an update of each kind, and its result.
  void Complete(PlayedServer* server, const std::string& handle) {
    server->ReceiveBody(kSubmitJob);
    server->Send(kJobCreated, {handle});
    server->Send(kWorkData, {handle, "data"});
    server->Send(kWorkWarning, {handle, "warning"});
    server->Send(kWorkStatus, {handle, "1", "2"});
    server->Send(kWorkComplete, {handle, "result"});
  }
};

std::unique_ptr<std::string> Owned() {
  return std::make_unique<std::string>("owned");
}

TEST_F(ClientArgumentsTest, CallbacksMayOwnWhatCannotBeCopied) {
  std::vector<std::string> log;
  CallOptions call;
  call.unique = "u";
  call.callbacks.on_data = [&log, owned = Owned()](const JobRequest&,
                                                   std::string_view data) {
    log.push_back(*owned + " " + std::string(data));
  };
  call.callbacks.on_warning = [&log, owned = Owned()](const JobRequest&,
                                                      absl::string_view data) {
    log.push_back(*owned + " " + std::string(data));
  };
  call.callbacks.on_status = [&log, owned = Owned()](const JobRequest&,
                                                     const JobStatus& status) {
    log.push_back(*owned + " " + std::to_string(status.numerator));
  };
  call.callbacks.on_complete = [&log, owned = Owned()](const JobRequest&) {
    log.push_back(*owned);
  };
  ClientOptions options = Options();
  options.interceptors.push_back([owned = Owned()](OutgoingJob& job) {
    job.set_data(*owned);
    job.OnEnd([owned = Owned()](const JobRequest&,
                                absl::StatusOr<std::string>& result) {
      if (result.ok()) *result += " " + *owned;
    });
    // No hook at all.
    job.OnEnd(nullptr);
  });
  auto client = MakeClient(std::move(options));
  const JobRequest request = client->SubmitJob("task", "data", std::move(call));
  PlayedServer server(&listener_);
  Complete(&server, "H:1");
  EXPECT_EQ(client->Result(request, 1min).value_or(""), "result owned");
  EXPECT_EQ(request.data(), "owned");
  EXPECT_THAT(log,
              ElementsAre("owned data", "owned warning", "owned 1", "owned"));
}

TEST_F(ClientArgumentsTest, OptionsOfACallCanBeUsedForManyCalls) {
  static_assert(std::is_copy_constructible_v<CallOptions>);
  static_assert(std::is_copy_constructible_v<JobSpec>);
  static_assert(std::is_copy_constructible_v<ClientOptions>);
  int ends = 0;
  CallOptions call;
  call.callbacks.on_complete = [&ends, owned = Owned()](const JobRequest&) {
    if (*owned == "owned") ++ends;
  };
  auto client = MakeClient();
  const std::vector<JobRequest> requests = {client->SubmitJob("t", "1", call),
                                            client->SubmitJob("t", "2", call)};
  PlayedServer server(&listener_);
  Complete(&server, "H:1");
  Complete(&server, "H:2");
  EXPECT_TRUE(client->WaitUntilJobsCompleted(requests, 1min).ok());
  EXPECT_EQ(ends, 2);
}

// With such values a client would connect without end, or at a time that is
// not a number.
TEST_F(ClientArgumentsTest, DelaysOfReconnectionThatCantBeRightAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::pair<ReconnectOptions, std::string>> wrong(8);
  wrong[0].first.first_delay = absl::ZeroDuration();
  wrong[0].second = "first_delay is 0";
  wrong[1].first.initial_delay = -absl::Seconds(1);
  wrong[1].second = "initial_delay is -1s";
  wrong[2].first.max_delay = absl::ZeroDuration();
  wrong[2].second = "max_delay is 0";
  wrong[3].first.connection_lifetime = absl::ZeroDuration();
  wrong[3].second = "connection_lifetime is 0";
  wrong[4].first.multiplier = 0.5;
  wrong[4].second = "multiplier must be";
  wrong[5].first.multiplier = nan;
  wrong[5].second = "multiplier must be";
  wrong[6].first.jitter = 1.5;
  wrong[6].second = "jitter must be";
  wrong[7].first.failures_to_open = 0;
  wrong[7].second = "failures_to_open must be";
  for (const auto& [reconnect, problem] : wrong) {
    ClientOptions options;
    options.servers = {"tcp://127.0.0.1"};
    options.reconnect = reconnect;
    const absl::Status status = Client::Create(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                ::testing::HasSubstr("ClientOptions::reconnect." + problem));
  }
}

TEST_F(ClientArgumentsTest, AnEmptyFunctionIsNoCallback) {
  CallOptions call;
  call.callbacks.on_complete = std::function<void(const JobRequest&)>();
  call.callbacks.on_data =
      absl::AnyInvocable<void(const JobRequest&, absl::string_view)>();
  EXPECT_TRUE(call.callbacks.empty());
}

TEST_F(ClientArgumentsTest, TextsMayBeOfEitherKind) {
  auto client = MakeClient();
  const std::string_view standard = "standard";
  const absl::string_view abseil = "abseil";
  const JobRequest first = client->SubmitBackgroundJob(standard, "");
  const JobRequest second = client->SubmitBackgroundJob(abseil, "");
  EXPECT_EQ(first.task(), "standard");
  EXPECT_EQ(second.task(), "abseil");
  const std::string_view unique = first.unique();
  EXPECT_EQ(unique.size(), 32u);
  const std::string_view data = first.data();
  EXPECT_EQ(data, "");
  EXPECT_TRUE(
      absl::IsInvalidArgument(client->AddServer(std::string_view("tcp://"))));
  EXPECT_TRUE(absl::IsNotFound(
      client->RemoveServer(std::string_view("tcp://nowhere"))));
}

TEST_F(ClientArgumentsTest, DurationsMayBeOfEitherKind) {
  ClientOptions options = Options();
  options.timeout = 10min;
  options.connect_timeout = 10s;
  options.reply_timeout = absl::Minutes(1);
  options.heartbeat_interval = 1min;
  auto client = MakeClient(std::move(options));
  CallOptions call;
  call.timeout = 20ms;
  const JobRequest request = client->SubmitJob("t", "", call);
  EXPECT_TRUE(absl::IsDeadlineExceeded(client->Wait(request, 1min)));
  call.timeout = absl::Milliseconds(20);
  EXPECT_TRUE(absl::IsDeadlineExceeded(client->Run("t", "", call).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(client->WaitForReady(1ms)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(client->Echo("ping", "", 1ms).status()));
}

}  // namespace
}  // namespace gearman
