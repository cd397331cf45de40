// Mapper: how jobs are split, what their parts become, and limits. What goes
// wrong is in reduce_failures_test.cc.
#include "gearman/sdk/reduce.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/reduce_fixture.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/epoll_poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::WaitFor;
using ::testing::HasSubstr;

using Outcome = absl::StatusOr<std::string>;

// The worker has one thread, which maps the job and does its parts.
TEST_F(ReduceTest, OneWorkerDoesThePartsOfItsOwnJobs) {
  MakeMapper(Options());
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = Run("abcdefghijklmnopqrstuvwxyz");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome,
            "aa,bb,cc,dd,ee,ff,gg,hh,ii,jj,kk,ll,mm,nn,oo,pp,qq,rr,ss,tt,uu,vv,"
            "ww,xx,yy,zz");
}

TEST_F(ReduceTest, AJobWithoutPartsHasTheResultOfAnEmptyAggregator) {
  MakeMapper(Options());
  Map();
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = Run("");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "");
}

TEST_F(ReduceTest, ABackgroundJobIsMappedToo) {
  MakeMapper(Options());
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request =
      client_->SubmitBackgroundJob("map", "abc", ToReducer());
  ASSERT_TRUE(client_->Wait(request).ok());
  EXPECT_TRUE(WaitFor([this] { return mapper_->stats().jobs_completed == 1; }));
  EXPECT_EQ(mapper_->stats().parts_completed, 3u);
}

TEST_F(ReduceTest, ResultsAreCombinedInOrderWhateverTheirOwnOrder) {
  StartHolding(Options());
  const JobRequest request = Submit("abcd");
  for (const char* const part : {"d", "b", "a", "c"}) {
    held_.Finish(part, absl::StrCat(part, "!"));
  }
  const Outcome outcome = client_->Result(request);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "a!,b!,c!,d!");
}

// --- reducers ----------------------------------------------------------------

TEST_F(ReduceTest, AJobWithoutAReducerGivesItsPartsToTheAggregator) {
  MakeMapper(Options());
  Map();
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = client_->Run("map", "abc");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "a,b,c");
  EXPECT_EQ(mapper_->stats().parts_completed, 0u);
}

TEST_F(ReduceTest, AJobWithoutAReducerGoesToTheDefaultOne) {
  MapperOptions options = Options();
  options.default_reducer = "reduce";
  MakeMapper(std::move(options));
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = client_->Run("map", "abc");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "aa,bb,cc");
}

TEST_F(ReduceTest, TheHandlerSeesTheJobAndItsReducer) {
  MakeMapper(Options());
  Map([](const MapInput& input) {
    EXPECT_EQ(input.job.task(), "map");
    EXPECT_EQ(input.job.data(), "ab");
    EXPECT_EQ(input.reducer, "reduce");
    EXPECT_FALSE(input.stop_token.stop_requested());
    return JoinLetters(input);
  });
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_TRUE(Run("ab").ok());
}

// Client, worker and mapper have one prefix, and it stands once before each
// name on the wire.
TEST_F(ReduceTest, APrefixIsPutBeforeTheReducerOnce) {
  WorkerOptions worker_options;
  worker_options.servers = {address_};
  worker_options.task_prefix = "ns:";
  worker_ = *Worker::Create(std::move(worker_options));
  ClientOptions client_options;
  client_options.servers = {address_};
  client_options.task_prefix = "ns:";
  client_ = *Client::Create(std::move(client_options));
  MapperOptions options = Options();
  options.client.task_prefix = "ns:";
  MakeMapper(std::move(options));
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = Run("ab");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "aa,bb");
}

TEST_F(ReduceTest, AReducerOutsideTheMappersPrefixIsRefused) {
  MapperOptions options = Options();
  options.client.task_prefix = "ns:";
  MakeMapper(std::move(options));
  Map();
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_THAT(Run("ab").status().ToString(),
              HasSubstr("\"reduce\", which does not begin with its "
                        "task_prefix \"ns:\""));
}

