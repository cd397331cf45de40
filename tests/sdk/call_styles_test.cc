// One suite for the four call styles: each behaviour is the same, whether the
// program waits, gives a callback, takes a future or awaits in a coroutine.
// docs/guide/call_styles.md has the table.
#include <cstddef>
#include <deque>
#include <functional>
#include <future>  // NOLINT: Abseil has no future
#include <memory>
#include <stop_token>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/coroutines.h"
#include "gearman/sdk/futures.h"
#include "gearman/sdk/status.h"
#include "gearman/sdk/task.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/sdk/testing/counting_transport.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Outcome = absl::StatusOr<std::string>;

// Each style has a Pending: a job that was submitted, and whose outcome Get
// waits for. The client may be gone when Get is called. A Many is many jobs of
// one batch. What a style does not have, its constants say, and the tests skip.
// tools/check compares the skipped tests with the table.

struct Blocking {
  static constexpr bool kCancels = true;
  static constexpr bool kGoesOnAlone = true;
  static constexpr bool kHearsOfDropped = true;
  static constexpr bool kGoesOnWhereWanted = true;
  struct Pending {
    Pending(Client& client, JobSpec spec)
        : client(&client), request(client.SubmitJob(std::move(spec))) {}
    void Cancel() { request.Cancel(); }
    Outcome Get() {
      if (!request.finished()) {
        // Client::Result refuses a background job.
        if (!request.background()) return client->Result(request, kLong);
        const absl::Status status = client->Wait(request, kLong);
        if (!status.ok()) return status;
      }
      if (!request.status().ok()) return request.status();
      return request.TakeResult().value_or("");
    }
    Client* client;
    JobRequest request;
  };
  struct Many {
    Many(Client& client, std::vector<JobSpec> specs)
        : client(&client),
          requests(client.SubmitMultipleJobs(std::move(specs))) {}
    std::vector<Outcome> Get() { return client->Results(requests, kLong); }
    Client* client;
    std::vector<JobRequest> requests;
  };
};

struct CallbackStyle {
  static constexpr bool kCancels = true;
  static constexpr bool kGoesOnAlone = true;
  static constexpr bool kHearsOfDropped = false;
  static constexpr bool kGoesOnWhereWanted = false;
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
  struct Many {
    Many(Client& client, std::vector<JobSpec> specs)
        : outcomes(specs.size()), left(specs.size()) {
      for (size_t i = 0; i < specs.size(); ++i) {
        specs[i].options.callbacks.on_complete =
            [this, i](const JobRequest& request) {
              outcomes[i] = request.status().ok()
                                ? Outcome(request.TakeResult().value_or(""))
                                : Outcome(request.status());
              if (--left == 0) done.Notify();
            };
      }
      client.SubmitMultipleJobs(std::move(specs));
    }
    std::vector<Outcome> Get() {
      EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
      return std::move(outcomes);
    }
    // Only the thread of the client writes them.
    std::vector<Outcome> outcomes;
    size_t left;
    absl::Notification done;
  };
};

struct Future {
  static constexpr bool kCancels = false;
  static constexpr bool kGoesOnAlone = true;
  static constexpr bool kHearsOfDropped = true;
  static constexpr bool kGoesOnWhereWanted = true;
  struct Pending {
    Pending(Client& client, JobSpec spec)
        : future(Async(client, std::move(spec))) {}
    void Cancel() {}
    Outcome Get() { return future.get(); }
    std::future<Outcome> future;
  };
  struct Many {
    Many(Client& client, std::vector<JobSpec> specs)
        : futures(AsyncAll(client, std::move(specs))) {}
    std::vector<Outcome> Get() {
      std::vector<Outcome> outcomes;
      for (std::future<Outcome>& future : futures) {
        outcomes.push_back(future.get());
      }
      return outcomes;
    }
    std::vector<std::future<Outcome>> futures;
  };
};

