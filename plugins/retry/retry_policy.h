// RetryPolicy: asked once after each failed attempt of a request whether to go
// on, where and when.
//
// It is one of three small questions. How long to wait may be left to a
// BackoffPolicy (backoff_policy.h). Whether repeating is safe at all is an
// IdempotencyPolicy's (idempotency_policy.h): a retry policy is asked only
// about what may be repeated, so none can run a job twice by mistake.
//
// One instance serves all requests of a client (or of several clients), so a
// policy is thread-safe. What is known about one request arrives with each
// call; state kept in the policy is shared by all of them (a retry budget).
//
// Calls come from a thread that submits or drives the client's I/O, with the
// client's lock held. A policy must not block: the client stands still
// meanwhile. It must not call the client, nor Cancel, Reset or an accessor of a
// request of this client: these wait for the lock for ever. It may change its
// own state, and lock a mutex of its own for a moment if nobody holds that
// while calling the client. What it throws is logged, and it is done without:
// no retry, each server once.
#ifndef GEARMAN_PLUGINS_RETRY_RETRY_POLICY_H_
#define GEARMAN_PLUGINS_RETRY_RETRY_POLICY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {

// What an attempt failed of. An attempt is one submission to one server.
enum class FailureReason : unsigned char {
  kConnect,               // no connection to the server could be made
  kLostBeforeAcceptance,  // connection lost before JOB_CREATED arrived
  kLostAfterAcceptance,   // connection lost while the server had the job
  kTimedOut,              // no answer in time: the server was taken for dead
  kRefused,               // the server answered ERROR: it has no such job
  kStoreFailed,           // ERROR, but its store may have the job, and run it
  kJobFailed,             // WORK_FAIL came, from a worker or the server
  kException,             // WORK_EXCEPTION, or a failure with a text
};
inline constexpr int kFailureReasonCount = 8;

// "connect", "lost_before_acceptance", ...: the name in metrics and messages.
absl::string_view FailureReasonName(FailureReason reason);

// The server answered ERROR. It would answer so again, so each server gets the
// request once.
inline bool IsRefusal(FailureReason reason) {
  return reason == FailureReason::kRefused ||
         reason == FailureReason::kStoreFailed;
}

// The facts about one failed attempt. Views and the pointer are valid during
// the call only.
struct AttemptFailure {
  // Which attempt failed, from 1, and how many the request may make in all.
  int attempt = 1;
  int max_attempts = 1;
  FailureReason reason = FailureReason::kConnect;
  // At least one byte of the request may have reached the server.
  bool bytes_sent = false;
  // It ended by a time limit of the client's: for connecting, for an answer.
  bool timed_out = false;
  // The caller declared that running the job twice does no harm.
  bool idempotent = false;
  // The caller chose the unique: a job still queued or running is joined by a
  // repetition on the same server.
  bool has_explicit_unique = false;
  // Every server that may get the request has answered ERROR to it.
  bool refused_everywhere = false;
  // Since the request was submitted.
  absl::Duration elapsed;
  // How many servers the client has.
  int servers = 1;
  // Drawn for this decision from the client's seeded generator, uniform in
  // [0, 1): for jitter. A policy uses no randomness of its own, so that a run
  // can be repeated from a seed.
  double random = 0;
  absl::string_view server;
  absl::string_view task;
  // The attempt's error; may be null.
  const absl::Status* status = nullptr;
};

// Where the next attempt goes.
enum class NextServer : unsigned char {
  // To the same server if the job may be there already, so that the request
  // joins it and does not double it; else to a server not tried yet. Never to a
  // server that refused the request. When every server has refused it, the
  // request ends.
  kAutomatic,
  // To the same server, whatever it answered.
  kSame,
  // To another one, if there is another one that may have it.
  kOther,
};

struct RetryDecision {
  // Try again; else the request ends with its last error.
  bool again = false;
  // How long to wait before. Unset: what the client's BackoffPolicy says, and
  // without one not at all.
  std::optional<absl::Duration> delay;
  NextServer next_server = NextServer::kAutomatic;
  // Given up only because a budget shared with other requests is spent.
  bool budget_exhausted = false;
  // When giving up: the reason, for the error's text. Static text, such as
  // "the maximum of attempts is used up".
  absl::string_view why;
};

class RetryPolicy {
 public:
  virtual ~RetryPolicy() = default;

  // Decides what follows a failed attempt that may be repeated. A decision that
  // exceeds max_attempts or the request's deadline is cut short by the SDK.
  virtual RetryDecision OnFailure(const AttemptFailure& failure) = 0;
  // An attempt was accepted by its server (a budget earns something back).
  virtual void OnSuccess() {}
  // How many attempts a request makes that has no maximum of its own, with so
  // many servers: each of them once.
  virtual int DefaultMaxAttempts(int servers) const { return servers; }
  // The name it is registered under, for messages. Static text.
  virtual absl::string_view name() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_RETRY_POLICY_H_
