// Compares this SDK with libgearman and with a bare protocol loop, through one
// real gearmand, with each client and worker in its own process. Also compares
// all in one process with the embedded server. There are several rounds, in
// which the sides of a workload take turns in going first. Prints a table, and
// with --csv a file of all rounds.
//
//   bazel run -c opt //benchmarks/compare -- [--rounds=5] [--only=NAME|...]
//     [--csv=FILE] [--scale=1.0]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>  // NOLINT: for the number of cores
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/benchmarks/compare/cases.h"
#include "gearman/benchmarks/compare/embedded_server.h"
#include "gearman/benchmarks/compare/round.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/benchmarks/compare/table.h"
#include "gearman/tools/gearctl/descriptor_limit.h"

ABSL_FLAG(int, rounds, 5, "rounds of each side");
ABSL_FLAG(double, scale, 1.0, "times the number of jobs of each round");
ABSL_FLAG(std::string, only, "",
          "only workloads whose name holds one of these, A|B$; $ is its end");
ABSL_FLAG(std::string, csv, "", "a file to be written with every round");
ABSL_FLAG(std::string, role, "", "internal: client, worker or server");
ABSL_FLAG(std::string, side, "", "internal: whose");
ABSL_FLAG(int, port, 0, "internal: the server's port");
ABSL_FLAG(std::string, workload, "", "internal: its numbers");
ABSL_FLAG(std::vector<std::string>, pids, {}, "internal: server and workers");

namespace gearman {
namespace benchmarks {

void Fail(absl::string_view why) {
  absl::FPrintF(stderr, "compare: %s\n", why);
  std::exit(1);
}

std::unique_ptr<Side> MakeSide(absl::string_view name) {
  if (name == "bare") return MakeBareSide();
  if (name == "libgearman") return MakeLibgearmanSide();
  if (name == "sdk") return MakeSdkSide();
  if (name == "two hops") return MakeTwoHopsSide();
  return MakeInProcessSide(name);
}

namespace {

// Returns the order of the cases in a round. Cases with one name stay together,
// and another one of them goes first in each round, so that other load of the
// machine affects all alike.
std::vector<size_t> OrderOf(const std::vector<Case>& cases, int round) {
  std::vector<size_t> order;
  for (size_t begin = 0; begin < cases.size();) {
    size_t end = begin;
    while (end < cases.size() && cases[end].name == cases[begin].name) ++end;
    const size_t count = end - begin;
    for (size_t i = 0; i < count; ++i) {
      order.push_back(begin + (i + static_cast<size_t>(round)) % count);
    }
    begin = end;
  }
  return order;
}

int Compare() {
  std::vector<Case> cases = AllCases(absl::GetFlag(FLAGS_scale));
  const std::string wanted = absl::GetFlag(FLAGS_only);
  const std::vector<absl::string_view> only = absl::StrSplit(wanted, '|');
  cases.erase(std::remove_if(cases.begin(), cases.end(),
                             [&only](const Case& c) {
                               return std::none_of(
                                   only.begin(), only.end(),
                                   [&c](absl::string_view part) {
                                     return absl::StrContains(
                                         absl::StrCat(c.name, "$"), part);
                                   });
                             }),
              cases.end());
  if (cases.empty()) Fail("no workload of that name");
  std::ofstream csv;
  if (!absl::GetFlag(FLAGS_csv).empty()) {
    csv.open(absl::GetFlag(FLAGS_csv));
    if (!csv) Fail(absl::StrCat("can't write ", absl::GetFlag(FLAGS_csv)));
    csv << CsvHeader();
  }
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<std::vector<Result>> results(cases.size());
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (const size_t i : OrderOf(cases, round)) {
      const Result result = RunRound(cases[i], cores);
      results[i].push_back(result);
      absl::FPrintF(stderr, "round %d: %s, %s: %.0f jobs/s\n", round + 1,
                    cases[i].name, cases[i].label, result.jobs_per_second);
      if (csv.is_open())
        csv << CsvRow(cases[i], round + 1, result) << std::flush;
    }
  }
  absl::PrintF("%s", MarkdownTable(cases, results, cores));
  return 0;
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman

int main(int argc, char** argv) {
  using namespace gearman::benchmarks;  // NOLINT
  absl::ParseCommandLine(argc, argv);
  Role role;
  role.role = absl::GetFlag(FLAGS_role);
  if (role.role == "server") RunEmbeddedServer();
  // Children inherit it: thousands of connections take as many descriptors.
  gearman::gearctl::RaiseDescriptorLimit(20'000);
  if (role.role.empty()) return Compare();
  role.side = absl::GetFlag(FLAGS_side);
  role.port = static_cast<uint16_t>(absl::GetFlag(FLAGS_port));
  role.workload = DecodeWorkload(absl::GetFlag(FLAGS_workload));
  role.pids = absl::GetFlag(FLAGS_pids);
  return RunRole(role);
}
