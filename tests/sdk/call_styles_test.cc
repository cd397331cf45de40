// One suite for the four call styles: each behaviour is the same, whether the
// program waits, gives a callback, takes a future or awaits in a coroutine.
// docs/guide/call_styles.md has the table.
#include <future>  // NOLINT: Abseil has no future
#include <memory>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/coroutines.h"
#include "gearman/sdk/futures.h"
#include "gearman/sdk/status.h"
#include "gearman/sdk/task.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Outcome = absl::StatusOr<std::string>;

// Each style has a Pending: a job that was submitted, and whose outcome Get
// waits for. The client may be gone when Get is called.

struct Blocking {
  static constexpr bool kCancels = true;
  struct Pending {
    Pending(Client& client, JobSpec spec)
        : client(&client), request(client.SubmitJob(std::move(spec))) {}
    void Cancel() { request.Cancel(); }
    Outcome Get() {
      if (!request.finished()) return client->Result(request, kLong);
      if (!request.status().ok()) return request.status();
      return request.TakeResult().value_or("");
    }
    Client* client;
    JobRequest request;
  };
};

struct CallbackStyle {
  static constexpr bool kCancels = true;
  struct Pending {
    Pending(Client& client, JobSpec spec) : shared(std::make_shared<Shared>()) {
      spec.options.callbacks.on_complete =
          [shared = shared](const JobRequest& request) {
            if (request.status().ok()) {
              shared->outcome = request.TakeResult().value_or("");
            } else {
              shared->outcome = request.status();
            }
            shared->done.Notify();
          };
      request = std::make_unique<JobRequest>(client.SubmitJob(std::move(spec)));
    }
    void Cancel() { request->Cancel(); }
    Outcome Get() {
      EXPECT_TRUE(shared->done.WaitForNotificationWithTimeout(kLong));
      return shared->outcome;
    }
    struct Shared {
      Outcome outcome;
      absl::Notification done;
    };
    std::shared_ptr<Shared> shared;
    std::unique_ptr<JobRequest> request;
  };
};

struct Future {
  static constexpr bool kCancels = false;
  struct Pending {
    Pending(Client& client, JobSpec spec)
        : future(Async(client, std::move(spec))) {}
    void Cancel() {}
    Outcome Get() { return future.get(); }
    std::future<Outcome> future;
  };
};

struct Coroutine {
  static constexpr bool kCancels = true;
  struct Pending {
    Pending(Client& client, JobSpec spec)
        : done(std::make_unique<absl::Notification>()),
          task(Await(client, std::move(spec), stop.get_token())) {
      task.Start([done = done.get()] { done->Notify(); });
    }
    void Cancel() { stop.request_stop(); }
    Outcome Get() {
      EXPECT_TRUE(done->WaitForNotificationWithTimeout(kLong));
      return task.TakeResult();
    }
    static Task<Outcome> Await(Client& client, JobSpec spec,
                               std::stop_token token) {
      CoroutineOptions options;
      options.stop_token = token;
      co_return co_await Run(client, std::move(spec), std::move(options));
    }
    std::stop_source stop;
    std::unique_ptr<absl::Notification> done;
    Task<Outcome> task;
  };
};

template <typename Style>
class CallStylesTest : public ClientTest {
 protected:
  using Pending = typename Style::Pending;

  // Plays a job up to its acceptance.
  static void Accept(PlayedServer& server, const std::string& handle) {
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {handle});
  }
};

class StyleNames {
 public:
  template <typename Style>
  static std::string GetName(int) {
    if (std::is_same_v<Style, Blocking>) return "Blocking";
    if (std::is_same_v<Style, CallbackStyle>) return "Callback";
    return std::is_same_v<Style, Future> ? "Future" : "Coroutine";
  }
};

using Styles = ::testing::Types<Blocking, CallbackStyle, Future, Coroutine>;
TYPED_TEST_SUITE(CallStylesTest, Styles, StyleNames);

TYPED_TEST(CallStylesTest, GivesTheResult) {
  auto client = this->MakeClient();
  typename TestFixture::Pending pending(*client, ReverseSpec());
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  server.Send(kWorkComplete, {"H:1", "olleh"});
  const Outcome outcome = pending.Get();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "olleh");
}

TYPED_TEST(CallStylesTest, AFailureIsAborted) {
  auto client = this->MakeClient();
  typename TestFixture::Pending pending(*client, ReverseSpec());
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  server.Send(kWorkFail, {"H:1"});
  const Outcome outcome = pending.Get();
  EXPECT_TRUE(absl::IsAborted(outcome.status())) << outcome.status();
  const StatusFacts facts = GetStatusFacts(outcome.status());
  EXPECT_TRUE(facts.failed);
  EXPECT_FALSE(facts.exception.has_value());
  EXPECT_EQ(facts.handle, "H:1");
}

TYPED_TEST(CallStylesTest, AnExceptionHasItsBytes) {
  auto client = this->MakeClient();
  typename TestFixture::Pending pending(*client, ReverseSpec());
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  server.Send(kWorkException, {"H:1", "no paper"});
  const Outcome outcome = pending.Get();
  EXPECT_TRUE(absl::IsAborted(outcome.status())) << outcome.status();
  EXPECT_EQ(GetStatusFacts(outcome.status()).exception, "no paper");
}

