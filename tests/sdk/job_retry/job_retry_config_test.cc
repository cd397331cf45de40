// The policy of failed jobs from a config: each value arrives, and a mistake is
// told with its place.
#include "gearman/sdk/job_retry_config.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/job_retry/job_retry_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

JobRetryPolicy PolicyOf(const absl::StatusOr<Config>& config) {
  EXPECT_TRUE(config.ok()) << config.status();
  if (!config.ok()) return {};
  absl::StatusOr<JobRetryPolicy> policy = JobRetryPolicyFromConfig(*config);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *std::move(policy) : JobRetryPolicy();
}
JobRetryPolicy PolicyOf(absl::string_view text) {
  return PolicyOf(Config::FromText(text, "f"));
}

// The error of a config, when it is read or made into a policy.
std::string Error(const absl::StatusOr<Config>& config) {
  const absl::Status status = config.ok()
                                  ? JobRetryPolicyFromConfig(*config).status()
                                  : config.status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}
std::string Error(absl::string_view text) {
  return Error(Config::FromText(text, "f"));
}

// The delay after the `attempt`-th failure, when chance takes `random` of it.
absl::Duration DelayOf(const JobRetryPolicy& policy, int attempt,
                       double random = 0) {
  AttemptFailure failure;
  failure.attempt = attempt;
  failure.random = random;
  failure.reason = FailureReason::kJobFailed;
  return policy.backoff->OnCompletion(failure);
}

constexpr char kText[] = R"(
job_retry {
  max_attempts: 5
  backoff {
    exponential { initial_delay: "10s" max_delay: "30s" jitter: 0.5 }
  }
  final_errors: [NOT_FOUND, INVALID_ARGUMENT]
  dead_letter_task: "resize-failed"
  place: WORKER
}
)";
constexpr char kJson[] = R"({
  "jobRetry": {
    "maxAttempts": 5,
    "backoff": {
      "exponential": {
        "initialDelay": "10s", "maxDelay": "30s", "jitter": 0.5
      }
    },
    "finalErrors": ["NOT_FOUND", "INVALID_ARGUMENT"],
    "deadLetterTask": "resize-failed",
    "place": "WORKER"
  }
})";

void ExpectAllIsSet(const JobRetryPolicy& policy) {
  EXPECT_EQ(policy.max_attempts, 5);
  EXPECT_EQ(policy.dead_letter_task, "resize-failed");
  EXPECT_EQ(policy.place, RetryPlace::kWorker);
  ASSERT_NE(policy.backoff, nullptr);
  EXPECT_EQ(policy.backoff->name(), "exponential");
  EXPECT_EQ(DelayOf(policy, 1), absl::Seconds(10));
  EXPECT_EQ(DelayOf(policy, 1, 0.5), absl::Seconds(7.5));
  EXPECT_EQ(DelayOf(policy, 2), absl::Seconds(20));
  EXPECT_EQ(DelayOf(policy, 3), absl::Seconds(30));
  ASSERT_TRUE(policy.repeats);
  EXPECT_FALSE(policy.repeats(absl::NotFoundError("no image")));
  EXPECT_FALSE(policy.repeats(absl::InvalidArgumentError("no size")));
  EXPECT_TRUE(policy.repeats(absl::DataLossError("half an image")));
  EXPECT_TRUE(policy.repeats(absl::UnavailableError("no network")));
}

TEST(JobRetryConfig, TextSetsEveryField) { ExpectAllIsSet(PolicyOf(kText)); }

TEST(JobRetryConfig, JsonSetsEveryField) {
  ExpectAllIsSet(PolicyOf(Config::FromJson(kJson, "f")));
}

TEST(JobRetryConfig, ATextOfTheConfigIsTheSameConfig) {
  const absl::StatusOr<Config> config = Config::FromText(kText, "f");
  ASSERT_TRUE(config.ok()) << config.status();
  ExpectAllIsSet(PolicyOf(config->ToText()));
}

TEST(JobRetryConfig, KeepsTheDefaultsOfWhatIsNotSet) {
  for (const char* text : {"", "job_retry {}"}) {
    const JobRetryPolicy policy = PolicyOf(text);
    EXPECT_EQ(policy.max_attempts, JobRetryPolicy().max_attempts);
    EXPECT_EQ(policy.backoff, nullptr);
    EXPECT_FALSE(policy.repeats);
    EXPECT_EQ(policy.dead_letter_task, "");
    EXPECT_EQ(policy.place, RetryPlace::kServer);
  }
}

TEST(JobRetryConfig, ABackoffOfTheClientIsNoneOfTheWorker) {
  EXPECT_EQ(PolicyOf("backoff { constant {} }").backoff, nullptr);
}

TEST(JobRetryConfig, ThePlaceMayBeTheServer) {
  EXPECT_EQ(PolicyOf("job_retry { place: SERVER }").place, RetryPlace::kServer);
}

TEST(JobRetryConfig, NoneMeansThatEveryErrorIsTriedAgain) {
  const JobRetryPolicy policy = PolicyOf("job_retry { final_errors: NONE }");
  ASSERT_TRUE(policy.repeats);
  for (const absl::Status& error :
       {absl::InvalidArgumentError(""), absl::UnimplementedError(""),
        absl::DataLossError(""), absl::UnknownError("")}) {
    EXPECT_TRUE(policy.repeats(error)) << error;
  }
}

