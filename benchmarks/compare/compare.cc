// This SDK beside libgearman and beside a bare protocol loop, through one real
// gearmand, each client and worker in a process of its own, in turn, several
// rounds. Prints a table, and with --csv a file of all rounds.
//
//   bazel run -c opt //benchmarks/compare -- [--rounds=5] [--only=NAME]
//     [--csv=FILE] [--scale=1.0]
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/children.h"
#include "gearman/benchmarks/compare/side.h"

ABSL_FLAG(int, rounds, 5, "rounds of each side");
ABSL_FLAG(double, scale, 1.0, "times the number of jobs of each round");
ABSL_FLAG(std::string, only, "", "only workloads whose name holds this");
ABSL_FLAG(std::string, csv, "", "a file to be written with every round");
ABSL_FLAG(std::string, role, "", "internal: client or worker");
ABSL_FLAG(std::string, side, "", "internal: whose");
ABSL_FLAG(int, port, 0, "internal: gearmand's port");
ABSL_FLAG(std::vector<std::string>, workload, {}, "internal: its numbers");

namespace gearman {
namespace benchmarks {

void Fail(absl::string_view why) {
  absl::FPrintF(stderr, "compare: %s\n", why);
  std::exit(1);
}

namespace {

// The SDK as it is by default. gearmand looks each unique up in 991 chains,
// which costs it more the more jobs there are.
constexpr char kWithUniques[] = "sdk, random uniques";

struct Case {
  std::string name;
  std::string side;
  Workload workload;
};

// One round of a case.
struct Result {
  double jobs_per_second = 0;
  double client_cpu_us = 0;    // per job
  double worker_cpu_us = 0;    // per job
  double gearmand_cpu_us = 0;  // per job
  double gearmand_busy = 0;    // part of one core, at most 3 (3 threads)
  double bytes_per_job = 0;    // of the client's memory, for Mode::kHold
  double p50_us = 0, p90_us = 0, p99_us = 0, p999_us = 0;  // for Mode::kSync
};

std::unique_ptr<Side> MakeSide(const std::string& name) {
  if (name == "bare") return MakeBareSide();
  if (name == "libgearman") return MakeLibgearmanSide();
  return MakeSdkSide();
}

std::string Encode(const Workload& w) {
  return absl::StrCat(static_cast<int>(w.mode), ",", w.jobs, ",", w.in_flight,
                      ",", w.payload_bytes, ",", w.grabs, ",", w.concurrency,
                      ",", w.uniques ? 1 : 0);
}

Workload Decode(const std::vector<std::string>& numbers) {
  if (numbers.size() != 7) Fail("--workload is internal");
  Workload w;
  w.mode = static_cast<Mode>(std::atoi(numbers[0].c_str()));
  w.jobs = std::atoi(numbers[1].c_str());
  w.in_flight = std::atoi(numbers[2].c_str());
  w.payload_bytes = static_cast<size_t>(std::atoll(numbers[3].c_str()));
  w.grabs = std::atoi(numbers[4].c_str());
  w.concurrency = std::atoi(numbers[5].c_str());
  w.uniques = numbers[6] == "1";
  return w;
}

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec +
                                    usage.ru_stime.tv_usec);
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double Percentile(std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(
      sorted.size() - 1,
      static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

// In the client's process: prints what RunRound reads.
int ClientMain(Side& side, uint16_t port, const Workload& workload) {
  std::vector<double> latencies;
  OnLatency on_latency;
  if (workload.mode == Mode::kSync) {
    latencies.reserve(static_cast<size_t>(workload.jobs));
    on_latency = [&latencies](absl::Duration d) {
      latencies.push_back(absl::ToDoubleMicroseconds(d));
    };
  }
  const double cpu = CpuSeconds();
  const double bytes = ResidentBytes();
  const absl::Time begin = absl::Now();
  side.RunClient(port, workload, on_latency);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  std::sort(latencies.begin(), latencies.end());
  absl::PrintF("%.9g %.9g %.9g %.9g %.9g %.9g %.9g\n", seconds,
               CpuSeconds() - cpu, ResidentBytes() - bytes,
               Percentile(latencies, 0.5), Percentile(latencies, 0.9),
               Percentile(latencies, 0.99), Percentile(latencies, 0.999));
  std::fflush(stdout);
  // What is held is not given back first.
  std::_Exit(0);
}

Result RunRound(const Gearmand& gearmand, const Case& c) {
  const auto start = [&](const char* role, bool keep_output) {
    return std::make_unique<Child>(
        std::vector<std::string>{
            "/proc/self/exe", absl::StrCat("--role=", role),
            absl::StrCat("--side=", c.side),
            absl::StrCat("--port=", gearmand.port()),
            absl::StrCat("--workload=", Encode(c.workload))},
        keep_output);
  };
  const bool worked =
      c.workload.mode == Mode::kForeground || c.workload.mode == Mode::kSync;
  std::unique_ptr<Child> worker;
  if (worked) worker = start("worker", /*keep_output=*/false);
  const double gearmand_before = gearmand.CpuSeconds();
  std::istringstream numbers(start("client", /*keep_output=*/true)->Output());
  const double gearmand_cpu = gearmand.CpuSeconds() - gearmand_before;
  double seconds = 0;
  double cpu = 0;
  double bytes = 0;
  Result result;
  numbers >> seconds >> cpu >> bytes >> result.p50_us >> result.p90_us >>
      result.p99_us >> result.p999_us;
  if (!numbers || seconds <= 0) Fail("a client printed what it should not");
  const double jobs = c.workload.jobs;
  result.jobs_per_second = jobs / seconds;
  result.client_cpu_us = cpu / jobs * 1e6;
  result.gearmand_cpu_us = gearmand_cpu / jobs * 1e6;
  result.gearmand_busy = gearmand_cpu / seconds;
  result.bytes_per_job = bytes / jobs;
  if (worker != nullptr) result.worker_cpu_us = worker->Kill() / jobs * 1e6;
  return result;
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  const auto add = [&cases](const std::string& name, const std::string& side,
                            Mode mode, double jobs, int in_flight,
                            size_t payload, int grabs) {
    Workload w;
    w.mode = mode;
    w.in_flight = in_flight;
    const double unit = mode == Mode::kSync || mode == Mode::kHold
                            ? 1
                            : static_cast<double>(in_flight);
    w.jobs = static_cast<int>(
        std::max(1.0, jobs * absl::GetFlag(FLAGS_scale) / unit) * unit);
    if (mode == Mode::kHold) w.jobs = static_cast<int>(jobs);
    w.payload_bytes = payload;
    w.grabs = grabs;
    w.uniques = side == kWithUniques;
    cases.push_back({name, side, w});
  };
  const Mode foreground = Mode::kForeground;
  add("foreground 16 B", "libgearman", foreground, 20e3, 1000, 16, 0);
  add("foreground 16 B", "sdk", foreground, 400e3, 1000, 16, 0);
  add("foreground 16 B", kWithUniques, foreground, 400e3, 1000, 16, 0);
  for (const int grabs : {1, 8, 32, 64, 128}) {
    const std::string name = absl::StrCat("foreground 16 B, grabs ", grabs);
    add(name, "bare", foreground, grabs == 1 ? 20e3 : 200e3, 1000, 16, grabs);
    add(name, "sdk", foreground, grabs == 1 ? 20e3 : 200e3, 1000, 16, grabs);
  }
  add("background 16 B", "libgearman", Mode::kBackground, 100e3, 1000, 16, 0);
  add("background 16 B", "bare", Mode::kBackground, 500e3, 1000, 16, 0);
  add("background 16 B", "sdk", Mode::kBackground, 500e3, 1000, 16, 0);
  add("background 16 B", kWithUniques, Mode::kBackground, 500e3, 1000, 16, 0);
  for (const char* side : {"libgearman", "bare", "sdk"}) {
    add("synchronous 16 B", side, Mode::kSync, 10e3, 1, 16, 0);
  }
  for (const int in_flight : {1, 10, 100, 10000}) {
    const std::string name = absl::StrCat("in flight ", in_flight);
    const double jobs = in_flight == 1 ? 5e3 : 100e3;
    add(name, "libgearman", foreground,
        in_flight == 10000 ? 10e3 : std::min(jobs, 20e3), in_flight, 16, 0);
    add(name, "bare", foreground, jobs, in_flight, 16, 128);
    add(name, "sdk", foreground, jobs, in_flight, 16, 0);
  }
  for (const size_t payload :
       {size_t{1} << 10, size_t{64} << 10, size_t{1} << 20}) {
    const std::string name = absl::StrCat("payload ", payload >> 10, " KiB");
    const double jobs = payload < 65536 ? 100e3 : payload < 1e6 ? 10e3 : 600;
    const int in_flight = payload < 65536 ? 1000 : payload < 1e6 ? 100 : 10;
    // Large payloads take it long.
    add(name, "libgearman", foreground,
        payload < 65536 ? 20e3
        : payload < 1e6 ? 5e3
                        : 20,
        in_flight, payload, 0);
    add(name, "bare", foreground, jobs, in_flight, payload, 8);
    add(name, "sdk", foreground, jobs, in_flight, payload, 0);
  }
  for (const double held : {1e3, 100e3, 1e6}) {
    const std::string name = absl::StrCat("held ", held);
    add(name, "sdk", Mode::kHold, held, 1, 16, 0);
  }
  return cases;
}

double Median(const std::vector<Result>& rounds, double Result::*field) {
  std::vector<double> values;
  for (const Result& round : rounds) values.push_back(round.*field);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Half the distance between the best and the worst round, in percent.
double Spread(const std::vector<Result>& rounds) {
  double low = rounds[0].jobs_per_second;
  double high = low;
  for (const Result& round : rounds) {
    low = std::min(low, round.jobs_per_second);
    high = std::max(high, round.jobs_per_second);
  }
  return 50 * (high - low) / Median(rounds, &Result::jobs_per_second);
}

int Compare() {
  std::vector<Case> cases = AllCases();
  const std::string only = absl::GetFlag(FLAGS_only);
  cases.erase(std::remove_if(cases.begin(), cases.end(),
                             [&only](const Case& c) {
                               return !absl::StrContains(c.name, only);
                             }),
              cases.end());
  if (cases.empty()) Fail("no workload of that name");
  std::ofstream csv;
  if (!absl::GetFlag(FLAGS_csv).empty()) {
    csv.open(absl::GetFlag(FLAGS_csv));
    if (!csv) Fail(absl::StrCat("can't write ", absl::GetFlag(FLAGS_csv)));
    csv << "name,side,round,in_flight,payload_bytes,grabs,jobs,jobs_per_second,"
           "client_cpu_us,worker_cpu_us,gearmand_cpu_us,gearmand_busy,"
           "bytes_per_job,p50_us,p90_us,p99_us,p999_us\n";
  }
  std::vector<std::vector<Result>> results(cases.size());
  for (int round = 1; round <= absl::GetFlag(FLAGS_rounds); ++round) {
    for (size_t i = 0; i < cases.size(); ++i) {
      const Case& c = cases[i];
      // A fresh one: what another case left there is nobody's burden.
      const Gearmand gearmand;
      const Result r = RunRound(gearmand, c);
      results[i].push_back(r);
      absl::FPrintF(stderr, "round %d: %s, %s: %.0f jobs/s\n", round, c.name,
                    c.side, r.jobs_per_second);
      if (!csv.is_open()) continue;
      csv << absl::StreamFormat(
          "\"%s\",%s,%d,%d,%d,%d,%d,%.1f,%.3f,%.3f,%.3f,%.3f,%.1f,%.1f,%.1f,"
          "%.1f,%.1f\n",
          c.name, c.side, round, c.workload.in_flight, c.workload.payload_bytes,
          c.workload.grabs, c.workload.jobs, r.jobs_per_second, r.client_cpu_us,
          r.worker_cpu_us, r.gearmand_cpu_us, r.gearmand_busy, r.bytes_per_job,
          r.p50_us, r.p90_us, r.p99_us, r.p999_us);
    }
  }
  // The rate of each case's "libgearman" and "bare", for the ratios.
  std::map<std::pair<std::string, std::string>, double> rates;
  for (size_t i = 0; i < cases.size(); ++i) {
    rates[{cases[i].name, cases[i].side}] =
        Median(results[i], &Result::jobs_per_second);
  }
  absl::PrintF(
      "| workload | side | jobs/s | ± | × libgearman | × bare | client µs/job "
      "| worker µs/job | gearmand's cores | p50 / p90 / p99 / p99.9 µs | "
      "bytes/request |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::vector<Result>& r = results[i];
    const double rate = Median(r, &Result::jobs_per_second);
    const auto ratio = [&](const char* side) -> std::string {
      const auto other = rates.find({cases[i].name, side});
      return other == rates.end() || cases[i].side == side
                 ? ""
                 : absl::StrFormat("%.2f", rate / other->second);
    };
    const auto number = [](double value, const char* unit) {
      return value <= 0 ? std::string()
                        : absl::StrFormat("%.2f%s", value, unit);
    };
    const bool sync = cases[i].workload.mode == Mode::kSync;
    const bool hold = cases[i].workload.mode == Mode::kHold;
    absl::PrintF(
        "| %s | %s | %.0f | %.0f %% | %s | %s | %s | %s | %s | %s | %s |\n",
        cases[i].name, cases[i].side, rate, Spread(r), ratio("libgearman"),
        ratio("bare"), number(Median(r, &Result::client_cpu_us), ""),
        number(Median(r, &Result::worker_cpu_us), ""),
        number(Median(r, &Result::gearmand_busy), ""),
        sync ? absl::StrFormat(
                   "%.0f / %.0f / %.0f / %.0f", Median(r, &Result::p50_us),
                   Median(r, &Result::p90_us), Median(r, &Result::p99_us),
                   Median(r, &Result::p999_us))
             : "",
        hold ? absl::StrFormat("%.0f", Median(r, &Result::bytes_per_job)) : "");
  }
  return 0;
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman

int main(int argc, char** argv) {
  using namespace gearman::benchmarks;  // NOLINT
  absl::ParseCommandLine(argc, argv);
  const std::string role = absl::GetFlag(FLAGS_role);
  if (role.empty()) return Compare();
  const auto port = static_cast<uint16_t>(absl::GetFlag(FLAGS_port));
  const std::unique_ptr<Side> side = MakeSide(absl::GetFlag(FLAGS_side));
  const Workload workload = Decode(absl::GetFlag(FLAGS_workload));
  if (role == "client") return ClientMain(*side, port, workload);
  side->RunWorker(port, workload);
  return 1;
}
