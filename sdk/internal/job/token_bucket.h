// TokenBucket: tokens that come at a steady rate and are taken one at a time.
// It is full at first. Pure: the time comes in, and counts are exact however
// often it is asked.
#ifndef GEARMAN_SDK_INTERNAL_JOB_TOKEN_BUCKET_H_
#define GEARMAN_SDK_INTERNAL_JOB_TOKEN_BUCKET_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

class TokenBucket {
 public:
  // False: there is a token at any time.
  bool limited() const { return interval_ > absl::ZeroDuration(); }

  // The most tokens that it holds.
  int burst() const { return burst_; }

  // Changes the rate. Tokens that were taken are still missing. `rate` must be
  // one that CheckTask accepts.
  void SetRate(const RateLimit& rate, absl::Time now) {
    const absl::Duration interval =
        rate.jobs_per_second == 0 ? absl::ZeroDuration()
                                  : absl::Seconds(1) / rate.jobs_per_second;
    if (interval == interval_ && rate.burst == burst_) return;
    const int missing = std::min(limited() ? Missing(now) : 0, rate.burst);
    interval_ = interval;
    burst_ = rate.burst;
    full_at_ = now + missing * interval_;
  }
  int Tokens(absl::Time now) const {
    return limited() ? std::max(0, burst_ - Missing(now))
                     : std::numeric_limits<int>::max();
  }
  // Takes a token, which must be there.
  void Take(absl::Time now) {
    if (limited()) full_at_ = std::max(full_at_, now) + interval_;
  }
  // Puts the last token back.
  void PutBack() {
    if (limited()) full_at_ -= interval_;
  }
  // The time from which a token is there.
  absl::Time next() const { return full_at_ - (burst_ - 1) * interval_; }

 private:
  // The tokens that are missing. One that has come in part is missing.
  int Missing(absl::Time now) const {
    if (full_at_ <= now) return 0;
    absl::Duration part;
    const int64_t whole = absl::IDivDuration(full_at_ - now, interval_, &part);
    return static_cast<int>(
        std::min<int64_t>(whole + (part > absl::ZeroDuration() ? 1 : 0),
                          std::numeric_limits<int>::max()));
  }

  absl::Duration interval_;  // between two tokens; zero: no limit
  int burst_ = 1;
  absl::Time full_at_ = absl::InfinitePast();
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_TOKEN_BUCKET_H_
