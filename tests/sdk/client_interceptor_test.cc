// Tests of interceptors of a client: their changes to a job and to its end, on
// a virtual clock.
#include "gearman/sdk/client_interceptor.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/recording_observer.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::Command;

class ClientInterceptorTest : public ::testing::Test {
 protected:
  ClientInterceptorTest()
      : options_(stack_.ClientDefaults("client", {"inproc://jobs"})) {}
  ~ClientInterceptorTest() override {
    stack_.simulation.Stop("client");
    // Hooks hear of requests that are still in flight.
    client_ = nullptr;
  }

  // A server, and a worker that gives back task and data.
  void StartServer() {
    stack_.StartServer("jobs");
    Worker& worker = stack_.StartWorker("worker", {"inproc://jobs"});
    for (const char* task : {"echo", "other"}) {
      ASSERT_TRUE(
          worker
              .Register(
                  task,
                  [this](JobContext& context) -> absl::StatusOr<std::string> {
                    ++jobs_done_;
                    return absl::StrCat(context.job().task(), ":",
                                        context.job().data());
                  })
              .ok());
    }
    ASSERT_TRUE(worker
                    .Register("fail",
                              [](JobContext&) -> absl::StatusOr<std::string> {
                                return JobException("broken");
                              })
                    .ok());
  }
  void Add(ClientInterceptor interceptor) {
    options_.interceptors.push_back(std::move(interceptor));
  }
  Client& Start() {
    client_ = stack_.MakeClient(std::move(options_));
    return *client_;
  }
  void Drive() {
    stack_.simulation.Drive(
        "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  }
  // Bytes that the client has sent.
  double BytesSent() {
    const MetricsSnapshot snapshot = client_->metrics();
    const MetricFamily* const family =
        snapshot.Find("gearman_transport_sent_bytes_total");
    double bytes = 0;
    if (family == nullptr) return bytes;
    for (const MetricSample& sample : family->samples) bytes += sample.value;
    return bytes;
  }

  testing::SimulatedStack stack_{1};
  ClientOptions options_;
  std::unique_ptr<Client> client_;
  std::vector<std::string> log_;
  int jobs_done_ = 0;
};

// --- changes

TEST_F(ClientInterceptorTest, ChangesTheJob) {
  StartServer();
  Add([](OutgoingJob& job) {
    job.set_task("other");
    job.set_data(absl::StrCat(job.data(), "!"));
    CallOptions options = job.options();
    options.unique = absl::StrCat(*options.unique, "-changed");
    options.priority = Priority::kHigh;
    job.set_options(std::move(options));
  });
  CallOptions options;
  options.unique = "u1";
  options.timeout = absl::Minutes(1);
  const JobRequest request = Start().SubmitJob("echo", "hello", options);
  ASSERT_TRUE(client_->Wait(request).ok());
  EXPECT_EQ(request.result(), "other:hello!");
  EXPECT_EQ(request.task(), "other");
  EXPECT_EQ(request.data(), "hello!");
  EXPECT_EQ(request.unique(), "u1-changed");
  EXPECT_EQ(request.priority(), Priority::kHigh);
}

TEST_F(ClientInterceptorTest, AreCalledInOrderAndTheirHooksInReverse) {
  StartServer();
  for (const char* name : {"a", "b", "c"}) {
    Add([this, name](OutgoingJob& job) {
      log_.push_back(absl::StrCat(name, " sees ", job.data()));
      job.set_data(absl::StrCat(job.data(), name));
      job.OnEnd(
          [this, name](const JobRequest&, absl::StatusOr<std::string>& result) {
            log_.push_back(absl::StrCat(name, " gets ", *result));
            *result += name;
          });
    });
  }
  CallOptions options;
  options.callbacks.on_complete = [this](const JobRequest& request) {
    log_.push_back(absl::StrCat("on_complete ", request.result_view()));
  };
  options_.drive_mode = DriveMode::kAuto;
  EXPECT_EQ(*Start().Run("echo", "-", options), "echo:-abccba");
  EXPECT_THAT(log_,
              ElementsAre("a sees -", "b sees -a", "c sees -ab",
                          "c gets echo:-abc", "b gets echo:-abcc",
                          "a gets echo:-abccb", "on_complete echo:-abccba"));
}

TEST_F(ClientInterceptorTest, SeeEachOfMany) {
  StartServer();
  Add([](OutgoingJob& job) {
    job.set_data(absl::StrCat("<", job.data(), ">"));
  });
  Start();
  const auto requests = client_->SubmitMultipleJobs(
      {JobSpec("echo", "1"), JobSpec("echo", "2"), JobSpec("echo", "3")});
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  EXPECT_EQ(requests[0].result(), "echo:<1>");
  EXPECT_EQ(requests[1].result(), "echo:<2>");
  EXPECT_EQ(requests[2].result(), "echo:<3>");
}

TEST_F(ClientInterceptorTest, MayAddCallbacksAndATimeout) {
  stack_.StartServer("jobs");
  Add([this](OutgoingJob& job) {
    CallOptions options = job.options();
    options.timeout = absl::Seconds(3);
    options.callbacks.on_complete = [this](const JobRequest& request) {
      log_.emplace_back(request.timed_out() ? "timed out" : "?");
    };
    job.set_options(std::move(options));
  });
  options_.drive_mode = DriveMode::kAuto;
  const absl::Time begin = stack_.simulation.now();
  EXPECT_TRUE(absl::IsDeadlineExceeded(Start().Run("nobody", "").status()));
  EXPECT_EQ(stack_.simulation.now() - begin, absl::Seconds(3));
  EXPECT_THAT(log_, ElementsAre("timed out"));
}

TEST_F(ClientInterceptorTest, AnOptionThatCanNotBeEndsTheRequest) {
  StartServer();
  Add([](OutgoingJob& job) {
    CallOptions options = job.options();
    options.unique = std::string(64, 'u');
    job.set_options(std::move(options));
  });
  EXPECT_TRUE(absl::IsInvalidArgument(Start().Run("echo", "").status()));
  EXPECT_EQ(jobs_done_, 0);
}

TEST_F(ClientInterceptorTest, BeginAgainWithTheCallersJob) {
  StartServer();
  Add([](OutgoingJob& job) {
    job.set_data(absl::StrCat("<", job.data(), ">"));
    CallOptions options = job.options();
    options.max_connection_attempts = 1;
    job.set_options(std::move(options));
  });
  Start();
  JobSpec spec("echo", "x");
  spec.options.max_connection_attempts = 7;
  JobRequest request = client_->SubmitJob(std::move(spec));
  request.Cancel();
  EXPECT_TRUE(absl::IsCancelled(client_->Wait(request)));
  ASSERT_TRUE(client_->SubmitMultipleRequests({&request, 1}).ok());
  ASSERT_TRUE(client_->Wait(request).ok());
  EXPECT_EQ(request.result(), "echo:<x>");
  EXPECT_EQ(request.data(), "<x>");
  ASSERT_TRUE(request.Reset().ok());
  EXPECT_EQ(request.data(), "x");
  EXPECT_EQ(request.max_connection_attempts(), 7);
}

// The other client has no interceptor.
TEST_F(ClientInterceptorTest, AnotherClientBeginsWithTheCallersJob) {
  StartServer();
  ClientOptions others = stack_.ClientDefaults("other", {"inproc://jobs"});
  // The server joins the job to no other one.
  others.unique_mode = UniqueMode::kNone;
  const auto other = stack_.MakeClient(std::move(others));
  Add([](OutgoingJob& job) {
    job.set_data(absl::StrCat("<", job.data(), ">"));
    CallOptions options = job.options();
    options.max_connection_attempts = 1;
    job.set_options(std::move(options));
  });
  JobSpec spec("echo", "x");
  spec.options.max_connection_attempts = 7;
  const JobRequest request = Start().SubmitJob(std::move(spec));
  request.Cancel();
  EXPECT_TRUE(absl::IsCancelled(client_->Wait(request)));
  EXPECT_EQ(request.data(), "<x>");
  ASSERT_TRUE(other->SubmitMultipleRequests({request}).ok());
  EXPECT_EQ(request.data(), "x");
  EXPECT_EQ(request.max_connection_attempts(), 7);
  ASSERT_TRUE(other->Wait(request).ok());
  EXPECT_EQ(request.result(), "echo:x");
}

// --- answers without the wire

TEST_F(ClientInterceptorTest, AnswersWithoutAByte) {
  options_.metrics_sinks.push_back(std::make_shared<InMemoryMetrics>());
  Add([](OutgoingJob& job) { job.Answer(std::string("known")); });
  Add([this](OutgoingJob&) { log_.emplace_back("must not be called"); });
  const JobRequest request = Start().SubmitJob("echo", "hello");
  ASSERT_TRUE(client_->Wait(request).ok());
  EXPECT_EQ(request.state(), JobState::kComplete);
  EXPECT_EQ(request.result(), "known");
  EXPECT_EQ(request.connection_attempts(), 0);
  EXPECT_EQ(request.handle(), "");
  EXPECT_EQ(*client_->Run("echo", "hello"), "known");
  EXPECT_EQ(BytesSent(), 0);
  EXPECT_THAT(log_, IsEmpty());
}

// The counterpart: the same count sees what is sent.
TEST_F(ClientInterceptorTest, WhatIsNotAnsweredIsSent) {
  StartServer();
  options_.metrics_sinks.push_back(std::make_shared<InMemoryMetrics>());
  Add([](OutgoingJob&) {});
  ASSERT_TRUE(Start().Run("echo", "hello").ok());
  EXPECT_GT(BytesSent(), 0);
}

TEST_F(ClientInterceptorTest, AnErrorAsAnswerIsAFailedJob) {
  Add([](OutgoingJob& job) {
    job.Answer(absl::PermissionDeniedError("not for you"));
  });
  const JobRequest request = Start().SubmitJob("echo", "hello");
  EXPECT_TRUE(absl::IsPermissionDenied(client_->Wait(request)));
  EXPECT_EQ(request.state(), JobState::kFailed);
  EXPECT_FALSE(request.result().has_value());
}

TEST_F(ClientInterceptorTest, ABackgroundJobIsAnsweredAsAccepted) {
  Add([](OutgoingJob& job) { job.Answer(std::string()); });
  const JobRequest request = Start().SubmitBackgroundJob("echo", "hello");
  EXPECT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}).ok());
  EXPECT_EQ(request.state(), JobState::kCreated);
  EXPECT_TRUE(request.complete());
}