// Splits its text at the middle, down to single letters.
absl::StatusOr<MapPlan> Halve(const MapInput& input) {
  class Brackets : public Joiner {
   public:
    explicit Brackets(absl::string_view text) : text_(text) {}
    Outcome Finish() override {
      if (text_.size() == 1) return text_;
      return absl::StrCat("(", *Joiner::Finish(), ")");
    }

   private:
    const std::string text_;
  };
  const absl::string_view text = input.job.data();
  MapPlan plan;
  plan.aggregator = std::make_unique<Brackets>(text);
  plan.next_part = [text, next = text.size() == 1 ? 2 : 0]() mutable
      -> absl::StatusOr<std::optional<std::string>> {
    const size_t half = text.size() / 2;
    if (next == 2) return std::nullopt;
    return std::string(next++ == 0 ? text.substr(0, half) : text.substr(half));
  };
  return plan;
}

TEST_F(ReduceTest, AReducerThatIsNotAllowedGetsNoPart) {
  MapperOptions options = Options();
  options.allowed_reducers = {"count", "add"};
  options.default_reducer = "reduce";
  MakeMapper(std::move(options));
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_THAT(Run("ab").status().ToString(),
              HasSubstr("the reducer \"reduce\" is not one of"));
  EXPECT_EQ(mapper_->stats().parts_completed, 0u);
  // The default is the worker's own choice.
  EXPECT_EQ(*client_->Run("map", "ab"), "aa,bb");
}

// Each job may have one part whatever the limit, so none waits for ever.
TEST_F(ReduceTest, PartsMayBeMappedByTheSameMapper) {
  MapperOptions options = Options();
  options.max_parts = 1;
  options.part.reducer = "map";
  MakeMapper(std::move(options));
  Map(Halve);
  ASSERT_TRUE(worker_->Start().ok());
  CallOptions to_itself;
  to_itself.reducer = "map";
  const Outcome outcome = client_->Run("map", "abcdefgh", to_itself);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "(((a,b),(c,d)),((e,f),(g,h)))");
}

// --- an event loop of the program ---------------------------------------------

TEST_F(ReduceTest, PartsAreDrivenByAnEventLoop) {
  MapperOptions options = Options();
  options.client.drive_mode = DriveMode::kEventLoop;
  options.client.poller = *EpollPoller::CreateForEventLoop();
  Clock* const clock = options.client.poller->clock();
  MakeMapper(std::move(options));
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = Submit("abcdefghijklmnopqrstuvwxyz");
  while (!request.finished()) {
    mapper_->RunOnce(clock->Now() + absl::Milliseconds(10));
  }
  EXPECT_EQ(client_->Result(request)->size(), 26u * 3 - 1);
}

// --- limits ------------------------------------------------------------------

TEST_F(ReduceTest, AJobHasNoMorePartsInFlightThanItsLimit) {
  MapperOptions options = Options();
  options.max_parts_per_job = 3;
  StartHolding(std::move(options));
  const JobRequest request = Submit("abcdef");
  held_.Await(3);
  EXPECT_EQ(mapper_->stats().parts, 3u);
  // A result that waits for "a" counts.
  held_.Finish("b", "B");
  held_.Finish("c", "C");
  EXPECT_TRUE(
      WaitFor([this] { return mapper_->stats().parts_completed == 2; }));
  EXPECT_EQ(mapper_->stats().parts, 3u);
  EXPECT_EQ(held_.size(), 1u);
  held_.Finish("a", "A");
  held_.Await(3);
  for (const char* const part : {"d", "e", "f"}) held_.Finish(part, part);
  const Outcome outcome = client_->Result(request);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "A,B,C,d,e,f");
}

TEST_F(ReduceTest, AllJobsTogetherHaveALimitOfPartsButEachHasOne) {
  MapperOptions options = Options();
  options.max_parts = 2;
  StartHolding(std::move(options));
  const JobRequest first = Submit("abcd");
  held_.Await(2);
  const JobRequest second = Submit("xyz");
  held_.Await(3);
  EXPECT_EQ(mapper_->stats().jobs, 2u);
  EXPECT_EQ(mapper_->stats().parts, 3u);
  for (const char* const part : {"x", "a", "y", "b", "c", "z", "d"}) {
    held_.Finish(part, part);
    EXPECT_LE(mapper_->stats().parts, 3u);
  }
  EXPECT_EQ(*client_->Result(first), "a,b,c,d");
  EXPECT_EQ(*client_->Result(second), "x,y,z");
  EXPECT_EQ(mapper_->stats().parts, 0u);
}

