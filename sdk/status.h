// The meaning of an absl::Status in this SDK, and how one is composed.
//
//   code                | meaning                                 | retryable
//   --------------------+-----------------------------------------+----------
//   UNAVAILABLE         | a server is unreachable or was lost      | yes
//   RESOURCE_EXHAUSTED  | a queue or limit is full                 | yes
//   UNAUTHENTICATED     | TLS refused one of the two sides         | no
//   ...                 | StatusMeanings() has all codes           |
//
// "Retryable" means that the same call may succeed later. Whether it is *safe*
// to repeat a submission is another question: bytes_sent and the request's
// history answer it.
//
// The message of every failure names the operation, the server and the attempt,
// and says whether bytes had been sent. The status carries these facts as
// payloads, too, so a program need not parse the text. Everything here is
// thread-safe.
#ifndef GEARMAN_SDK_STATUS_H_
#define GEARMAN_SDK_STATUS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

struct StatusMeaning {
  absl::StatusCode code;
  absl::string_view meaning;
  bool retryable;
};

// Returns every code that the SDK returns, in the order of their numbers.
absl::Span<const StatusMeaning> StatusMeanings();
// Returns one code's row, or null for a code that the SDK never makes (a
// handler may make it).
const StatusMeaning* FindStatusMeaning(absl::StatusCode code);
// Returns whether the same call may succeed later. False for OK and for codes
// that the SDK never makes.
bool IsRetryable(const absl::Status& status);

// The facts of a failure. A field that is empty, 0 or unset is unknown or does
// not apply, and is left out of the text.
struct StatusFacts {
  std::string operation;  // "submit", "status", "echo", "connect", ...
  std::string task;
  std::string server;    // its address as configured
  int attempt = 0;       // from 1
  int max_attempts = 0;  // of the request
  // Whether a byte of the request may have reached the server.
  std::optional<bool> bytes_sent;
};

// Returns `status` with the facts before its message and as payloads. OK stays
// OK. A fact that `status` carries already stays as it is and is not repeated.
//   "submit of task \"reverse\" to tcp://a:4730, attempt 2 of 3, no byte sent:
//    connection refused"
absl::Status Annotate(const absl::Status& status, const StatusFacts& facts);

// Returns the facts that Annotate put there.
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