TYPED_TEST(CallStylesTest, AServerThatIsNotThereIsUnavailable) {
  ClientOptions options = this->Options();
  options.max_connection_attempts = 1;
  this->listener_.Close();
  auto client = this->MakeClient(options);
  typename TestFixture::Pending pending(*client, ReverseSpec());
  const Outcome outcome = pending.Get();
  EXPECT_TRUE(absl::IsUnavailable(outcome.status())) << outcome.status();
  EXPECT_THAT(std::string(outcome.status().message()),
              HasSubstr(options.servers[0]));
}

TYPED_TEST(CallStylesTest, TheTimeoutOfTheRequestIsDeadlineExceeded) {
  auto client = this->MakeClient();
  JobSpec spec = ReverseSpec();
  spec.options.timeout = absl::Milliseconds(20);
  typename TestFixture::Pending pending(*client, std::move(spec));
  const Outcome outcome = pending.Get();
  EXPECT_TRUE(absl::IsDeadlineExceeded(outcome.status())) << outcome.status();
}

TYPED_TEST(CallStylesTest, ARefusedJobHasItsError) {
  auto client = this->MakeClient();
  typename TestFixture::Pending pending(*client,
                                        ReverseSpec(std::string(64, 'u')));
  EXPECT_TRUE(absl::IsInvalidArgument(pending.Get().status()));
}

TYPED_TEST(CallStylesTest, ACancelledRequestIsCancelled) {
  if (!TypeParam::kCancels) GTEST_SKIP() << "a future can't be cancelled";
  auto client = this->MakeClient();
  typename TestFixture::Pending pending(*client, ReverseSpec());
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  pending.Cancel();
  EXPECT_TRUE(absl::IsCancelled(pending.Get().status()));
}

TYPED_TEST(CallStylesTest, ADestroyedClientCancels) {
  auto client = this->MakeClient();
  typename TestFixture::Pending pending(*client, ReverseSpec());
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  client = nullptr;
  EXPECT_TRUE(absl::IsCancelled(pending.Get().status()));
}

TYPED_TEST(CallStylesTest, AThousandAreInFlightAtOnce) {
  constexpr int kJobs = 1000;
  auto client = this->MakeClient();
  std::vector<std::unique_ptr<typename TestFixture::Pending>> pending;
  for (int i = 0; i < kJobs; ++i) {
    pending.push_back(std::make_unique<typename TestFixture::Pending>(
        *client, ReverseSpec(absl::StrCat("u", i))));
  }
  PlayedServer server(&this->listener_);
  for (int i = 0; i < kJobs; ++i) {
    this->Accept(server, absl::StrCat("H:", i));
  }
  // All jobs are in flight, and they end in the other order.
  for (int i = kJobs - 1; i >= 0; --i) {
    server.Send(kWorkComplete, {absl::StrCat("H:", i), absl::StrCat(i)});
  }
  for (int i = 0; i < kJobs; ++i) {
    const Outcome outcome = pending[i]->Get();
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(*outcome, absl::StrCat(i));
  }
}

TYPED_TEST(CallStylesTest, AcceptanceProgressAndDataComeInOrderBeforeTheEnd) {
  auto client = this->MakeClient();
  std::vector<std::string> heard;
  JobSpec spec = ReverseSpec();
  JobCallbacks& callbacks = spec.options.callbacks;
  callbacks.on_accepted = [&heard](const JobRequest& request) {
    heard.push_back(absl::StrCat("accepted ", request.handle()));
  };
  callbacks.on_data = [&heard](const JobRequest&, absl::string_view data) {
    heard.push_back(absl::StrCat("data ", data));
  };
  callbacks.on_status = [&heard](const JobRequest&, const JobStatus& status) {
    heard.push_back(absl::StrCat("status ", status.numerator));
  };
  typename TestFixture::Pending pending(*client, std::move(spec));
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  server.Send(kWorkData, {"H:1", "1"});
  server.Send(kWorkStatus, {"H:1", "7", "9"});
  server.Send(kWorkData, {"H:1", "2"});
  server.Send(kWorkComplete, {"H:1", "r"});
  EXPECT_TRUE(pending.Get().ok());
  EXPECT_THAT(heard,
              ElementsAre("accepted H:1", "data 1", "status 7", "data 2"));
}

TYPED_TEST(CallStylesTest, ABackgroundJobEndsWhenItIsAccepted) {
  if (std::is_same_v<TypeParam, Blocking>) {
    GTEST_SKIP() << "Client::Result refuses a background job";
  }
  auto client = this->MakeClient();
  JobSpec spec = ReverseSpec();
  spec.background = true;
  typename TestFixture::Pending pending(*client, std::move(spec));
  PlayedServer server(&this->listener_);
  server.ReceiveBody(kSubmitJobBg);
  server.Send(kJobCreated, {"H:1"});
  const Outcome outcome = pending.Get();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "");
}

}  // namespace
}  // namespace gearman
