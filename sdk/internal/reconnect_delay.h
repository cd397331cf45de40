// ReconnectDelay: when to try a server again. Belongs to one server; guarded
// by its owner.
#ifndef GEARMAN_SDK_INTERNAL_RECONNECT_DELAY_H_
#define GEARMAN_SDK_INTERNAL_RECONNECT_DELAY_H_

#include <algorithm>
#include <random>

#include "absl/time/time.h"
#include "gearman/sdk/reconnect_options.h"

namespace gearman {
namespace internal {

class ReconnectDelay {
 public:
  // The connection ended, or could not be made: how long to wait.
  absl::Duration Next(const ReconnectOptions& options,
                      std::mt19937_64* random) {
    absl::Duration delay = options.first_delay;
    if (!first_) {
      delay = next_;
      next_ = std::min(next_ * options.multiplier, options.max_delay);
    } else {
      first_ = false;
      next_ = std::min(options.initial_delay, options.max_delay);
    }
    std::uniform_real_distribution<double> spread(1 - options.jitter,
                                                  1 + options.jitter);
    return delay * spread(*random);
  }

  // The server serves: the next loss is a first one.
  void Reset() { first_ = true; }

 private:
  bool first_ = true;
  absl::Duration next_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_RECONNECT_DELAY_H_
