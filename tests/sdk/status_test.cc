#include "gearman/sdk/status.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

StatusFacts Submit() {
  StatusFacts facts;
  facts.operation = "submit";
  facts.task = "reverse";
  facts.server = "tcp://a:4730";
  facts.attempt = 2;
  facts.max_attempts = 3;
  facts.bytes_sent = false;
  return facts;
}

TEST(Annotate, NamesOperationServerAttemptAndBytes) {
  const absl::Status status =
      Annotate(absl::UnavailableError("connection refused"), Submit());
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(status.message(),
            "submit of task \"reverse\" to tcp://a:4730, attempt 2 of 3, no "
            "byte sent: connection refused");
}

TEST(Annotate, LeavesOutWhatIsNotKnown) {
  StatusFacts facts;
  facts.server = "tcp://a:4730";
  facts.bytes_sent = true;
  EXPECT_EQ(Annotate(absl::UnavailableError("reset"), facts).message(),
            "tcp://a:4730, bytes sent: reset");
  EXPECT_EQ(Annotate(absl::UnavailableError("reset"), {}).message(), "reset");
}

TEST(Annotate, SaysNothingTwice) {
  const absl::Status once = Annotate(absl::UnavailableError("x"), Submit());
  EXPECT_EQ(Annotate(once, Submit()), once);
}

TEST(Annotate, AddsWhatWasMissing) {
  StatusFacts connect;
  connect.server = "tcp://a:4730";
  const absl::Status low = Annotate(absl::UnavailableError("refused"), connect);
  const absl::Status high = Annotate(low, Submit());
  EXPECT_EQ(high.message(),
            "submit of task \"reverse\", attempt 2 of 3, no byte sent: "
            "tcp://a:4730: refused");
  EXPECT_EQ(GetStatusFacts(high).server, "tcp://a:4730");
}

TEST(Annotate, KeepsOkAndForeignPayloads) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), Submit()).ok());
  absl::Status status = absl::UnavailableError("x");
  status.SetPayload("theirs", absl::Cord("p"));
  EXPECT_EQ(Annotate(status, Submit()).GetPayload("theirs"), "p");
}

TEST(GetStatusFacts, ReadsWhatAnnotateWrote) {
  const StatusFacts facts =
      GetStatusFacts(Annotate(absl::UnavailableError("x"), Submit()));
  EXPECT_EQ(facts.operation, "submit");
  EXPECT_EQ(facts.task, "reverse");
  EXPECT_EQ(facts.server, "tcp://a:4730");
  EXPECT_EQ(facts.attempt, 2);
  EXPECT_EQ(facts.max_attempts, 3);
  EXPECT_EQ(facts.bytes_sent, false);
}

TEST(GetStatusFacts, AreEmptyForAnyOtherStatus) {
  const StatusFacts facts = GetStatusFacts(absl::UnavailableError("x"));
  EXPECT_EQ(facts.attempt, 0);
  EXPECT_FALSE(facts.bytes_sent.has_value());
}

TEST(StatusMeanings, TellWhatIsWorthRepeating) {
  EXPECT_TRUE(IsRetryable(absl::UnavailableError("")));
  EXPECT_TRUE(IsRetryable(absl::ResourceExhaustedError("")));
  EXPECT_FALSE(IsRetryable(absl::InvalidArgumentError("")));
  EXPECT_FALSE(IsRetryable(absl::UnauthenticatedError("")));
  EXPECT_FALSE(IsRetryable(absl::DataLossError("")));
  EXPECT_FALSE(IsRetryable(absl::OkStatus()));
}

TEST(StatusMeanings, AreOnePerCodeInOrder) {
  int last = 0;
  for (const StatusMeaning& row : StatusMeanings()) {
    EXPECT_GT(static_cast<int>(row.code), last);
    last = static_cast<int>(row.code);
    EXPECT_FALSE(row.meaning.empty());
    EXPECT_EQ(FindStatusMeaning(row.code), &row);
  }
  EXPECT_EQ(FindStatusMeaning(absl::StatusCode::kOutOfRange), nullptr);
}

}  // namespace
}  // namespace gearman
