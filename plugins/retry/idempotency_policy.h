// IdempotencyPolicy: decides whether a failed attempt may be repeated.
//
// The SDK asks this policy first: an attempt that may not be repeated never
// reaches the RetryPolicy. The SDK holds the client's lock during the call, so
// the rules of retry_policy.h on threads, state and forbidden calls apply here.
// If the policy throws, an attempt is repeated only if it was surely not
// accepted.
#ifndef GEARMAN_PLUGINS_RETRY_IDEMPOTENCY_POLICY_H_
#define GEARMAN_PLUGINS_RETRY_IDEMPOTENCY_POLICY_H_

#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// The answer of an IdempotencyPolicy.
enum class MayRepeat : unsigned char {
  // Not at all: the request ends with the error of the attempt.
  kNo,
  // Only on the server where it failed: if the job is there, the repetition has
  // its unique and joins it. This holds for all later attempts of the request.
  kOnSameServer,
  // On any server.
  kAnywhere,
};

class IdempotencyPolicy {
 public:
  virtual ~IdempotencyPolicy() = default;

  // Returns whether the job of this attempt may be submitted again.
  virtual MayRepeat Judge(const AttemptFailure& failure) = 0;
  // The name under which the policy is registered, for messages. It is static
  // text.
  virtual absl::string_view name() const = 0;

  // Whether the server can't have accepted the attempt: no byte of it was sent,
  // or the server refused it.
  static bool SurelyNotAccepted(const AttemptFailure& failure);
};

// "strict", the default: repeats an attempt that was surely not accepted, and
// every attempt of a request that is marked idempotent.
class StrictIdempotencyPolicy : public IdempotencyPolicy {
 public:
  MayRepeat Judge(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "strict"; }
};

// "standard": like "strict". It also repeats a submission that was lost before
// its answer if the caller gave it a unique, on the same server: the repetition
// joins the job if the job is queued or running there. If that job has ended
// meanwhile, or was lost with its server, it runs a second time.
class StandardIdempotencyPolicy : public IdempotencyPolicy {
 public:
  MayRepeat Judge(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "standard"; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_IDEMPOTENCY_POLICY_H_
