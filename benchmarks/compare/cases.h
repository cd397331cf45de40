// The cases that are compared.
#ifndef GEARMAN_BENCHMARKS_COMPARE_CASES_H_
#define GEARMAN_BENCHMARKS_COMPARE_CASES_H_

#include <string>
#include <vector>

#include "gearman/benchmarks/compare/result.h"
#include "gearman/benchmarks/compare/workload.h"

namespace gearman {
namespace benchmarks {

// The ratio of a figure of a case to that of another: "p99 1.1 × one at a
// time".
struct Ratio {
  std::string what;  // "p99"
  NumberOfResult field = nullptr;
  // The other case, and its name in the table.
  std::string name;
  std::string label;
  std::string called;
  // If not empty, the comparison is with that case and another one of its name,
  // one after the other: costs are added, and for rates the times are.
  std::string plus_label = "";
};

// Cases with one name do the same work and are measured one after the other.
struct Case {
  std::string name;
  std::string label;   // in the column "side"
  std::string client;  // MakeSide; or kOpenssl
  std::string worker;  // MakeSide; empty: none
  // The server is an embedded one in a process of its own, and not gearmand.
  bool embedded = false;
  Workload workload;
  std::vector<Ratio> ratios;
};

// This case is not measured but computed from the speed that `openssl speed`
// gives for AES-256-GCM. A job's payload makes four hops (client, server,
// worker, server, client), is encrypted and decrypted once on each, and all
// cores do nothing else.
inline constexpr char kOpenssl[] = "openssl speed";
inline constexpr int kCryptedPerByte = 8;

// All cases, each with `scale` times its number of jobs.
std::vector<Case> AllCases(double scale);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_CASES_H_