TEST_F(ReduceTest, TheRoomThatAJobLeavesGoesToTheOneThatWaits) {
  MapperOptions options = Options();
  options.max_parts = 2;
  StartHolding(std::move(options));
  const JobRequest first = Submit("ab");
  held_.Await(2);
  const JobRequest second = Submit("xyz");
  held_.Await(3);
  held_.Finish("a", "a");
  held_.Finish("b", "b");
  // The first part of the second job is still in flight.
  held_.Finish("y", "y");
  EXPECT_EQ(*client_->Result(first), "a,b");
  held_.Finish("x", "x");
  held_.Finish("z", "z");
  EXPECT_EQ(*client_->Result(second), "x,y,z");
}

TEST_F(ReduceTest, BytesOfPartsAndOfResultsHaveALimit) {
  MapperOptions options = Options();
  options.max_bytes = 10;
  StartHolding(std::move(options));
  const JobRequest request = Submit("abcdefghijklmn");
  held_.Await(10);
  EXPECT_EQ(mapper_->stats().bytes, 10u);
  // The result of "b" waits for "a", and takes the room of all others.
  held_.Finish("b", std::string(100, 'B'));
  EXPECT_TRUE(WaitFor([this] { return mapper_->stats().bytes == 109; }));
  for (const char part : absl::string_view("cdefghij")) {
    held_.Finish(absl::string_view(&part, 1), "");
  }
  EXPECT_TRUE(
      WaitFor([this] { return mapper_->stats().parts_completed == 9; }));
  EXPECT_EQ(mapper_->stats().parts, 10u);
  held_.Finish("a", "");
  held_.Await(4);
  for (const char part : absl::string_view("klmn")) {
    held_.Finish(absl::string_view(&part, 1), "");
  }
  EXPECT_TRUE(client_->Result(request).ok());
  EXPECT_EQ(mapper_->stats().bytes, 0u);
}

TEST_F(ReduceTest, ManyJobsOfManyThreadsAreCombinedRightly) {
  WorkerOptions worker_options;
  worker_options.servers = {address_};
  worker_options.concurrency = 4;
  worker_ = *Worker::Create(std::move(worker_options));
  MapperOptions options = Options();
  options.max_parts = 20;
  MakeMapper(std::move(options));
  Map();
  Reduce(Double);
  ASSERT_TRUE(worker_->Start().ok());
  std::vector<JobRequest> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(Submit(absl::StrCat("0123456789", i)));
  }
  for (int i = 0; i < 100; ++i) {
    const Outcome outcome = client_->Result(requests[i]);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    std::string wanted = "00,11,22,33,44,55,66,77,88,99";
    for (const char digit : absl::StrCat(i)) {
      absl::StrAppend(&wanted, ",", std::string(2, digit));
    }
    EXPECT_EQ(*outcome, wanted);
  }
  const MapperStats stats = mapper_->stats();
  EXPECT_EQ(stats.jobs, 0u);
  EXPECT_EQ(stats.parts, 0u);
  EXPECT_EQ(stats.bytes, 0u);
  EXPECT_EQ(stats.jobs_completed, 100u);
  EXPECT_EQ(stats.parts_failed, 0u);
}

// --- options -----------------------------------------------------------------

TEST_F(ReduceTest, OptionsThatCantBeRightAreRefused) {
  std::vector<MapperOptions> wrong(7, Options());
  wrong[0].client.drive_mode = DriveMode::kCallerOnly;
  wrong[1].part.unique = "u";
  wrong[2].part.callbacks.on_complete = [](const JobRequest&) {};
  wrong[3].max_parts_per_job = 0;
  wrong[4].max_parts = 0;
  wrong[5].max_bytes = 0;
  wrong[6].default_reducer = "a\nb";
  for (const MapperOptions& options : wrong) {
    const absl::Status status = Mapper::Create(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("MapperOptions"));
  }
}

TEST_F(ReduceTest, AnEmptyHandlerIsRefused) {
  MakeMapper(Options());
  EXPECT_TRUE(absl::IsInvalidArgument(
      mapper_->Register(*worker_, "map", MapHandler())));
}

}  // namespace
}  // namespace gearman
