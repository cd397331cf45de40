#include "gearman/sdk/status.h"

#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
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
     "no such plugin, address scheme, in-process server, job, file or key",
     false},
    {absl::StatusCode::kAlreadyExists,
     "a name is taken: a plugin, a task, an in-process server", false},
    {absl::StatusCode::kPermissionDenied, "a file may not be read", false},
    {absl::StatusCode::kResourceExhausted,
     "a queue or limit is full, here or on the server", true},
    {absl::StatusCode::kFailedPrecondition,
     "not now, or not from here: the object's state forbids the call", false},
    {absl::StatusCode::kAborted,
     "the job failed or ended with an exception (only where a result is "
     "promised: Client::Run)",
     false},
    {absl::StatusCode::kUnimplemented,
     "the server, transport or plugin can't do that", false},
    {absl::StatusCode::kInternal, "a mistake in the SDK, or the system refused",
     false},
    {absl::StatusCode::kUnavailable, "a server is unreachable or was lost",
     true},
    {absl::StatusCode::kDataLoss,
     "the peer broke the protocol, or its data can't be decoded", false},
    {absl::StatusCode::kUnauthenticated,
     "TLS: one of the two sides was refused", false},
};

std::string Payload(const absl::Status& status, absl::string_view key) {
  const absl::optional<absl::Cord> payload = status.GetPayload(key);
  return payload.has_value() ? std::string(*payload) : std::string();
}

int NumberPayload(const absl::Status& status, absl::string_view key) {
  int number = 0;
  return absl::SimpleAtoi(Payload(status, key), &number) ? number : 0;
}

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

void SetPayload(absl::Status* status, absl::string_view key,
                const std::string& value) {
  if (!value.empty()) status->SetPayload(key, absl::Cord(value));
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
  StatusFacts facts;
  facts.operation = Payload(status, kOperationPayload);
  facts.task = Payload(status, kTaskPayload);
  facts.server = Payload(status, kServerPayload);
  facts.attempt = NumberPayload(status, kAttemptPayload);
  facts.max_attempts = NumberPayload(status, kMaxAttemptsPayload);
  const std::string bytes_sent = Payload(status, kBytesSentPayload);
  if (!bytes_sent.empty()) facts.bytes_sent = bytes_sent == "true";
  return facts;
}

absl::Status Annotate(const absl::Status& status, const StatusFacts& facts) {
  if (status.ok()) return status;
  const StatusFacts known = GetStatusFacts(status);
  StatusFacts news;
  if (known.operation.empty()) news.operation = facts.operation;
  if (known.task.empty()) news.task = facts.task;
  if (known.server.empty()) news.server = facts.server;
  if (known.attempt == 0) {
    news.attempt = facts.attempt;
    news.max_attempts = facts.max_attempts;
  }
  if (!known.bytes_sent.has_value()) news.bytes_sent = facts.bytes_sent;

  const std::string text = Describe(news);
  if (text.empty()) return status;
  absl::Status result(status.code(),
                      absl::StrCat(text, ": ", status.message()));
  status.ForEachPayload(
      [&result](absl::string_view key, const absl::Cord& payload) {
        result.SetPayload(key, payload);
      });
  SetPayload(&result, kOperationPayload, news.operation);
  SetPayload(&result, kTaskPayload, news.task);
  SetPayload(&result, kServerPayload, news.server);
  if (news.attempt > 0) {
    SetPayload(&result, kAttemptPayload, absl::StrCat(news.attempt));
    if (news.max_attempts > 0) {
      SetPayload(&result, kMaxAttemptsPayload, absl::StrCat(news.max_attempts));
    }
  }
  if (news.bytes_sent.has_value()) {
    SetPayload(&result, kBytesSentPayload, *news.bytes_sent ? "true" : "false");
  }
  return result;
}

}  // namespace gearman