struct Coroutine {
  static constexpr bool kCancels = true;
  static constexpr bool kGoesOnAlone = false;  // its request is cancelled
  static constexpr bool kHearsOfDropped = true;
  static constexpr bool kGoesOnWhereWanted = true;
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
  struct Many {
    Many(Client& client, std::vector<JobSpec> specs)
        : task(Await(client, std::move(specs))) {
      task.Start([this] { done.Notify(); });
    }
    std::vector<Outcome> Get() {
      EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
      return task.TakeResult();
    }
    static Task<std::vector<Outcome>> Await(Client& client,
                                            std::vector<JobSpec> specs) {
      std::vector<Call> calls = RunAll(client, std::move(specs));
      std::vector<Outcome> outcomes;
      for (Call& call : calls) outcomes.push_back(co_await call.Result());
      co_return outcomes;
    }
    absl::Notification done;
    Task<std::vector<Outcome>> task;
  };
};

using Step = std::function<void()>;

// Submits a job, lets `play` play its server to the end, and runs `after` with
// the job's end behind it: on this thread, because it waits for the end.
template <typename Style>
void CallAndGoOn(Client& client, JobSpec spec, const Step& play,
                 const Step& after) {
  typename Style::Pending pending(client, std::move(spec));
  play();
  EXPECT_TRUE(pending.Get().ok());
  after();
}

Task<Outcome> RunAndGoOn(Client& client, JobSpec spec, Executor executor,
                         const Step& after) {
  CoroutineOptions options;
  options.executor = std::move(executor);
  Outcome outcome = co_await Run(client, std::move(spec), std::move(options));
  after();
  co_return outcome;
}

// A coroutine goes on where its executor runs it: here on this thread, too.
template <>
void CallAndGoOn<Coroutine>(Client& client, JobSpec spec, const Step& play,
                            const Step& after) {
  using Functions = std::deque<absl::AnyInvocable<void()>>;
  absl::Mutex mutex;
  Functions functions;
  absl::Notification done;
  Task<Outcome> task = RunAndGoOn(
      client, std::move(spec),
      [&](absl::AnyInvocable<void()> function) {
        absl::MutexLock lock(&mutex);
        functions.push_back(std::move(function));
      },
      after);
  task.Start([&] { done.Notify(); });
  play();
  absl::AnyInvocable<void()> function;
  {
    absl::MutexLock lock(&mutex);
    ASSERT_TRUE(mutex.AwaitWithTimeout(
        absl::Condition(
            +[](Functions* queue) { return !queue->empty(); }, &functions),
        kLong));
    function = std::move(functions.front());
  }
  function();
  ASSERT_TRUE(done.HasBeenNotified());
  EXPECT_TRUE(task.TakeResult().ok());
}

// tcp, whose writes are counted.
class CountedTcp final : public TransportFactory {
 public:
  explicit CountedTcp(testing::IoCounts* counts) : counts_(counts) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override {
    auto transport = tcp_.Create(address, poller, key);
    if (!transport.ok()) return transport.status();
    return std::make_unique<testing::CountingTransport>(*std::move(transport),
                                                        counts_);
  }

