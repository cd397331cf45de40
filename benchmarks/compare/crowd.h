// Crowd is what is at a server beside the measured jobs: idle connections,
// functions, and jobs that wait.
#ifndef GEARMAN_BENCHMARKS_COMPARE_CROWD_H_
#define GEARMAN_BENCHMARKS_COMPARE_CROWD_H_

#include <cstdint>
#include <deque>

#include "gearman/benchmarks/compare/bare_socket.h"
#include "gearman/benchmarks/compare/workload.h"

namespace gearman {
namespace benchmarks {

// Any error ends the process.
class Crowd {
 public:
  // Returns when the server has all of it.
  Crowd(uint16_t port, const Workload& workload);

 private:
  std::deque<BareSocket> sockets_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_CROWD_H_
