// The cases that are compared.
#ifndef GEARMAN_BENCHMARKS_COMPARE_CASES_H_
#define GEARMAN_BENCHMARKS_COMPARE_CASES_H_

#include <string>
#include <vector>

#include "gearman/benchmarks/compare/result.h"
#include "gearman/benchmarks/compare/workload.h"

namespace gearman {
namespace benchmarks {

// A figure of a case beside that of another one: "p99 1.1 × one at a time".
struct Ratio {
  std::string what;  // "p99"
  NumberOfResult field = nullptr;
  // The other case, and how the table calls it.
  std::string name;
  std::string label;
  std::string called;
  // Beside that one and another one of its name, one after the other, unless
  // empty: costs add up, and of rates the times.
  std::string plus_label = "";
};

// Cases of one name do the same work and are measured one after the other.
struct Case {
  std::string name;
  std::string label;   // in the column "side"
  std::string client;  // MakeSide; or kOpenssl
  std::string worker;  // MakeSide; empty: none
  Workload workload;
  std::vector<Ratio> ratios;
};

// Not measured but computed: what `openssl speed` says of AES-256-GCM. A job's
// payload makes four hops (client, server, worker, server, client), is
// encrypted once and decrypted once on each, and all cores do nothing else.
inline constexpr char kOpenssl[] = "openssl speed";
inline constexpr int kCryptedPerByte = 8;

// Each with `scale` times its number of jobs.
std::vector<Case> AllCases(double scale);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_CASES_H_