TEST_F(ClientInterceptorTest, AnAnswerNeedsNoRoom) {
  options_.limits.max_requests_in_flight = 1;
  options_.limits.when_full = WhenFull::kFail;
  Add([](OutgoingJob& job) {
    if (job.task() == "known") job.Answer(std::string("yes"));
  });
  stack_.StartServer("jobs");
  const JobRequest waits = Start().SubmitJob("nobody", "");
  EXPECT_EQ(*client_->Run("known", ""), "yes");
  EXPECT_EQ(client_->Run("echo", "").status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(ClientInterceptorTest, HooksOfThoseBeforeSeeAnAnswer) {
  Add([](OutgoingJob& job) {
    job.OnEnd([](const JobRequest&, absl::StatusOr<std::string>& result) {
      *result += ", seen";
    });
  });
  Add([](OutgoingJob& job) { job.Answer(std::string("known")); });
  EXPECT_EQ(*Start().Run("echo", ""), "known, seen");
}

// A use case: what was computed once is remembered.
TEST_F(ClientInterceptorTest, ACache) {
  StartServer();
  auto cache = std::make_shared<std::map<std::string, std::string>>();
  Add([cache](OutgoingJob& job) {
    std::string key = absl::StrCat(job.task(), "\n", job.data());
    const auto known = cache->find(key);
    if (known != cache->end()) return job.Answer(known->second);
    job.OnEnd(
        [cache, key](const JobRequest&, absl::StatusOr<std::string>& result) {
          if (result.ok()) (*cache)[key] = *result;
        });
  });
  Start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*client_->Run("echo", "x"), "echo:x");
  EXPECT_EQ(*client_->Run("echo", "y"), "echo:y");
  EXPECT_EQ(jobs_done_, 2);
}

// --- ends

TEST_F(ClientInterceptorTest, AHookMakesAFailureAResult) {
  StartServer();
  Add([](OutgoingJob& job) {
    job.OnEnd([](const JobRequest&, absl::StatusOr<std::string>& result) {
      if (!result.ok()) result = std::string("fallback");
    });
  });
  const JobRequest request = Start().SubmitJob("fail", "");
  EXPECT_TRUE(client_->Wait(request).ok());
  EXPECT_EQ(request.state(), JobState::kComplete);
  EXPECT_EQ(request.result(), "fallback");
  EXPECT_FALSE(request.exception().has_value());
}

TEST_F(ClientInterceptorTest, AHookAnswersForServersThatAreNotThere) {
  Add([](OutgoingJob& job) {
    job.OnEnd([](const JobRequest&, absl::StatusOr<std::string>& result) {
      if (absl::IsNotFound(result.status())) result = std::string("stale");
    });
  });
  EXPECT_EQ(*Start().Run("echo", ""), "stale");
}

TEST_F(ClientInterceptorTest, AHookMakesAResultAFailure) {
  StartServer();
  Add([](OutgoingJob& job) {
    job.OnEnd([](const JobRequest&, absl::StatusOr<std::string>& result) {
      result = absl::DataLossError("not what was encrypted");
    });
  });
  const JobRequest request = Start().SubmitJob("echo", "");
  EXPECT_TRUE(absl::IsDataLoss(client_->Wait(request)));
  EXPECT_EQ(request.state(), JobState::kFailed);
  EXPECT_FALSE(request.result().has_value());
}

TEST_F(ClientInterceptorTest, NobodySeesTheEndBeforeTheHooks) {
  StartServer();
  Add([this](OutgoingJob& job) {
    job.OnEnd(
        [this](const JobRequest& request, absl::StatusOr<std::string>& result) {
          EXPECT_FALSE(request.finished());
          EXPECT_FALSE(request.result().has_value());
          EXPECT_EQ(request.state(), JobState::kCreated);
          EXPECT_THAT(request.handle(), StartsWith("H:"));
          EXPECT_EQ(request.connection(), "inproc://jobs");
          log_.push_back(*result);
        });
  });
  ASSERT_TRUE(Start().Run("echo", "x").ok());
  EXPECT_THAT(log_, ElementsAre("echo:x"));
}

TEST_F(ClientInterceptorTest, AHookHearsOfTheEndOnce) {
  stack_.StartServer("jobs");
  Add([this](OutgoingJob& job) {
    job.OnEnd([this](const JobRequest&, absl::StatusOr<std::string>& result) {
      log_.push_back(absl::StatusCodeToString(result.status().code()));
    });
  });
  Start();
  CallOptions options;
  options.timeout = absl::Seconds(1);
  EXPECT_FALSE(client_->Run("nobody", "", options).ok());
  const JobRequest cancelled = client_->SubmitJob("nobody", "");
  cancelled.Cancel();
  EXPECT_TRUE(absl::IsCancelled(client_->Wait(cancelled)));
  cancelled.Cancel();
  const JobRequest left = client_->SubmitJob("nobody", "");
  client_ = nullptr;
  EXPECT_TRUE(left.finished());
  EXPECT_THAT(log_, ElementsAre("DEADLINE_EXCEEDED", "CANCELLED", "CANCELLED"));
}

TEST_F(ClientInterceptorTest, AHookHearsOfASilentDrop) {
  stack_.StartServer("jobs");
  options_.limits.max_requests_in_flight = 1;
  options_.limits.when_full = WhenFull::kDrop;
  Add([this](OutgoingJob& job) {
    job.OnEnd([this](const JobRequest&, absl::StatusOr<std::string>& result) {
      log_.push_back(absl::StatusCodeToString(result.status().code()));
    });
  });
  Start();
  const JobRequest waits = client_->SubmitJob("nobody", "");
  const JobRequest dropped = client_->SubmitJob("nobody", "");
  EXPECT_EQ(client_->Wait(dropped).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(log_, ElementsAre("RESOURCE_EXHAUSTED"));
}

TEST_F(ClientInterceptorTest, RunOnceForASubmissionNotForAnAttempt) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "jobs");
  options_.retry_policy = std::make_shared<ExponentialBackoffRetryPolicy>();
  options_.idempotent = true;
  Add([this](OutgoingJob& job) {
    log_.emplace_back("before");
    job.set_data(absl::StrCat("<", job.data(), ">"));
    job.OnEnd([this](const JobRequest&, absl::StatusOr<std::string>& result) {
      log_.push_back(*result);
    });
  });
  Start();
  Drive();
  const JobRequest request = client_->SubmitJob("echo", "x");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    auto connection = played.Accept();
    EXPECT_EQ(connection->Receive(), "OPTION_REQ exceptions");
    connection->Send(Command::kOptionRes, {"exceptions"});
    EXPECT_THAT(connection->Receive(), ::testing::EndsWith("|<x>"));
    if (attempt < 3) {
      connection->Close();
      continue;
    }
    connection->Send(Command::kJobCreated, {"H:3"});
    connection->Send(Command::kWorkComplete, {"H:3", "done"});
    stack_.simulation.RunUntil([&] { return request.finished(); });
  }
  EXPECT_EQ(request.result(), "done");
  EXPECT_THAT(log_, ElementsAre("before", "done"));
}