TEST(JobRetryConfig, ItsCodesAreThoseOfAbseil) {
  const auto* const codes = config::ErrorCode::Value_descriptor();
  EXPECT_EQ(codes->value_count(), 17);
  for (int i = 0; i < codes->value_count(); ++i) {
    const int number = codes->value(i)->number();
    EXPECT_EQ(number, i);
    if (number == 0) continue;
    EXPECT_EQ(codes->value(i)->name(),
              absl::StatusCodeToString(static_cast<absl::StatusCode>(number)));
  }
}

TEST(JobRetryConfig, ANameThatIsUnknownIsToldWithItsPlace) {
  EXPECT_THAT(Error("job_retry { final_errors: NOT_FUOND }"),
              AllOf(StartsWith("f:1:"), HasSubstr("NOT_FUOND"),
                    HasSubstr("NOT_FOUND")));
  EXPECT_THAT(Error(Config::FromJson(
                  R"({"job_retry": {"final_errors": ["NOT_FUOND"]}})", "f")),
              AllOf(StartsWith("f:1:"), HasSubstr("NOT_FUOND"),
                    HasSubstr("NOT_FOUND")));
  EXPECT_THAT(Error("job_retry { place: MOON }"), HasSubstr("WORKER"));
  EXPECT_THAT(Error("job_retry { tries: 5 }"), HasSubstr("max_attempts"));
  EXPECT_THAT(Error("job_retry { backoff { linear {} } }"),
              AllOf(HasSubstr("linear"), HasSubstr("exponential")));
  EXPECT_THAT(Error("job_retry { backoff {} }"),
              AllOf(StartsWith("f:1:13: job_retry.backoff"),
                    HasSubstr("constant { } or exponential { }")));
}

TEST(JobRetryConfig, ANumberThatIsNoCodeIsRefused) {
  config::GearmanConfig message;
  message.mutable_job_retry()->add_final_errors(
      static_cast<config::ErrorCode::Value>(17));
  EXPECT_THAT(Error(Config(message)),
              HasSubstr("job_retry.final_errors[0]: 17 is not valid"));
}

TEST(JobRetryConfig, ValuesBeyondTheirLimitsAreRefused) {
  for (const char* number : {"0", "1000001"}) {
    EXPECT_THAT(
        Error(absl::StrCat("job_retry { max_attempts: ", number, " }")),
        AllOf(StartsWith("f:1:"),
              HasSubstr(absl::StrCat("job_retry.max_attempts: ", number,
                                     " is not valid: expected a whole number "
                                     "from 1 to 1000000"))));
  }
  EXPECT_EQ(PolicyOf("job_retry { max_attempts: 1000000 }").max_attempts,
            1000000);
  EXPECT_THAT(Error("job_retry { backoff { exponential { jitter: 2 } } }"),
              HasSubstr("jitter"));
  EXPECT_THAT(Error("job_retry { backoff { constant { delay: \"2h\" } } }"),
              HasSubstr("delay"));
  EXPECT_THAT(Error("job_retry { dead_letter_task: \"a\\nb\" }"),
              HasSubstr("job_retry.dead_letter_task"));
}

// Each registry has its own policies.
TEST(JobRetryConfig, ABackoffThatIsNotLinkedIsToldSo) {
  PluginRegistry empty;
  const absl::StatusOr<Config> config =
      Config::FromText("job_retry { backoff { constant {} } }", "f", empty);
  ASSERT_TRUE(config.ok()) << config.status();
  const absl::Status status = JobRetryPolicyFromConfig(*config, empty).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("job_retry.backoff.constant"),
                    HasSubstr("link @gearman_sdk//sdk:builtins")));
}

absl::Status RegisterResize(const Config& config, JobRetry& retry,
                            Worker& worker, JobRetry::Handler resize) {
  absl::StatusOr<JobRetryPolicy> policy = JobRetryPolicyFromConfig(config);
  if (!policy.ok()) return policy.status();
  return retry.Register(worker, "resize", std::move(resize),
                        *std::move(policy));
}

TEST_F(JobRetryAtAServer, AConfigDecidesAboutItsJobs) {
  const absl::StatusOr<Config> config = Config::FromText(R"(
    job_retry {
      max_attempts: 4
      backoff { constant { delay: "10s" } }
      final_errors: NOT_FOUND
      dead_letter_task: "resize-failed"
    })");
  ASSERT_TRUE(config.ok()) << config.status();
  Collect(*worker_, "resize-failed");
  ASSERT_TRUE(
      RegisterResize(*config, StartRetry(), *worker_,
                     Noting([](const Run& run) -> absl::StatusOr<std::string> {
                       if (run.attempt < 3) return absl::DataLossError("half");
                       return absl::NotFoundError("no image");
                     }))
          .ok());
  Submit("image 17");
  Finish();
  // DATA_LOSS is tried again, and NOT_FOUND is final before the fourth run.
  EXPECT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_GE(runs_[1].time - runs_[0].time, absl::Seconds(10));
  ASSERT_THAT(collected_["resize-failed"], SizeIs(1));
  const auto letter = ReadDeadLetter(collected_["resize-failed"][0]);
  ASSERT_TRUE(letter.ok()) << letter.status();
  EXPECT_EQ(letter->error, "NOT_FOUND: no image");
  EXPECT_EQ(letter->attempts, 3);
}

}  // namespace
}  // namespace testing
}  // namespace gearman
