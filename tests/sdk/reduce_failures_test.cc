// Mapper: parts that fail, code of the user that fails, time limits, and ends.
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/reduce.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/reduce_fixture.h"
#include "gearman/tests/support/forked_child.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::WaitFor;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Outcome = absl::StatusOr<std::string>;
using Part = absl::StatusOr<std::optional<std::string>>;

// A poller of the machine on a clock of the test, which wakes it when it has
// moved the clock.
class PollerOnFakeClock final : public Poller {
 public:
  PollerOnFakeClock() : poller_(*EpollPoller::Create()) {}

  void Advance(absl::Duration step) {
    clock_.Advance(step);
    poller_->Wake();
  }

  Clock* clock() override { return &clock_; }
  absl::Status Watch(Key key, const Interest& interest) override {
    return poller_->Watch(key, interest);
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
    poller_->Wait(deadline <= clock_.Now() ? absl::InfinitePast()
                                           : absl::InfiniteFuture(),
                  ready);
  }
  void Wake() override { poller_->Wake(); }

 private:
  const std::unique_ptr<EpollPoller> poller_;
  testing::FakeClock clock_;
};

class ReduceFailuresTest : public ReduceTest {
 protected:
  ReduceFailuresTest() : ReduceTest("inproc://reduce_failures") {}

  // The parts that are digits fail.
  static Outcome RefuseDigits(JobContext& context) {
    const std::string part(context.job().data());
    if (part[0] >= '0' && part[0] <= '9') {
      return absl::NotFoundError(absl::StrCat("no number ", part));
    }
    return part;
  }
};

// --- parts that fail -----------------------------------------------------------

TEST_F(ReduceFailuresTest, AFailureNamesThePartAndItsReason) {
  MakeMapper(Options());
  Map();
  Reduce(RefuseDigits);
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = Submit("ab3d");
  const absl::Status status = client_->Wait(request);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(
      std::string(request.exception().value_or("")),
      AllOf(
          HasSubstr("task \"map\", reducer \"reduce\": 1 part has failed, and "
                    "0 may"),
          HasSubstr("part 2: ABORTED: "), HasSubstr("no number 3"),
          HasSubstr(address_)));
  const MapperStats stats = mapper_->stats();
  EXPECT_EQ(stats.jobs_failed, 1u);
  EXPECT_EQ(stats.parts_failed, 1u);
}

TEST_F(ReduceFailuresTest, AFailureCancelsThePartsInFlight) {
  StartHolding(Options());
  const JobRequest request = Submit("abc");
  held_.Finish("b", absl::NotFoundError("no b"));
  EXPECT_TRUE(absl::IsAborted(client_->Wait(request)));
  EXPECT_TRUE(WaitFor([this] { return mapper_->stats().parts == 0; }));
  // Parts that were cancelled have not failed.
  EXPECT_EQ(mapper_->stats().parts_failed, 1u);
  EXPECT_EQ(mapper_->stats().bytes, 0u);
}

TEST_F(ReduceFailuresTest, PartsThatMayFailAreToldInTheirPlaces) {
  MapperOptions options = Options();
  options.max_failed_parts = 2;
  MakeMapper(std::move(options));
  Map();
  Reduce(RefuseDigits);
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = Run("0b2d");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "!0,b,!2,d");
}

TEST_F(ReduceFailuresTest, MoreFailuresThanMayBeAreListedInOrder) {
  MapperOptions options = Options();
  options.max_failed_parts = 7;
  options.max_parts_per_job = 8;
  StartHolding(std::move(options));
  const JobRequest request = Submit("abcdefgh");
  for (const char part : absl::string_view("hgfedcba")) {
    held_.Finish(
        absl::string_view(&part, 1),
        absl::NotFoundError(absl::StrCat("why ", std::string(1, part))));
  }
  EXPECT_TRUE(absl::IsAborted(client_->Wait(request)));
  const std::string text = request.exception().value_or("");
  EXPECT_THAT(text, AllOf(HasSubstr("8 parts have failed, and 7 may"),
                          HasSubstr("; and 3 more"), Not(HasSubstr("why a"))));
  EXPECT_LT(text.find("why d"), text.find("why h")) << text;
}

// The default of Aggregator.
TEST_F(ReduceFailuresTest, AFailedPartIsLeftOutUnlessTheAggregatorListens) {
  class Concatenation : public Aggregator {
   public:
    absl::Status Add(size_t, std::string result) override {
      text_ += result;
      return absl::OkStatus();
    }
    Outcome Finish() override { return text_; }

   private:
    std::string text_;
  };
  MapperOptions options = Options();
  options.max_failed_parts = 100;
  MakeMapper(std::move(options));
  Map([](const MapInput& input) -> absl::StatusOr<MapPlan> {
    MapPlan plan;
    plan.next_part = Letters(input.job.data());
    plan.aggregator = std::make_unique<Concatenation>();
    return plan;
  });
  Reduce(RefuseDigits);
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_EQ(*Run("a1b2c3"), "abc");
}

