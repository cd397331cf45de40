// What an absl::Status means in this SDK, and how one is composed.
//
//   code                | meaning                                 | retryable
//   --------------------+-----------------------------------------+----------
//   UNAVAILABLE         | a server is unreachable or was lost      | yes
//   RESOURCE_EXHAUSTED  | a queue or limit is full                 | yes
//   UNAUTHENTICATED     | TLS refused one of the two sides         | no
//   ...                 | StatusMeanings() has them all            |
//
// "Retryable" means that the same call may succeed later. Whether repeating a
// submission is *safe* is another question, answered by bytes_sent and by the
// request's history.
//
// Every failure's message names the operation, the server, the attempt and
// whether bytes had been sent; the same facts ride along as payloads, so that a
// program need not read the text. Everything here is thread-safe.
#ifndef GEARMAN_SDK_STATUS_H_
#define GEARMAN_SDK_STATUS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {

struct StatusMeaning {
  absl::StatusCode code;
  absl::string_view meaning;
  bool retryable;
};

// Every code that the SDK returns, in the order of their numbers.
absl::Span<const StatusMeaning> StatusMeanings();
// One code's row; null for a code that the SDK never makes (a handler's own).
const StatusMeaning* FindStatusMeaning(absl::StatusCode code);
// Whether the same call may succeed later. False for OK and for codes that the
// SDK never makes.
bool IsRetryable(const absl::Status& status);

// The facts of a failure. What is empty, 0 or unset is not known or does not
// apply, and is left out of the text.
struct StatusFacts {
  std::string operation;  // "submit", "status", "echo", "connect", ...
  std::string task;
  std::string server;    // its address as configured
  int attempt = 0;       // from 1
  int max_attempts = 0;  // of the request
  // At least one byte of the request may have reached the server.
  std::optional<bool> bytes_sent;
};

// `status` with the facts put before its message and kept as payloads; OK stays
// OK. Facts that `status` carries already win, and are not said again.
//   "submit of task \"reverse\" to tcp://a:4730, attempt 2 of 3, no byte sent:
//    connection refused"
absl::Status Annotate(const absl::Status& status, const StatusFacts& facts);

// The facts that Annotate put there.
StatusFacts GetStatusFacts(const absl::Status& status);

// Keys of the payloads (absl::Status::GetPayload).
inline constexpr absl::string_view kOperationPayload = "gearman/operation";
inline constexpr absl::string_view kTaskPayload = "gearman/task";
inline constexpr absl::string_view kServerPayload = "gearman/server";
inline constexpr absl::string_view kAttemptPayload = "gearman/attempt";
inline constexpr absl::string_view kMaxAttemptsPayload = "gearman/max_attempts";
inline constexpr absl::string_view kBytesSentPayload = "gearman/bytes_sent";

}  // namespace gearman

#endif  // GEARMAN_SDK_STATUS_H_
