// One round of one case, and the part of it that runs in a child process.
#ifndef GEARMAN_BENCHMARKS_COMPARE_ROUND_H_
#define GEARMAN_BENCHMARKS_COMPARE_ROUND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "gearman/benchmarks/compare/cases.h"
#include "gearman/benchmarks/compare/result.h"
#include "gearman/benchmarks/compare/workload.h"

namespace gearman {
namespace benchmarks {

// The role of a child process of this program. It is passed as arguments.
struct Role {
  std::string role;  // "client", "worker" or "server"
  std::string side;
  uint16_t port = 0;
  Workload workload;
  // The processes whose CPU a client measures: the server's, then the workers'.
  std::vector<std::string> pids;
};

// Measures with its own processes, which are gone when it returns. `cores` is
// the number of this machine's cores.
Result RunRound(const Case& measured, int cores);

// Runs the child process to its end, and returns its exit status.
int RunRole(const Role& role);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_ROUND_H_