// --- code of the user that fails ------------------------------------------------

// An aggregator that fails where its job says so.
class Faulty : public Joiner {
 public:
  explicit Faulty(std::string where) : where_(std::move(where)) {}
  absl::Status Add(size_t part, std::string result) override {
    if (where_ == "add") return absl::DataLossError("bad result");
    if (where_ == "add throws") throw std::runtime_error("thrown by Add");
    return Joiner::Add(part, std::move(result));
  }
  Outcome Finish() override {
    if (where_ == "finish") return JobException("bytes of my own");
    if (where_ == "finish throws") throw std::runtime_error("thrown by Finish");
    return Joiner::Finish();
  }

 private:
  const std::string where_;
};

TEST_F(ReduceFailuresTest, ErrorsAndExceptionsOfTheUsersCodeEndTheJob) {
  MakeMapper(Options());
  Map([](const MapInput& input) -> absl::StatusOr<MapPlan> {
    const std::string where(input.job.data());
    if (where == "handler") return absl::NotFoundError("no such text");
    if (where == "handler throws") throw std::runtime_error("thrown by it");
    MapPlan plan;
    if (where == "no plan") return plan;
    plan.next_part = [where, text = Letters("ab")]() mutable -> Part {
      if (where == "part") return absl::OutOfRangeError("torn text");
      if (where == "part throws") throw std::runtime_error("thrown by part");
      return text();
    };
    plan.aggregator = std::make_unique<Faulty>(where);
    return plan;
  });
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const std::pair<const char*, const char*> cases[] = {
      {"handler", "NOT_FOUND: no such text"},
      {"handler throws", "thrown by it"},
      {"no plan", "without an aggregator"},
      {"part", "OUT_OF_RANGE: torn text"},
      {"part throws", "thrown by part"},
      {"add", "DATA_LOSS: bad result"},
      {"add throws", "thrown by Add"},
      {"finish", "bytes of my own"},
      {"finish throws", "thrown by Finish"},
  };
  for (const auto& [where, text] : cases) {
    const absl::Status status = Run(where).status();
    EXPECT_TRUE(absl::IsAborted(status)) << where << ": " << status;
    EXPECT_THAT(status.ToString(), HasSubstr(text)) << where;
  }
  EXPECT_EQ(*Run("well"), "aa,bb");
  EXPECT_TRUE(WaitFor([this] { return mapper_->stats().parts == 0; }));
  EXPECT_EQ(mapper_->stats().jobs_failed, std::size(cases));
}

// --- time ------------------------------------------------------------------------

TEST_F(ReduceFailuresTest, APartHasATimeoutOnTheClientsClock) {
  const auto poller = std::make_shared<PollerOnFakeClock>();
  MapperOptions options = Options();
  options.client.poller = poller;
  // Only the part's own timer is to end it.
  options.client.heartbeat_interval = absl::InfiniteDuration();
  options.part.timeout = absl::Hours(1);
  StartHolding(std::move(options));
  const JobRequest request = Submit("ab");
  held_.Finish("a", "A");
  EXPECT_TRUE(
      WaitFor([this] { return mapper_->stats().parts_completed == 1; }));
  poller->Advance(absl::Minutes(59));
  EXPECT_FALSE(request.finished());
  poller->Advance(absl::Minutes(1));
  EXPECT_TRUE(absl::IsAborted(client_->Wait(request)));
  EXPECT_THAT(request.exception().value_or(""),
              AllOf(HasSubstr("part 1: DEADLINE_EXCEEDED"),
                    HasSubstr("1 result was combined")));
}

// A worker that may hold one job, and holds the one that it maps, takes no
// part.
TEST_F(ReduceFailuresTest, PartsThatNoWorkerCanTakeEndByTheirTimeout) {
  WorkerOptions worker_options;
  worker_options.servers = {address_};
  worker_options.limits.max_pending_jobs = 1;
  worker_ = *Worker::Create(std::move(worker_options));
  const auto poller = std::make_shared<PollerOnFakeClock>();
  MapperOptions options = Options();
  options.client.poller = poller;
  options.client.heartbeat_interval = absl::InfiniteDuration();
  options.part.timeout = absl::Hours(1);
  MakeMapper(std::move(options));
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = Submit("a");
  EXPECT_TRUE(WaitFor([this] { return server_->jobs() == 2; }));
  poller->Advance(absl::Hours(1));
  EXPECT_TRUE(absl::IsAborted(client_->Wait(request)));
  EXPECT_THAT(request.exception().value_or(""),
              HasSubstr("part 0: DEADLINE_EXCEEDED"));
}

