#include "gearman/sdk/status.h"

#include <cstddef>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "gearman/text/safe_text.h"
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

// How often `text` is in `all`.
int Count(absl::string_view text, absl::string_view all) {
  int count = 0;
  for (size_t at = all.find(text); at != absl::string_view::npos;
       at = all.find(text, at + text.size())) {
    ++count;
  }
  return count;
}

std::string Printed(const absl::Status& status) {
  std::ostringstream out;
  out << status;
  return out.str();
}

TEST(GetStatusFacts, ReadsHandleFailureAndException) {
  StatusFacts facts = Submit();
  facts.handle = "H:a:1";
  EXPECT_FALSE(
      GetStatusFacts(Annotate(absl::UnavailableError("x"), facts)).failed);
  facts.failed = true;
  StatusFacts read = GetStatusFacts(Annotate(absl::AbortedError("x"), facts));
  EXPECT_TRUE(read.failed);
  EXPECT_FALSE(read.exception.has_value());
  EXPECT_EQ(read.handle, "H:a:1");
  for (const std::string& exception :
       {std::string(), std::string("why"), std::string("a\nb\r\n\n"),
        std::string("\0\xff =3:\\x41", 10), std::string(1000, '7')}) {
    facts.exception = exception;
    read = GetStatusFacts(Annotate(absl::AbortedError("x"), facts));
    EXPECT_TRUE(read.failed);
    EXPECT_EQ(read.exception, exception);
    // The message has it, as the messages of failed jobs do.
    read = GetStatusFacts(Annotate(
        absl::AbortedError("it threw: " + SafeMessage(exception)), facts));
    EXPECT_EQ(read.exception, exception);
  }
}

TEST(GetStatusFacts, KeepsTheBeginningOfALongException) {
  StatusFacts facts;
  facts.exception = std::string(kMaxExceptionBytes, 'a') + "b";
  EXPECT_EQ(GetStatusFacts(Annotate(absl::AbortedError("x"), facts)).exception,
            std::string(kMaxExceptionBytes, 'a'));
}

TEST(GetStatusFacts, KeepsEachFactThroughAnotherAnnotation) {
  StatusFacts first;
  first.server = "tcp://a:4730";
  first.handle = "H:1";
  first.failed = true;
  first.exception = "why";
  const StatusFacts facts = GetStatusFacts(
      Annotate(Annotate(absl::AbortedError("why"), first), Submit()));
  EXPECT_EQ(facts.server, first.server);
  EXPECT_EQ(facts.handle, first.handle);
  EXPECT_TRUE(facts.failed);
  EXPECT_EQ(facts.exception, "why");
  EXPECT_EQ(facts.task, "reverse");
}

TEST(GetStatusFacts, GoesWithTextBeforeTheMessageAndNoOtherChange) {
  const absl::Status status = Annotate(absl::UnavailableError("x"), Submit());
  const absl::Cord payload = *status.GetPayload(kFactsPayload);
  const auto with_message = [&](const std::string& message) {
    absl::Status changed(status.code(), message);
    changed.SetPayload(kFactsPayload, payload);
    return GetStatusFacts(changed);
  };
  const std::string message(status.message());
  EXPECT_EQ(with_message("at start: " + message).server, "tcp://a:4730");
  EXPECT_EQ(with_message("at start: " + message).attempt, 2);
  std::string other = message;
  other[other.find("a:4730")] = 'b';
  for (const std::string& text :
       {std::string(), std::string("x"), message + ".", other}) {
    EXPECT_TRUE(with_message(text).empty()) << text;
  }
}

TEST(GetStatusFacts, ReadsNothingFromAPayloadThatIsNoneOfOurs) {
  const absl::Status status = Annotate(absl::UnavailableError("x"), Submit());
  const std::string payload(*status.GetPayload(kFactsPayload));
  const auto with_payload = [&](const std::string& bytes) {
    absl::Status changed = status;
    changed.SetPayload(kFactsPayload, absl::Cord(bytes));
    return GetStatusFacts(changed);
  };
  EXPECT_FALSE(with_payload(payload).empty());
  const std::string head = payload.substr(0, payload.find(" o"));
  EXPECT_TRUE(with_payload(head).empty());
  for (const char* const item :
       {" ", "t", " t1", " t1+", " t1+2", " t99999+1", " t-1+1", " t=",
        " t=9:a", " t=1", " t99999999999999999999+1", " t1+1=2:a", "  t1+1"}) {
    EXPECT_TRUE(with_payload(head + item).empty()) << item;
  }
  for (const char* const bytes : {"", "x", "0", "0 0", "99999 0", "1 "}) {
    EXPECT_TRUE(with_payload(bytes).empty()) << bytes;
  }
  // A later version may have more of them.
  EXPECT_EQ(with_payload(payload + " z=1:a").task, "reverse");
  // Every change of one byte is read without harm.
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string changed = payload;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    with_payload(changed);
  }
}

TEST(PrintedStatus, SaysEachFactOnce) {
  StatusFacts facts = Submit();
  facts.handle = "H:a:17";
  facts.failed = true;
  facts.exception = "division by zero\n";
  const std::string text = Printed(
      Annotate(absl::AbortedError(
                   "the job with handle \"H:a:17\" threw: division by zero"),
               facts));
  for (const char* const fact :
       {"submit", "reverse", "tcp://a:4730", "attempt 2", "of 3",
        "no byte sent", "H:a:17", "division by zero"}) {
    EXPECT_EQ(Count(fact, text), 1) << fact << " in " << text;
  }
}

TEST(PrintedStatus, DoesNotRepeatTheServerThatBeganTheMessage) {
  const absl::Status status =
      Annotate(absl::UnavailableError("tcp://a:4730: refused"), Submit());
  EXPECT_EQ(Count("tcp://a:4730", Printed(status)), 1) << status;
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
