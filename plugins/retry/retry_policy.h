// RetryPolicy: decides after a failed attempt of a request whether another
// attempt follows, on which server and when.
//
// There are two more policies. A BackoffPolicy (backoff_policy.h) sets the
// delay if the RetryPolicy leaves it unset. An IdempotencyPolicy
// (idempotency_policy.h) decides first whether repeating is safe. A retry
// policy is asked only about attempts that may be repeated, so it can't run a
// job twice by mistake.
#ifndef GEARMAN_PLUGINS_RETRY_RETRY_POLICY_H_
#define GEARMAN_PLUGINS_RETRY_RETRY_POLICY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// The reason why an attempt failed. An attempt is one submission to one server
// (docs/protocol.md, section "Client semantics", has the packets).
enum class FailureReason : unsigned char {
  kConnect,               // no connection to the server could be made
  kLostBeforeAcceptance,  // connection lost before JOB_CREATED arrived
  // Connection lost while the server had the job, or the server says that it
  // does not have the job any more and has sent no end of it.
  kLostAfterAcceptance,
  kTimedOut,     // no answer in time: the server is considered dead
  kRefused,      // the server answered ERROR: it does not have the job
  kStoreFailed,  // ERROR, but its store may have the job, and run it
  kJobFailed,    // WORK_FAIL came, from a worker or the server
  kException,    // WORK_EXCEPTION, or a failure with a text
};
// The number of reasons.
inline constexpr int kFailureReasonCount = 8;

// Returns the name in metrics and messages: "connect",
// "lost_before_acceptance".
absl::string_view FailureReasonName(FailureReason reason);

// Whether the server answered ERROR. The server would answer the same request
// with ERROR again, so each server gets it once.
inline bool IsRefusal(FailureReason reason) {
  return reason == FailureReason::kRefused ||
         reason == FailureReason::kStoreFailed;
}

// The facts about one failed attempt. Views and the pointer are valid only
// during the call.
struct AttemptFailure {
  // The number of the failed attempt, from 1, and the most attempts of the
  // request.
  int attempt = 1;
  int max_attempts = 1;
  // Why the attempt failed.
  FailureReason reason = FailureReason::kConnect;
  // Whether a byte of the request may have reached the server. With a body from
  // a source (JobSpec::body) it is false unless all of the body was sent,
  // because no server accepts a part of a packet.
  bool bytes_sent = false;
  // Whether a time limit of the client ended the attempt: for connecting or for
  // the answer.
  bool timed_out = false;
  // Whether the caller declared that running the job twice does no harm.
  bool idempotent = false;
  // Whether the caller chose the unique: then a repetition on the same server
  // joins a job that is still queued or running.
  bool has_explicit_unique = false;
  // Whether every server that may get the request has answered ERROR to it.
  bool refused_everywhere = false;
  // The time since the request was submitted.
  absl::Duration elapsed;
  // The number of the client's servers.
  int servers = 1;
  // A number for jitter, from the client's seeded generator, uniform in [0, 1).
  // A policy must not use other randomness, so that a run can be repeated from
  // a seed.
  double random = 0;
  // The address of the server, and the task without the client's task_prefix.
  absl::string_view server;
  absl::string_view task;
  // The error of the attempt; may be null.
  const absl::Status* status = nullptr;
};

// The server of the next attempt.
enum class NextServer : unsigned char {
  // Use the same server if the job may be there already, so that the request
  // joins the job and does not double it. Otherwise a server that was not tried
  // yet. Never a server that refused the request: when every server has refused
  // it, the request ends.
  kAutomatic,
  // Use the same server, whatever its answer was.
  kSame,
  // Use another server, if there is another one that may have the request.
  kOther,
};

// The answer of a RetryPolicy.
struct RetryDecision {
  // Whether to try again. If not, the request ends with its last error.
  bool again = false;
  // The delay before the next attempt. Unset means that of the client's
  // BackoffPolicy, or no delay if there is none.
  std::optional<absl::Duration> delay;
  // The server of the next attempt.
  NextServer next_server = NextServer::kAutomatic;
  // Whether the only reason for giving up is an empty budget that requests
  // share.
  bool budget_exhausted = false;
  // The reason for giving up, for the error's text. It is static text, such as
  // "the maximum of attempts is used up".
  absl::string_view why;
};

// One instance serves all requests of a client (or of several clients), so a
// policy is thread-safe. Each call brings the facts about one request. All
// requests share state that is kept in the policy (a retry budget).
//
// Calls come from a thread that submits or does the client's I/O, with the
// client's lock held. A policy must not block, because the client stands still
// meanwhile. It must not call the client, nor Cancel, Reset or an accessor of a
// request of this client: that call would wait for the lock forever. It may
// change its own state. It may lock its own mutex for a moment, if no thread
// holds that mutex while it calls the client. An exception is logged: from
// OnFailure it means no retry, from DefaultMaxAttempts it means that each
// server is tried once.
class RetryPolicy {
 public:
  virtual ~RetryPolicy() = default;

  // Decides after a failed attempt that may be repeated, as long as the request
  // may make more attempts. The request ends if the delay exceeds its deadline.
  virtual RetryDecision OnFailure(const AttemptFailure& failure) = 0;
  // An attempt was accepted by its server. (A budget gets tokens back.)
  virtual void OnSuccess() {}
  // The number of attempts of a request without a maximum of its own, for a
  // client with this number of servers. The default is one attempt for each
  // server.
  virtual int DefaultMaxAttempts(int servers) const { return servers; }
  // The name under which the policy is registered, for messages. It is static
  // text.
  virtual absl::string_view name() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_RETRY_POLICY_H_
