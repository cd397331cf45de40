// The bytes of further attempts and dead letters, as docs/guide/retry.md gives them.
#include "gearman/sdk/job_retry/retry_envelope.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_retry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::StartsWith;

Job JobOfBytes(std::string bytes) {
  return Job("resize", "wire",
             std::make_shared<const std::string>(std::move(bytes)));
}

OpenedJob FirstAttempt(absl::string_view data) {
  OpenedJob opened;
  opened.data = data;
  opened.unique = "u";
  return opened;
}

TEST(RetryEnvelopeTest, ASecondAttemptIsTheseBytes) {
  const std::string expected(
      "\xf7GE\x01\x00\x1b"
      "\x07"
      "attempt\x00\x01"
      "2"
      "\x0cretry-unique\x00\x01"
      "u"
      "data",
      37);
  EXPECT_EQ(WrapAttempt(FirstAttempt("data"), 2).value(), expected);
}

TEST(RetryEnvelopeTest, AnAttemptIsOpenedToWhatItWas) {
  const std::string data("a\0b", 3);
  const Job job = JobOfBytes(WrapAttempt(FirstAttempt(data), 7).value());
  const auto opened = OpenJob(job);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->data, data);
  EXPECT_EQ(opened->attempt, 7);
  EXPECT_EQ(opened->unique, "u");
}

TEST(RetryEnvelopeTest, AnEnvelopeOfAClientIsPartOfItsData) {
  DataHeaders headers;
  headers.attempt = 7;
  headers.content_type = "text/plain";
  DataContext context;
  context.headers = &headers;
  std::string bytes = "x";
  ASSERT_TRUE(EnvelopeEncoder().Encode(context, &bytes).ok());
  const Job first = JobOfBytes(bytes);
  EXPECT_EQ(OpenJob(first)->data, bytes);
  EXPECT_EQ(OpenJob(first)->attempt, 1);
  EXPECT_EQ(OpenJob(first)->unique, "wire");
  const Job second = JobOfBytes(WrapAttempt(*OpenJob(first), 2).value());
  EXPECT_EQ(OpenJob(second)->data, bytes);
  EXPECT_EQ(OpenJob(second)->attempt, 2);
}

TEST(RetryEnvelopeTest, ADeadLetterIsAFirstAttemptOfItsTask) {
  const std::string bytes = WrapDeadLetter(FirstAttempt("data"), 3, "resize",
                                           absl::NotFoundError("no image"))
                                .value();
  const Job job = JobOfBytes(bytes);
  EXPECT_EQ(OpenJob(job)->data, bytes);
  EXPECT_EQ(OpenJob(job)->attempt, 1);
  const auto letter = ReadDeadLetter(bytes);
  ASSERT_TRUE(letter.ok()) << letter.status();
  EXPECT_EQ(letter->task, "resize");
  EXPECT_EQ(letter->unique, "u");
  EXPECT_EQ(letter->attempts, 3);
  EXPECT_EQ(letter->error, "NOT_FOUND: no image");
  EXPECT_EQ(letter->data, "data");
}

TEST(RetryEnvelopeTest, AnErrorHasATextOfLimitedLength) {
  EXPECT_EQ(TextOfError(JobFailed()), "the job failed");
  EXPECT_EQ(TextOfError(JobFailed("why")), "why");
  EXPECT_EQ(TextOfError(JobException(std::string("\0x", 2))),
            absl::string_view("\0x", 2));
  EXPECT_EQ(TextOfError(absl::NotFoundError(std::string(5000, 'x'))).size(),
            1024u);
}

TEST(RetryEnvelopeTest, NamesOfAnyLengthThatGearmanTakesFit) {
  OpenedJob opened = FirstAttempt("data");
  opened.unique = std::string(63, 'u');
  const std::string task(8000, 't');
  const std::string bytes =
      WrapDeadLetter(opened, 1000000, task,
                     absl::NotFoundError(std::string(5000, 'x')))
          .value();
  EXPECT_EQ(ReadDeadLetter(bytes)->task, task);
}

TEST(RetryEnvelopeTest, AnAttemptThatNoEnvelopeCarriesIsAnError) {
  EXPECT_EQ(WrapAttempt(FirstAttempt("data"), 1000000001).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(UniqueOfAttemptTest, HasTheAttemptAtItsEnd) {
  EXPECT_EQ(UniqueOfAttempt("u", 2), "u~2");
  EXPECT_EQ(UniqueOfAttempt("u", 0), "u~dead");
  EXPECT_EQ(UniqueOfAttempt(std::string(61, 'u'), 2),
            absl::StrCat(std::string(61, 'u'), "~2"));
}

TEST(UniqueOfAttemptTest, IsAHashOfWhatIsNoUnique) {
  const std::string two = UniqueOfAttempt(std::string("a\0b", 3), 2);
  EXPECT_EQ(two.size(), 34u);
  EXPECT_NE(two, UniqueOfAttempt(std::string("a\0c", 3), 2));
}

TEST(UniqueOfAttemptTest, IsAHashWhereItWouldBeTooLong) {
  const std::string two = UniqueOfAttempt(std::string(62, 'u'), 2);
  EXPECT_EQ(two.size(), 34u);
  EXPECT_THAT(two, ::testing::EndsWith("~2"));
  EXPECT_THAT(UniqueOfAttempt(std::string(62, 'u'), 3),
              StartsWith(two.substr(0, 32)));
  EXPECT_NE(UniqueOfAttempt(std::string(63, 'u'), 2), two);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
