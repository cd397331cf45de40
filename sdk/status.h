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
// and says whether bytes had been sent. The status also carries these facts as
// values, so a program need not parse the text:
//
//   const gearman::StatusFacts facts =
//       gearman::GetStatusFacts(result.status());
//   if (facts.exception.has_value()) ...  // the worker said why the job failed
//   else if (facts.failed) ...            // the job failed without a reason
//   else ...                              // no worker has answered the job
//
// `std::cerr << status` prints a payload behind the text. It has the places of
// these values in the text, such as `t74+7`, and the bytes of values that the
// text does not name. `status.message()` is the text alone.
//
// Everything here is thread-safe.
#ifndef GEARMAN_SDK_STATUS_H_
#define GEARMAN_SDK_STATUS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// The meaning of one code in this SDK.
struct StatusMeaning {
  absl::StatusCode code;      // such as UNAVAILABLE
  absl::string_view meaning;  // a sentence for people
  bool retryable;             // whether the same call may succeed later
};

// Returns every code that the SDK returns, in the order of their numbers.
absl::Span<const StatusMeaning> StatusMeanings();
// Returns one code's row, or null for a code that the SDK never makes (a
// handler may make it).
const StatusMeaning* FindStatusMeaning(absl::StatusCode code);
// Returns whether the same call may succeed later. False for OK and for codes
// that the SDK never makes.
bool IsRetryable(const absl::Status& status);

// The most bytes of an exception that a status holds. There is a limit because
// statuses are copied and logged. JobRequest::exception() has the whole text.
inline constexpr size_t kMaxExceptionBytes = 65536;

// The facts of a failure. A field that is empty, 0 or unset is unknown or does
// not apply, and is left out of the text.
struct StatusFacts {
  std::string operation;  // "submit", "status query", "echo", ...
  std::string task;       // without the prefix
  std::string server;     // its address as configured
  std::string handle;     // that the server gave the job
  int attempt = 0;        // from 1
  int max_attempts = 0;   // of the request
  // Whether a byte of the request may have reached the server.
  std::optional<bool> bytes_sent;
  // Whether the job itself failed. Its worker said so, or its server, after the
  // worker was lost. It is false for all other errors.
  bool failed = false;
  // The bytes of an exception or of a failure's text, as the worker sent them:
  // at most kMaxExceptionBytes. If this is set, `failed` is true.
  std::optional<std::string> exception;

  // Whether no fact is known.
  bool empty() const {
    return operation.empty() && task.empty() && server.empty() &&
           handle.empty() && attempt == 0 && !bytes_sent.has_value() &&
           !failed && !exception.has_value();
  }
};

// Returns `status` with the facts as a payload and, before its message,
// operation, task, server, attempt and bytes_sent. OK stays OK. A fact that
// `status` carries already stays as it is and is not repeated. A server that
// begins the message is not repeated either.
//   "submit of task \"reverse\" to tcp://a:4730, attempt 2 of 3, no byte sent:
//    connection refused"
absl::Status Annotate(const absl::Status& status, const StatusFacts& facts);

// Returns the facts that Annotate put there. If the message was changed since,
// the facts are lost, unless text was only put before it.
StatusFacts GetStatusFacts(const absl::Status& status);

// The key of the payload (absl::Status::GetPayload). absl::Status prints
// payloads after its message, so this one is short: it has the places of the
// facts in the message. Read it with GetStatusFacts. Copy it, like every
// payload, to a status that is made of this one.
inline constexpr absl::string_view kFactsPayload = "gearman/facts";

}  // namespace gearman

#endif  // GEARMAN_SDK_STATUS_H_
