// Matchers for GoogleTest that look at the end of a job and say how it ended.
//
//   EXPECT_THAT(client.Run("reverse", "hello"), IsComplete("olleh"));
//   EXPECT_THAT(request, FailedWith(absl::StatusCode::kAborted,
//                                   HasSubstr("no image 17")));
//   EXPECT_THAT(background_request, IsAccepted());
//
// IsComplete and FailedWith take an absl::StatusOr<std::string> (of
// Client::Run, Client::Result, FakeJobContext::Run, a handler) or a JobRequest;
// FailedWith also takes an absl::Status. The matchers do not wait: wait for a
// request before.
//
// This header needs GoogleTest (gmock), which the rest of the SDK does not.
#ifndef GEARMAN_SDK_TESTING_MATCHERS_H_
#define GEARMAN_SDK_TESTING_MATCHERS_H_

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_state.h"
#include "gearman/sdk/status.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"

namespace gearman {
namespace testing {
namespace matchers_internal {

// The end of a job, in one form for all subjects.
struct Outcome {
  // Set if the job is complete and has a result.
  std::optional<std::string> result;
  bool complete = false;
  // Not OK: the job has failed or was given up.
  absl::Status status;
  std::string text;  // after "which is "
};

inline std::string FailureText(const absl::Status& status) {
  return absl::StrCat(
      "failed: ", status.ToString(absl::StatusToStringMode::kWithNoExtraData));
}

// A result may be long or hold any bytes.
inline std::string ResultText(absl::string_view result) {
  constexpr size_t kShownBytes = 200;
  return absl::StrCat("complete with \"", SafeText(result, kShownBytes), "\"");
}

inline Outcome OutcomeOf(const absl::Status& status) {
  Outcome outcome;
  outcome.status = status;
  outcome.text = status.ok() ? "OK" : FailureText(status);
  return outcome;
}

inline Outcome OutcomeOf(const absl::StatusOr<std::string>& result) {
  if (!result.ok()) return OutcomeOf(result.status());
  Outcome outcome;
  outcome.complete = true;
  outcome.result = *result;
  outcome.text = ResultText(*result);
  return outcome;
}

inline Outcome OutcomeOf(const JobRequest& request) {
  Outcome outcome;
  const JobState state = request.state();
  outcome.status = request.status();
  outcome.complete = state == JobState::kComplete;
  outcome.result = request.result();
  if (!outcome.status.ok()) {
    outcome.text = FailureText(outcome.status);
  } else if (outcome.result.has_value()) {
    outcome.text = ResultText(*outcome.result);
  } else if (state == JobState::kUnknown) {
    outcome.text = "not submitted";
  } else {
    const absl::string_view name = JobStateName(state);
    const std::string server = request.connection();
    outcome.text = std::string(name);
    if (!server.empty()) absl::StrAppend(&outcome.text, " at ", server);
  }
  return outcome;
}

class IsCompleteMatcher {
 public:
  explicit IsCompleteMatcher(::testing::Matcher<const std::string&> result)
      : result_(std::move(result)) {}

  template <typename Subject>
  bool MatchAndExplain(const Subject& subject,
                       ::testing::MatchResultListener* listener) const {
    const Outcome outcome = OutcomeOf(subject);
    *listener << "which is " << outcome.text;
    if (!outcome.complete || !outcome.result.has_value()) return false;
    ::testing::StringMatchResultListener inner;
    const bool matches = result_.MatchAndExplain(*outcome.result, &inner);
    if (!inner.str().empty()) *listener << ", " << inner.str();
    return matches;
  }
  void DescribeTo(std::ostream* os) const {
    *os << "is complete with a result that ";
    result_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not complete, or has a result that ";
    result_.DescribeNegationTo(os);
  }

 private:
  ::testing::Matcher<const std::string&> result_;
};

class FailedWithMatcher {
 public:
  FailedWithMatcher(::testing::Matcher<absl::StatusCode> code,
                    ::testing::Matcher<const std::string&> message)
      : code_(std::move(code)), message_(std::move(message)) {}

  template <typename Subject>
  bool MatchAndExplain(const Subject& subject,
                       ::testing::MatchResultListener* listener) const {
    const Outcome outcome = OutcomeOf(subject);
    *listener << "which is " << outcome.text;
    if (outcome.status.ok() || !code_.Matches(outcome.status.code())) {
      return false;
    }
    ::testing::StringMatchResultListener inner;
    const bool matches =
        message_.MatchAndExplain(std::string(outcome.status.message()), &inner);
    if (!inner.str().empty()) *listener << ", " << inner.str();
    return matches;
  }
  void DescribeTo(std::ostream* os) const {
    *os << "is failed with a code that ";
    code_.DescribeTo(os);
    *os << " and a message that ";
    message_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not failed, or has a code that ";
    code_.DescribeNegationTo(os);
    *os << " or a message that ";
    message_.DescribeNegationTo(os);
  }

 private:
  ::testing::Matcher<absl::StatusCode> code_;
  ::testing::Matcher<const std::string&> message_;
};

class IsAcceptedMatcher {
 public:
  bool MatchAndExplain(const JobRequest& request,
                       ::testing::MatchResultListener* listener) const {
    *listener << "which is " << OutcomeOf(request).text;
    switch (request.state()) {
      case JobState::kCreated:
      case JobState::kComplete:
        return true;
      case JobState::kFailed:
        // A worker has failed it, or the server refused it.
        return GetStatusFacts(request.status()).failed;
      case JobState::kUnknown:
      case JobState::kPending:
        break;
    }
    return false;
  }
  void DescribeTo(std::ostream* os) const { *os << "is accepted by a server"; }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not accepted by a server";
  }
};

}  // namespace matchers_internal

// Matches a job that is complete with a result that `result` matches: a text or
// a matcher. A background job has no result.
inline ::testing::PolymorphicMatcher<matchers_internal::IsCompleteMatcher>
IsComplete(::testing::Matcher<const std::string&> result = ::testing::_) {
  return ::testing::MakePolymorphicMatcher(
      matchers_internal::IsCompleteMatcher(std::move(result)));
}

// Matches a job that has failed or was given up, with a status whose code and
// message these match: a value or a matcher each.
inline ::testing::PolymorphicMatcher<matchers_internal::FailedWithMatcher>
FailedWith(::testing::Matcher<absl::StatusCode> code,
           ::testing::Matcher<const std::string&> message = ::testing::_) {
  return ::testing::MakePolymorphicMatcher(matchers_internal::FailedWithMatcher(
      std::move(code), std::move(message)));
}

// Matches a JobRequest that a server has accepted, whatever came of it.
inline ::testing::PolymorphicMatcher<matchers_internal::IsAcceptedMatcher>
IsAccepted() {
  return ::testing::MakePolymorphicMatcher(
      matchers_internal::IsAcceptedMatcher());
}

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_MATCHERS_H_
