#include "gearman/benchmarks/compare/round.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/children.h"
#include "gearman/benchmarks/compare/crowd.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/test_directory.h"

namespace gearman {
namespace benchmarks {
namespace {

// The numbers that a client prints, in this order.
struct Measured {
  double seconds = 0;
  double client_cpu = 0;
  double server_cpu = 0;
  double server_thread_cpu = 0;
  double worker_cpu = 0;
  double bytes = 0;
  double p50_us = 0, p90_us = 0, p99_us = 0, p999_us = 0;
  double fast_p99_us = 0;
};
using NumberOfMeasured = double Measured::*;
constexpr NumberOfMeasured kMeasured[] = {
    &Measured::seconds,    &Measured::client_cpu,
    &Measured::server_cpu, &Measured::server_thread_cpu,
    &Measured::worker_cpu, &Measured::bytes,
    &Measured::p50_us,     &Measured::p90_us,
    &Measured::p99_us,     &Measured::p999_us,
    &Measured::fast_p99_us};

// The CPU time of the server's process and of all workers.
struct OthersCpu {
  double server = 0;
  double server_thread = 0;
  double workers = 0;
};
OthersCpu MeasureOthers(const std::vector<std::string>& pids) {
  OthersCpu cpu;
  for (size_t i = 0; i < pids.size(); ++i) {
    int pid = 0;
    if (!absl::SimpleAtoi(pids[i], &pid)) Fail("no process");
    if (i == 0) {
      cpu.server = CpuSeconds(pid);
      cpu.server_thread = BusiestThreadSeconds(pid);
    } else {
      cpu.workers += CpuSeconds(pid);
    }
  }
  return cpu;
}

// The memory of the server, if queued jobs take it; else 0.
int64_t ServerBytes(const Workload& workload, pid_t server) {
  return workload.queued > 0 ? support::ResidentBytes(server) : 0;
}

// Prints the numbers that RunRound reads.
int RunClient(const Role& role) {
  const Workload& workload = role.workload;
  // Without this, sleeps end late.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  pid_t server = 0;
  if (!role.pids.empty() && !absl::SimpleAtoi(role.pids[0], &server)) {
    Fail("no process");
  }
  const int64_t server_bytes_before = ServerBytes(workload, server);
  const Crowd crowd(role.port, workload);
  const int64_t queued_bytes =
      ServerBytes(workload, server) - server_bytes_before;
  const std::unique_ptr<Load> load =
      MakeSide(role.side)->MakeLoad(role.port, workload);
  if (workload.warm_up > 0) load->Run(workload.warm_up, nullptr);

  std::vector<double> latencies;
  OnLatency on_latency;
  if (workload.mode == Mode::kSync || workload.mode == Mode::kOpenLoop) {
    latencies.resize(static_cast<size_t>(workload.jobs));
    on_latency = [&latencies](int job, absl::Duration time) {
      latencies[static_cast<size_t>(job)] = absl::ToDoubleMicroseconds(time);
    };
  }
  const OthersCpu others_before = MeasureOthers(role.pids);
  const double cpu_before = CpuSeconds(getpid());
  const int64_t bytes_before = support::ResidentBytes();
  const absl::Time begin = absl::Now();
  load->Run(workload.jobs, on_latency);
  Measured measured;
  measured.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  measured.client_cpu = CpuSeconds(getpid()) - cpu_before;
  const OthersCpu others = MeasureOthers(role.pids);
  measured.server_cpu = others.server - others_before.server;
  measured.server_thread_cpu =
      others.server_thread - others_before.server_thread;
  measured.worker_cpu = others.workers - others_before.workers;
  measured.bytes = static_cast<double>(
      workload.queued > 0 ? queued_bytes
                          : support::ResidentBytes() - bytes_before);
  std::vector<double> fast;
  for (size_t i = 0; i < latencies.size(); ++i) {
    if (!IsSlow(workload, static_cast<int>(i))) fast.push_back(latencies[i]);
  }
  if (fast.size() < latencies.size()) {
    measured.fast_p99_us = Percentile(&fast, 0.99);
  }
  measured.p50_us = Percentile(&latencies, 0.5);
  measured.p90_us = Percentile(&latencies, 0.9);
  measured.p99_us = Percentile(&latencies, 0.99);
  measured.p999_us = Percentile(&latencies, 0.999);
  for (const NumberOfMeasured field : kMeasured) {
    absl::PrintF("%.9g ", measured.*field);
  }
  std::fflush(stdout);
  // The held jobs are not freed first.
  std::_Exit(0);
}

std::vector<std::string> Arguments(const Role& role) {
  return {ThisProgram(),
          absl::StrCat("--role=", role.role),
          absl::StrCat("--side=", role.side),
          absl::StrCat("--port=", role.port),
          absl::StrCat("--workload=", EncodeWorkload(role.workload)),
          absl::StrCat("--pids=", absl::StrJoin(role.pids, ","))};
}

// See kOpenssl.
Result RunOpenssl(const Workload& workload, int cores) {
  // TLS encrypts at most 16 KiB at a time.
  Child openssl({"openssl", "speed", "-mr", "-elapsed", "-seconds", "1",
                 "-bytes", "16384", "-evp", "aes-256-gcm"},
                /*keep_output=*/true);
  // The last line: +F:25:AES-256-GCM:4656873472.00
  double bytes_per_second = 0;
  for (const absl::string_view line : absl::StrSplit(openssl.Output(), '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ':');
    if (parts[0] == "+F" && !absl::SimpleAtod(parts.back(), &bytes_per_second))
      Fail("openssl speed printed what it should not");
  }
  if (bytes_per_second <= 0) Fail("openssl speed printed no speed");
  const double seconds =
      kCryptedPerByte * workload.payload_bytes / bytes_per_second;
  Result result;
  result.jobs_per_second = cores / seconds;
  result.client_us = result.total_us = 1e6 * seconds;
  result.client_cores = cores;
  return result;
}

}  // namespace

Result RunRound(const Case& measured, int cores) {
  const Workload& workload = measured.workload;
  if (measured.client == kOpenssl) return RunOpenssl(workload, cores);
  const bool counted = workload.counted != 0;
  std::unique_ptr<support::TestDirectory> calls;
  if (counted) calls = std::make_unique<support::TestDirectory>();
  const auto calls_of = [&calls](const char* who) {
    return calls == nullptr ? std::string() : calls->File(who);
  };
  Role role;
  role.workload = workload;

  // Each case has its own server, so that no case suffers from another.
  std::unique_ptr<Gearmand> gearmand;
  std::unique_ptr<EmbeddedServer> embedded;
  std::vector<std::unique_ptr<Child>> workers;
  const bool in_process = MakeSide(measured.client)->in_process();
  if (measured.embedded) {
    embedded = std::make_unique<EmbeddedServer>();
    role.port = embedded->port();
    role.pids.push_back(absl::StrCat(embedded->pid()));
  } else if (!in_process) {
    gearmand = std::make_unique<Gearmand>();
    role.port = gearmand->port();
    role.pids.push_back(absl::StrCat(gearmand->pid()));
  }
  if (!measured.worker.empty()) {
    Role worker = role;
    worker.role = "worker";
    worker.side = measured.worker;
    worker.pids.clear();
    for (int i = 0; i < workload.workers; ++i) {
      workers.push_back(std::make_unique<Child>(
          Arguments(worker), /*keep_output=*/false, calls_of("worker")));
      role.pids.push_back(absl::StrCat(workers.back()->pid()));
    }
    AwaitWorkers(role.port, kTask, workload.workers);
  }
  role.role = "client";
  role.side = measured.client;
  Child client(Arguments(role), /*keep_output=*/true, calls_of("client"));
  std::istringstream numbers(client.Output());
  Measured m;
  for (const NumberOfMeasured field : kMeasured) numbers >> m.*field;
  if (!numbers || m.seconds <= 0) Fail("a client printed what it should not");

  Result result;
  const double jobs = workload.jobs;
  const double us_per_job = 1e6 / jobs;
  result.jobs_per_second = jobs / m.seconds;
  result.client_us = m.client_cpu * us_per_job;
  result.worker_us = m.worker_cpu * us_per_job;
  result.server_us = m.server_cpu * us_per_job;
  result.total_us = result.client_us + result.worker_us + result.server_us;
  result.client_cores = m.client_cpu / m.seconds;
  result.worker_cores = m.worker_cpu / m.seconds;
  result.server_cores = m.server_cpu / m.seconds;
  result.server_thread_cores = m.server_thread_cpu / m.seconds;
  if (workload.mode == Mode::kHold) result.bytes_per_job = m.bytes / jobs;
  if (workload.queued > 0) result.bytes_per_job = m.bytes / workload.queued;
  result.p50_us = m.p50_us;
  result.p90_us = m.p90_us;
  result.p99_us = m.p99_us;
  result.p999_us = m.p999_us;
  result.fast_p99_us = m.fast_p99_us;
  if (counted) {
    for (const auto& worker : workers) worker->End(SIGTERM);
    const CallCounts at_client = ReadCalls(calls_of("client"));
    const CallCounts at_worker = ReadCalls(calls_of("worker"));
    // Times measured under strace have no meaning.
    result = Result();
    result.client_calls = at_client.all / jobs;
    result.client_writes = at_client.writes / jobs;
    result.worker_calls = at_worker.all / jobs;
    result.worker_writes = at_worker.writes / jobs;
  }
  return result;
}

int RunRole(const Role& role) {
  if (role.workload.keep_memory != 0) mallopt(M_TRIM_THRESHOLD, 64 << 20);
  if (role.role == "client") return RunClient(role);
  MakeSide(role.side)->RunWorker(role.port, role.workload);
  return 1;
}

}  // namespace benchmarks
}  // namespace gearman
