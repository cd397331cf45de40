// ReconnectDelay: when to try a server again. Belongs to one server; guarded
// by its owner. And how old a connection may become.
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
    if (first_) {
      first_ = false;
      next_ = std::min(options.initial_delay, options.max_delay);
      return options.first_delay *
             std::uniform_real_distribution<double>(0, 1)(*random);
    }
    const absl::Duration delay = next_;
    next_ = std::min(next_ * options.multiplier, options.max_delay);
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

// When a connection that is made now is to be replaced.
inline absl::Time EndOfConnection(const ReconnectOptions& options,
                                  absl::Time now, std::mt19937_64* random) {
  // Those made in one moment don't end in one.
  std::uniform_real_distribution<double> part(0.9, 1);
  return now + options.connection_lifetime * part(*random);
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_RECONNECT_DELAY_H_