// --- exceptions, spans

TEST_F(ClientInterceptorTest, AnExceptionEndsTheRequest) {
  StartServer();
  Add([](OutgoingJob& job) {
    if (job.data() == "odd") throw 17;  // NOLINT
    throw std::runtime_error("no key");
  });
  const absl::Status status = Start().Run("echo", "x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no key"));
  EXPECT_EQ(client_->Run("echo", "odd").status().code(),
            absl::StatusCode::kUnknown);
  EXPECT_EQ(jobs_done_, 0);
}

TEST_F(ClientInterceptorTest, AnExceptionOfAHookEndsTheRequest) {
  StartServer();
  Add([this](OutgoingJob& job) {
    job.OnEnd([this](const JobRequest&, absl::StatusOr<std::string>& result) {
      log_.push_back(std::string(result.status().message()));
    });
  });
  Add([](OutgoingJob& job) {
    job.OnEnd([](const JobRequest&, absl::StatusOr<std::string>&) {
      throw std::runtime_error("no key");
    });
  });
  EXPECT_EQ(Start().Run("echo", "x").status().code(),
            absl::StatusCode::kUnknown);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("no key")));
}

TEST_F(ClientInterceptorTest, SeesTheSpanWhichLastsUntilAfterItsHooks) {
  StartServer();
  auto observer = std::make_shared<testing::RecordingObserver>();
  options_.trace_observer = observer;
  Add([observer](OutgoingJob& job) {
    EXPECT_NE(job.span(), nullptr);
    observer->Note("interceptor");
    job.set_task("other");
    job.OnEnd([observer](const JobRequest&, absl::StatusOr<std::string>&) {
      observer->Note("hook");
    });
  });
  ASSERT_TRUE(Start().Run("echo", "x").ok());
  EXPECT_THAT(observer->log(),
              ElementsAre("begin submit echo", "interceptor", "hook",
                          "end submit other complete"));
}

TEST_F(ClientInterceptorTest, AnAnswerHasASpanWithoutAttempts) {
  auto observer = std::make_shared<testing::RecordingObserver>();
  options_.trace_observer = observer;
  Add([](OutgoingJob& job) { job.Answer(std::string("known")); });
  ASSERT_TRUE(Start().Run("echo", "x").ok());
  ASSERT_THAT(observer->spans(), SizeIs(1));
  EXPECT_EQ(observer->spans()[0].attempts, 0);
  EXPECT_EQ(observer->spans()[0].outcome, "complete");
  EXPECT_EQ(observer->spans()[0].end_server, "");
}

}  // namespace
}  // namespace gearman
