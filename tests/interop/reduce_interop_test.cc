// Map/reduce with libgearman on the other side, through a real gearmand.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/reduce.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/perl_server.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::ProgramResult;
using support::RunProgram;
using support::Subprocess;
using support::SubprocessOptions;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Outcome = absl::StatusOr<std::string>;

class Joiner : public Aggregator {
 public:
  absl::Status Add(size_t, std::string result) override {
    results_.push_back(std::move(result));
    return absl::OkStatus();
  }
  Outcome Finish() override { return absl::StrJoin(results_, ","); }

 private:
  std::vector<std::string> results_;
};

absl::StatusOr<MapPlan> SplitWords(const MapInput& input) {
  MapPlan plan;
  plan.next_part =
      [words = std::vector<std::string>(absl::StrSplit(
           absl::string_view(input.job.data()), ' ', absl::SkipEmpty())),
       next =
           size_t{0}]() mutable -> absl::StatusOr<std::optional<std::string>> {
    if (next == words.size()) return std::nullopt;
    return words[next++];
  };
  plan.aggregator = std::make_unique<Joiner>();
  return plan;
}

class ReduceInteropTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ok());
    client_ = *Client::Create(OptionsOf<ClientOptions>());
    worker_ = *Worker::Create(OptionsOf<WorkerOptions>());
    MapperOptions options;
    options.client = OptionsOf<ClientOptions>();
    mapper_ = *Mapper::Create(std::move(options));
    ASSERT_TRUE(mapper_->Register(*worker_, "map", SplitWords).ok());
    ASSERT_TRUE(worker_
                    ->Register("upper",
                               [](JobContext& context) -> Outcome {
                                 const absl::string_view word =
                                     context.job().data();
                                 if (word == "bad") {
                                   return absl::NotFoundError("no such word");
                                 }
                                 return absl::AsciiStrToUpper(word);
                               })
                    .ok());
    ASSERT_TRUE(worker_->Start().ok());
  }

  template <typename Options>
  Options OptionsOf() {
    Options options;
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    return options;
  }
  void StartProgram(const std::string& program) {
    SubprocessOptions options;
    options.argv = {program, absl::StrCat(server_.port())};
    absl::StatusOr<std::unique_ptr<Subprocess>> started =
        Subprocess::Start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.status();
    programs_.push_back(*std::move(started));
    ASSERT_TRUE(programs_.back()->WaitForOutput("ready").ok());
  }
  // Returns the output of the client of libgearman.
  std::string Libgearman(const std::string& task, const std::string& reducer,
                         const std::string& input) {
    SubprocessOptions options;
    options.argv = {"tests/interop/libgearman_partition_client",
                    absl::StrCat(server_.port()), task, reducer};
    options.input = input;
    absl::StatusOr<ProgramResult> result =
        RunProgram(std::move(options), absl::Minutes(2));
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return "";
    EXPECT_TRUE(result->status.ok()) << result->error_output;
    return result->output;
  }
  static std::string Complete(absl::string_view result) {
    return absl::StrCat("complete ", absl::BytesToHexString(result), "\n");
  }
  static CallOptions To(const std::string& reducer) {
    CallOptions options;
    options.reducer = reducer;
    return options;
  }

  GearmandProcess server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Mapper> mapper_;
  std::unique_ptr<Worker> worker_;
  std::vector<std::unique_ptr<Subprocess>> programs_;
};