 private:
  TcpTransportFactory tcp_;
  testing::IoCounts* const counts_;
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

TYPED_TEST(CallStylesTest, ManyJobsLeaveInFewWrites) {
  constexpr int kJobs = 1000;
  testing::IoCounts counts;
  ClientOptions options = this->Options();
  options.transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(
      options.transports->Register("tcp", std::make_shared<CountedTcp>(&counts))
          .ok());
  auto client = this->MakeClient(options);
  // The connection is there before the batch, so that its own packets are not
  // counted.
  typename TestFixture::Pending first(*client, ReverseSpec("first"));
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:first");
  server.Send(kWorkComplete, {"H:first", "r"});
  ASSERT_TRUE(first.Get().ok());
  counts.Reset();
  std::vector<JobSpec> specs;
  for (int i = 0; i < kJobs; ++i) {
    specs.push_back(ReverseSpec(absl::StrCat("u", i)));
  }
  typename TypeParam::Many many(*client, std::move(specs));
  std::string replies;
  for (int i = 0; i < kJobs; ++i) {
    server.ReceiveBody(kSubmitJob);
    const std::string handle = absl::StrCat("H:", i);
    replies += support::ResponsePacket(kJobCreated, {handle});
    replies += support::ResponsePacket(kWorkComplete, {handle, handle});
  }
  server.SendBytes(replies);
  const std::vector<Outcome> outcomes = many.Get();
  ASSERT_EQ(outcomes.size(), static_cast<size_t>(kJobs));
  for (int i = 0; i < kJobs; ++i) {
    EXPECT_EQ(outcomes[i].value_or("none"), absl::StrCat("H:", i));
  }
  // One write takes them all, if the socket's buffer does.
  EXPECT_GE(counts.writes, 1u);
  EXPECT_LE(counts.writes, 10u);
}

TYPED_TEST(CallStylesTest, TheJobGoesOnThoughTheProgramDropsIt) {
  if (!TypeParam::kGoesOnAlone) GTEST_SKIP() << "its request is cancelled";
  auto client = this->MakeClient();
  absl::Notification heard;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_data =
      [&heard](const JobRequest&, absl::string_view) { heard.Notify(); };
  auto pending =
      std::make_unique<typename TestFixture::Pending>(*client, std::move(spec));
  PlayedServer server(&this->listener_);
  this->Accept(server, "H:1");
  pending = nullptr;
  server.Send(kWorkData, {"H:1", "part"});
  EXPECT_TRUE(heard.WaitForNotificationWithTimeout(kLong));
  server.Send(kWorkComplete, {"H:1", "r"});
  // The connection serves the next job, too.
  typename TestFixture::Pending next(*client, ReverseSpec("next"));
  this->Accept(server, "H:2");
  server.Send(kWorkComplete, {"H:2", "r"});
  EXPECT_TRUE(next.Get().ok());
}

TYPED_TEST(CallStylesTest, TheProgramHearsOfAJobThatIsDropped) {
  if (!TypeParam::kHearsOfDropped) GTEST_SKIP() << "kDrop calls no callback";
  ClientOptions options = this->Options();
  options.limits.max_requests_in_flight = 1;
  options.limits.when_full = WhenFull::kDrop;
  auto client = this->MakeClient(options);
  typename TestFixture::Pending first(*client, ReverseSpec("1"));
  typename TestFixture::Pending second(*client, ReverseSpec("2"));
  EXPECT_TRUE(absl::IsResourceExhausted(second.Get().status()));
}

TYPED_TEST(CallStylesTest, TheCodeAfterTheEndRunsWhereTheProgramWants) {
  if (!TypeParam::kGoesOnWhereWanted) GTEST_SKIP() << "the client's thread";
  auto client = this->MakeClient();
  std::thread::id callback, after;
  absl::Notification heard;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_data = [&](const JobRequest&, absl::string_view) {
    callback = std::this_thread::get_id();
    heard.Notify();
  };
  std::unique_ptr<PlayedServer> server;
  const Step play = [&] {
    server = std::make_unique<PlayedServer>(&this->listener_);
    this->Accept(*server, "H:1");
    server->Send(kWorkData, {"H:1", "part"});
    // Nobody waits for the client, whose own thread gets the data.
    EXPECT_TRUE(heard.WaitForNotificationWithTimeout(kLong));
    server->Send(kWorkComplete, {"H:1", "r"});
  };
  CallAndGoOn<TypeParam>(*client, std::move(spec), play,
                         [&] { after = std::this_thread::get_id(); });
  EXPECT_NE(callback, std::this_thread::get_id());
  EXPECT_EQ(after, std::this_thread::get_id());
}

TYPED_TEST(CallStylesTest, ABackgroundJobEndsWhenItIsAccepted) {
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
