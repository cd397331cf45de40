// One round of one case, and the part of it that a child process does.
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

// What a child process of this program is to be. Travels as arguments.
struct Role {
  std::string role;  // "client" or "worker"
  std::string side;
  uint16_t port = 0;
  Workload workload;
  // The processes whose CPU a client measures: the server's, then the workers'.
  std::vector<std::string> pids;
};

// Measures, with processes of its own, which are gone when it returns.
// `cores`: of this machine.
Result RunRound(const Case& measured, int cores);

// Is a child until its end, and returns its exit status.
int RunRole(const Role& role);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_ROUND_H_