TEST_F(ReduceInteropTest, OurMapperDoesAJobOfOurClient) {
  const Outcome outcome = client_->Run("map", "a b c", To("upper"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "A,B,C");
}

TEST_F(ReduceInteropTest, OurMapperDoesAJobOfLibgearman) {
  EXPECT_EQ(Libgearman("map", "upper", "a b c"), Complete("A,B,C"));
}

TEST_F(ReduceInteropTest, OurMapperSendsItsPartsToALibgearmanWorker) {
  StartProgram("tests/interop/libgearman_worker");
  const std::string binary("a\0b \xff", 5);
  EXPECT_EQ(Libgearman("map", "lg_echo", binary),
            Complete(std::string("a\0b,\xff", 5)));
}

TEST_F(ReduceInteropTest, LibgearmanHearsOfAPartThatFailed) {
  EXPECT_EQ(Libgearman("map", "upper", "a bad c"), "fail\n");
}

// libgearman submits the parts, and lists their results, last one first.
TEST_F(ReduceInteropTest, ALibgearmanPartitionDoesAJobOfOurClient) {
  StartProgram("tests/interop/libgearman_partition_worker");
  const Outcome outcome = client_->Run("lg_partition", "a b c", To("upper"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "C,B,A");
}

TEST_F(ReduceInteropTest, ALibgearmanPartitionFailsWithItsParts) {
  StartProgram("tests/interop/libgearman_partition_worker");
  EXPECT_TRUE(absl::IsAborted(
      client_->Run("lg_partition", "a bad c", To("upper")).status()));
}

// Without a reducer it sends its parts as data.
TEST_F(ReduceInteropTest, ALibgearmanPartitionWithoutAReducerSendsData) {
  StartProgram("tests/interop/libgearman_partition_worker");
  const JobRequest request = client_->SubmitJob("lg_partition", "a b c");
  ASSERT_TRUE(client_->Wait(request).ok()) << request.status();
  EXPECT_THAT(request.data_updates(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(request.result(), "");
}

// A worker that maps may be mapped to: libgearman's parts are split again here.
TEST_F(ReduceInteropTest, APartOfLibgearmanIsAPlainJobForOurMapper) {
  StartProgram("tests/interop/libgearman_partition_worker");
  const Outcome outcome = client_->Run("lg_partition", "a b", To("map"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "b,a");
}

TEST_F(ReduceInteropTest, PerlsServerRefusesAReduceJobAndGoesOn) {
  const support::PerlServer perl;
  ClientOptions options;
  options.servers = {perl.address()};
  options.transports = TcpOnly();
  const auto client = *Client::Create(std::move(options));
  const JobRequest plain = client->SubmitJob("nobody has it", "data");
  ASSERT_TRUE(client->WaitUntilJobsAccepted({plain}).ok());
  const JobRequest request = client->SubmitJob("map", "a b", To("upper"));
  const absl::Status status = client->Wait(request);
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_EQ(request.state(), JobState::kFailed);
  EXPECT_EQ(request.connection_attempts(), 1);
  EXPECT_THAT(status.ToString(), HasSubstr("SUBMIT_REDUCE_JOB"));
  EXPECT_TRUE(client->GetJobStatus(plain).ok());
}

// gearmand joins by task and unique alone.
TEST_F(ReduceInteropTest, GearmandJoinsEqualUniquesWhateverTheirReducers) {
  const auto other = *Client::Create(OptionsOf<ClientOptions>());
  CallOptions first = To("upper");
  first.unique = "one";
  CallOptions second = To("nobody has this task");
  second.unique = "one";
  CallOptions plain;
  plain.unique = "one";
  const JobRequest requests[] = {client_->SubmitJob("later", "a b", first)};
  ASSERT_TRUE(client_->WaitUntilJobsAccepted(requests).ok());
  const JobRequest joined[] = {other->SubmitJob("later", "a b", second),
                               other->SubmitJob("later", "a b", plain)};
  ASSERT_TRUE(other->WaitUntilJobsAccepted(joined).ok());
  EXPECT_EQ(joined[0].handle(), requests[0].handle());
  EXPECT_EQ(joined[1].handle(), requests[0].handle());
  ASSERT_TRUE(mapper_->Register(*worker_, "later", SplitWords).ok());
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  ASSERT_TRUE(other->WaitUntilJobsCompleted(joined).ok());
  EXPECT_EQ(joined[0].result(), "A,B");
  EXPECT_EQ(joined[1].result(), "A,B");
}

}  // namespace
}  // namespace gearman
