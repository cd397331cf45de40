// The bytes, names and uniques of jobs that are tried again.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/typed_jobs.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_interceptor.h"
#include "gearman/tests/sdk/job_retry/job_retry_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using JobRetryBytesTest = JobRetryAtAServer;

TEST_F(JobRetryBytesTest, BytesOfSomebodyElseAreHandedOverAsTheyCame) {
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", FailingUntil(3), Policy())
                  .ok());
  // An envelope of the client's own, which says that this is attempt 7.
  DataHeaders headers;
  headers.attempt = 7;
  DataContext context;
  context.headers = &headers;
  std::string bytes = "x";
  ASSERT_TRUE(EnvelopeEncoder().Encode(context, &bytes).ok());
  Submit(bytes, "enveloped");
  Submit("", "empty");
  Finish();
  ASSERT_THAT(runs_, SizeIs(6));
  for (const Run& run : runs_) {
    EXPECT_EQ(run.data, run.unique == "empty" ? "" : bytes);
    EXPECT_LE(run.attempt, 3);
  }
}

TEST_F(JobRetryBytesTest, HeadersOfAStrangerDecideOnlyTheAttempt) {
  JobRetryPolicy policy = Policy();
  policy.dead_letter_task = "lost";
  Collect(*worker_, "lost");
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", FailingUntil(2000000000),
                            std::move(policy))
                  .ok());
  const std::string unique("\0\n\x1b", 3);
  const auto submit = [&](int attempt) {
    DataHeaders headers;
    headers.attempt = attempt;
    headers.others.emplace_back("retry-unique", unique);
    DataContext context;
    context.headers = &headers;
    std::string bytes = "x";
    ASSERT_TRUE(EnvelopeEncoder().Encode(context, &bytes).ok());
    Submit(bytes, "u");
    Finish();
  };
  // The handler runs though the attempts are over.
  submit(1000000000);
  EXPECT_THAT(Attempts(), ElementsAre(1000000000));
  submit(2);
  EXPECT_THAT(Attempts(), ElementsAre(1000000000, 2, 3));
  EXPECT_THAT(runs_, Each(Field(&Run::unique, unique)));
  EXPECT_THAT(collected_["lost"], SizeIs(2));
}

TEST_F(JobRetryBytesTest, BytesThatOnlyBeginAsAnEnvelopeReachNoHandler) {
  JobRetryPolicy policy = Policy();
  policy.dead_letter_task = "lost";
  Collect(*worker_, "lost");
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize", FailingUntil(1), std::move(policy))
          .ok());
  const std::string cut = "\xf7GE\x01";
  EXPECT_THAT(client_->Run("resize", cut).status().message(),
              HasSubstr("DATA_LOSS: encoder \"envelope\""));
  Finish();
  EXPECT_THAT(runs_, IsEmpty());
  ASSERT_THAT(collected_["lost"], SizeIs(1));
  EXPECT_EQ(ReadDeadLetter(collected_["lost"][0])->data, cut);
}

TEST_F(JobRetryBytesTest, JobsWithoutAUniqueAreNotJoined) {
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", FailingUntil(2), Policy())
                  .ok());
  for (const char* const unique : {"", "", "-", "-"}) {
    Submit(absl::StrCat("x", runs_.size()), unique);
    EXPECT_TRUE(WaitForRuns(runs_.size() + 1));
  }
  Finish();
  EXPECT_THAT(runs_, SizeIs(8));
}

TEST_F(JobRetryBytesTest, ALongUniqueBecomesAHash) {
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(
      retry.Register(*worker_, "resize", FailingUntil(3), Policy()).ok());
  const std::string unique(63, 'u');
  Submit("x", unique);
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_THAT(runs_, Each(Field(&Run::unique, unique)));
}

TEST_F(JobRetryBytesTest, ATaskHasItsPrefixOnTheWireOnly) {
  WorkerOptions worker_options =
      stack_.WorkerDefaults("prefixed", {"inproc://jobs"});
  worker_options.task_prefix = "eu.";
  Worker& worker = stack_.StartWorker("prefixed", std::move(worker_options));
  Collect(worker, "lost");
  JobRetryOptions options = Options("retry", {"inproc://jobs"});
  options.client.task_prefix = "eu.";
  JobRetryPolicy policy = Policy(2);
  policy.dead_letter_task = "lost";
  ASSERT_TRUE(
      StartRetry("retry", std::move(options))
          .Register(worker, "resize", FailingUntil(9), std::move(policy))
          .ok());
  EXPECT_FALSE(client_->Run("eu.resize", "x").ok());
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
  ASSERT_THAT(collected_["lost"], SizeIs(1));
  EXPECT_EQ(ReadDeadLetter(collected_["lost"][0])->task, "resize");
}

TEST_F(JobRetryBytesTest, AnInterceptorSeesTheEnvelope) {
  WorkerOptions options = stack_.WorkerDefaults("seen", {"inproc://jobs"});
  std::vector<std::string> seen;
  options.interceptors.emplace_back([&seen](IncomingJob& job) {
    seen.emplace_back(job.data().data(), job.data().size());
  });
  Worker& worker = stack_.StartWorker("seen", std::move(options));
  ASSERT_TRUE(
      StartRetry().Register(worker, "resize", FailingUntil(2), Policy()).ok());
  Submit("x");
  Finish();
  EXPECT_THAT(seen, ElementsAre("x", HasSubstr("retry-unique")));
  EXPECT_THAT(runs_, Each(Field(&Run::data, "x")));
}

TEST_F(JobRetryBytesTest, ATypedHandlerGetsItsValueEachTime) {
  // The client's envelope lies in that of the retries.
  const auto encoder = std::make_shared<EnvelopeEncoder>();
  std::vector<std::string> seen;
  auto handler = TypedHandler<std::string, std::string>(
      [&seen](const std::string& request, JobContext&,
              const DataHeaders& headers) -> absl::StatusOr<std::string> {
        seen.push_back(absl::StrCat(request, " as ", headers.content_type));
        if (seen.size() < 3) return absl::UnavailableError("not yet");
        return std::string();
      },
      encoder);
  ASSERT_TRUE(handler.ok()) << handler.status();
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", *std::move(handler), Policy())
                  .ok());
  TypedCallOptions options;
  options.encoder = encoder;
  options.headers.content_type = "text/plain";
  absl::StatusOr<JobSpec> spec = MakeJob("resize", std::string("x"), options);
  ASSERT_TRUE(spec.ok()) << spec.status();
  Submit(spec->data);
  Finish();
  EXPECT_THAT(seen, ElementsAre("x as text/plain", "x as text/plain",
                                "x as text/plain"));
}

TEST(ReadDeadLetterTest, OtherBytesAreNone) {
  for (const std::string& bytes : {std::string("hello"), std::string(),
                                   std::string("\xf7GE\x01\0\0x", 7)}) {
    EXPECT_EQ(ReadDeadLetter(bytes).status().code(),
              absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace testing
}  // namespace gearman
