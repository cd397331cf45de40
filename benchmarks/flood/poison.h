// The poison mix: a worker of this SDK takes small packets only, and one job in
// a hundred is larger.
#ifndef GEARMAN_BENCHMARKS_FLOOD_POISON_H_
#define GEARMAN_BENCHMARKS_FLOOD_POISON_H_

#include <cstdint>

#include "absl/time/time.h"
#include "gearman/benchmarks/flood/measured.h"
#include "gearman/benchmarks/flood/servers.h"

namespace gearman {
namespace benchmarks {

// Measures with a server and a worker of its own, which are gone when it
// returns. Each of the two mixes takes about `duration`, if all goes well.
PoisonResult RunPoison(ServerKind kind, absl::Duration duration);

// Runs the worker's process until it is killed.
[[noreturn]] void RunPoisonWorker(uint16_t port);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_POISON_H_