// With a limit for the map task the same worker has room for the parts.
TEST_F(ReduceFailuresTest, ALimitOfTheMapTaskLeavesRoomForTheParts) {
  WorkerOptions worker_options;
  worker_options.servers = {address_};
  worker_options.limits.max_pending_jobs = 2;
  worker_ = *Worker::Create(std::move(worker_options));
  MakeMapper(Options());
  TaskOptions task;
  task.max_running = 1;
  Map(JoinLetters, task);
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  std::vector<JobRequest> requests;
  for (int i = 0; i < 5; ++i) requests.push_back(Submit("abc"));
  EXPECT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
}

TEST_F(ReduceFailuresTest, TheTimeLimitOfTheTaskCancelsTheParts) {
  MakeMapper(Options());
  TaskOptions task;
  task.time_limit = absl::Milliseconds(50);
  task.when_late = WhenLate::kException;
  Map(JoinLetters, task);
  HoldParts();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = Submit("abc");
  EXPECT_TRUE(absl::IsAborted(client_->Wait(request)));
  EXPECT_THAT(request.exception().value_or(""), HasSubstr("time limit"));
  EXPECT_TRUE(WaitFor([this] {
    const MapperStats stats = mapper_->stats();
    return stats.jobs == 0 && stats.parts == 0;
  }));
  EXPECT_EQ(mapper_->stats().jobs_failed, 1u);
}

// --- ends ------------------------------------------------------------------------

TEST_F(ReduceFailuresTest, AWorkerThatStopsCancelsItsParts) {
  WorkerOptions options;
  options.servers = {address_};
  const auto other = *Worker::Create(std::move(options));
  ASSERT_TRUE(other->RegisterAsync("reduce", held_.handler()).ok());
  ASSERT_TRUE(other->Start().ok());
  MakeMapper(Options());
  Map();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = Submit("abc");
  held_.Await(3);
  worker_->Stop();
  EXPECT_TRUE(WaitFor([this] {
    const MapperStats stats = mapper_->stats();
    return stats.jobs == 0 && stats.parts == 0;
  }));
  // The server gives the job to the next worker.
  EXPECT_FALSE(request.finished());
  other->Stop();
}

TEST_F(ReduceFailuresTest, AWorkerMayBeDestroyedWhileItsJobsWait) {
  StartHolding(Options());
  const JobRequest request = Submit("abc");
  held_.Await(3);
  worker_->Stop();
  worker_ = nullptr;
  EXPECT_TRUE(WaitFor([this] { return mapper_->stats().parts == 0; }));
}

TEST_F(ReduceFailuresTest, TheEndOfTheMapperFailsItsJobs) {
  StartHolding(Options());
  const JobRequest begun = Submit("abc");
  held_.Await(3);
  mapper_ = nullptr;
  for (const JobRequest& request : {begun, Submit("abc")}) {
    EXPECT_TRUE(absl::IsAborted(client_->Wait(request)));
    EXPECT_THAT(request.exception().value_or(""),
                HasSubstr("CANCELLED: the mapper of this task was destroyed"));
  }
}

// --- destroyed by its own code -----------------------------------------------------

// Calls `in_finish` at the end of a job.
class Ending : public Joiner {
 public:
  explicit Ending(std::function<void()> in_finish)
      : in_finish_(std::move(in_finish)) {}
  Outcome Finish() override {
    in_finish_();
    return Joiner::Finish();
  }

 private:
  const std::function<void()> in_finish_;
};

TEST_F(ReduceFailuresTest, AnAggregatorThatDestroysTheMapperIsSurvived) {
  MapperOptions options = Options();
  std::atomic<int> errors{0};
  options.client.logger = Logger(
      LogLevel::kError, [&errors](LogLevel, absl::string_view) { ++errors; });
  MakeMapper(std::move(options));
  absl::Notification ended;
  Map([this, &ended](const MapInput& input) -> absl::StatusOr<MapPlan> {
    MapPlan plan;
    plan.next_part = Letters(input.job.data());
    plan.aggregator = std::make_unique<Ending>([this, &ended] {
      mapper_ = nullptr;
      ended.Notify();
    });
    return plan;
  });
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = Run("ab");
  ended.WaitForNotification();
  EXPECT_EQ(mapper_, nullptr);
  EXPECT_GE(errors.load(), 1);
  // Later jobs of the task know that there is no mapper any more.
  EXPECT_THAT(Run("ab").status().ToString(), HasSubstr("destroyed"));
}

TEST_F(ReduceFailuresTest, AChildMadeByForkLeavesTheMapperAlone) {
  StartHolding(Options());
  const JobRequest request = Submit("a");
  held_.Await(1);
  ASSERT_TRUE(WaitFor(support::OtherThreadsSleep));
  EXPECT_EQ(support::RunInChild([this]() -> std::string {
              if (!absl::IsFailedPrecondition(
                      mapper_->Register(*worker_, "other", JoinLetters))) {
                return "it registers a task";
              }
              if (mapper_->stats().jobs != 0) return "it counts jobs";
              mapper_ = nullptr;
              return "";
            }),
            "");
  held_.Finish("a", "A");
  EXPECT_EQ(*client_->Result(request), "A");
}

}  // namespace
}  // namespace gearman
