#include "gearman/sdk/status.h"

#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "gearman/sdk/values/status_facts.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

constexpr StatusMeaning kMeanings[] = {
    {absl::StatusCode::kCancelled,
     "the caller cancelled, or its client or worker has ended", false},
    {absl::StatusCode::kUnknown,
     "an interceptor threw, or a worker's handler something that is no "
     "std::exception",
     false},
    {absl::StatusCode::kInvalidArgument,
     "the caller's mistake: a name, value or option that can never be right",
     false},
    {absl::StatusCode::kDeadlineExceeded, "a time limit of ours has passed",
     true},
    {absl::StatusCode::kNotFound,
     "no such plugin, address scheme, in-process server, job or file", false},
    {absl::StatusCode::kAlreadyExists,
     "a name is taken: a plugin, a task, an in-process server", false},
    {absl::StatusCode::kPermissionDenied, "a file may not be read", false},
    {absl::StatusCode::kResourceExhausted,
     "a queue or limit is full, here or on the server", true},
    {absl::StatusCode::kFailedPrecondition,
     "not now, or not from here: the object's state forbids the call", false},
    {absl::StatusCode::kAborted, "the job failed or ended with an exception",
     false},
    {absl::StatusCode::kUnimplemented,
     "the server, transport or plugin can't do that", false},
    {absl::StatusCode::kInternal, "a mistake in the SDK, or the system refused",
     false},
    {absl::StatusCode::kUnavailable, "a server is unreachable or was lost",
     true},
    {absl::StatusCode::kDataLoss, "the peer broke the protocol", false},
    {absl::StatusCode::kUnauthenticated,
     "TLS: one of the two sides was refused", false},
};

std::string Describe(const StatusFacts& facts) {
  std::string subject = facts.operation;
  if (!facts.task.empty()) {
    absl::StrAppend(&subject, subject.empty() ? "" : " of ", "task \"",
                    SafeText(facts.task), "\"");
  }
  if (!facts.server.empty()) {
    absl::StrAppend(&subject, subject.empty() ? "" : " to ", facts.server);
  }
  std::vector<std::string> parts;
  if (!subject.empty()) parts.push_back(subject);
  if (facts.attempt > 0) {
    parts.push_back(absl::StrCat("attempt ", facts.attempt));
    if (facts.max_attempts > 0) {
      absl::StrAppend(&parts.back(), " of ", facts.max_attempts);
    }
  }
  if (facts.bytes_sent.has_value()) {
    parts.push_back(*facts.bytes_sent ? "bytes sent" : "no byte sent");
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace

absl::Span<const StatusMeaning> StatusMeanings() { return kMeanings; }

const StatusMeaning* FindStatusMeaning(absl::StatusCode code) {
  for (const StatusMeaning& row : kMeanings) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

bool IsRetryable(const absl::Status& status) {
  const StatusMeaning* const meaning = FindStatusMeaning(status.code());
  return meaning != nullptr && meaning->retryable;
}

StatusFacts GetStatusFacts(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kFactsPayload);
  if (!payload.has_value()) return StatusFacts();
  return internal::DecodeFacts(std::string(*payload), status.message());
}

absl::Status Annotate(const absl::Status& status, const StatusFacts& facts) {
  if (status.ok()) return status;
  StatusFacts all = GetStatusFacts(status);
  // The facts that the status does not say yet.
  StatusFacts news;
  if (all.operation.empty()) news.operation = all.operation = facts.operation;
  if (all.task.empty()) news.task = all.task = facts.task;
  if (all.server.empty()) news.server = all.server = facts.server;
  if (all.handle.empty()) news.handle = all.handle = facts.handle;
  if (all.attempt == 0) {
    news.attempt = all.attempt = facts.attempt;
    news.max_attempts = all.max_attempts = facts.max_attempts;
  }
  if (!all.bytes_sent.has_value()) {
    news.bytes_sent = all.bytes_sent = facts.bytes_sent;
  }
  if (facts.failed) news.failed = all.failed = true;
  if (!all.exception.has_value() && facts.exception.has_value()) {
    news.exception = all.exception =
        facts.exception->substr(0, kMaxExceptionBytes);
  }
  if (news.empty()) return status;

  absl::string_view message = status.message();
  const std::string text = Describe(news);
  if (!news.server.empty() &&
      absl::StartsWith(message, absl::StrCat(news.server, ": "))) {
    // The error of a transport begins with its peer.
    message.remove_prefix(news.server.size() + 2);
  }
  absl::Status result(status.code(), text.empty()
                                         ? message
                                         : absl::StrCat(text, ": ", message));
  status.ForEachPayload(
      [&result](absl::string_view key, const absl::Cord& payload) {
        result.SetPayload(key, payload);
      });
  result.SetPayload(kFactsPayload,
                    absl::Cord(internal::EncodeFacts(all, result.message())));
  return result;
}

}  // namespace gearman
