// ReconnectDelay tells when to try a server again, and EndOfConnection when to
// replace a connection. A ReconnectDelay belongs to one server; its owner
// guards it.
#ifndef GEARMAN_SDK_INTERNAL_NET_RECONNECT_DELAY_H_
#define GEARMAN_SDK_INTERNAL_NET_RECONNECT_DELAY_H_

#include <algorithm>
#include <random>

#include "absl/time/time.h"
#include "gearman/sdk/reconnect_options.h"

namespace gearman {
namespace internal {

class ReconnectDelay {
 public:
  // The time to wait after the connection ended or could not be made.
  absl::Duration Next(const ReconnectOptions& options,
                      std::mt19937_64* random) {
    if (first_) {
      first_ = false;
      next_ = std::min(options.initial_delay, options.max_delay);
      return options.first_delay *
             std::uniform_real_distribution<double>(0, 1)(*random);
    }
    const absl::Duration delay = next_;
    next_ =
        std::min<absl::Duration>(next_ * options.multiplier, options.max_delay);
    std::uniform_real_distribution<double> spread(1 - options.jitter,
                                                  1 + options.jitter);
    return delay * spread(*random);
  }

  // Call it when the server has answered. The next loss is then a first one.
  void Reset() { first_ = true; }

 private:
  bool first_ = true;
  absl::Duration next_;
};

// The time at which a connection that is made now is to be replaced.
inline absl::Time EndOfConnection(const ReconnectOptions& options,
                                  absl::Time now, std::mt19937_64* random) {
  // Connections that were made at one moment must not all end at one moment.
  std::uniform_real_distribution<double> part(0.9, 1);
  return now + options.connection_lifetime * part(*random);
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_RECONNECT_DELAY_H_
