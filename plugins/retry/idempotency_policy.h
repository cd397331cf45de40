// IdempotencyPolicy: whether a failed attempt may be repeated at all.
//
// Asked first: what may not be repeated never reaches the RetryPolicy. Called
// with the client's lock held: what is said of a RetryPolicy's threads, state
// and of what it must not call holds here (retry_policy.h). When it throws,
// only what was surely not accepted is repeated.
#ifndef GEARMAN_PLUGINS_RETRY_IDEMPOTENCY_POLICY_H_
#define GEARMAN_PLUGINS_RETRY_IDEMPOTENCY_POLICY_H_

#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

enum class MayRepeat : unsigned char {
  kNo,
  // Only where it failed: what is there already is joined by its unique. Holds
  // for all later attempts of the request.
  kOnSameServer,
  kAnywhere,
};

class IdempotencyPolicy {
 public:
  virtual ~IdempotencyPolicy() = default;

  // Whether the job of this attempt may be submitted again.
  virtual MayRepeat Judge(const AttemptFailure& failure) = 0;
  // The name it is registered under, for messages. Static text.
  virtual absl::string_view name() const = 0;

  // Nothing of the attempt can have been accepted: no byte left, or the server
  // said no.
  static bool SurelyNotAccepted(const AttemptFailure& failure);
};

// "strict": what was surely not accepted, and what is marked idempotent.
class StrictIdempotencyPolicy : public IdempotencyPolicy {
 public:
  MayRepeat Judge(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "strict"; }
};

// "standard", the default: also a submission that was lost before its answer,
// when the caller gave it a unique, on the same server. It joins the job if
// that is queued or running there. Who can't bear a second run of a job that
// ended, or went down with its server, in between, takes "strict".
class StandardIdempotencyPolicy : public IdempotencyPolicy {
 public:
  MayRepeat Judge(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "standard"; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_IDEMPOTENCY_POLICY_H_
