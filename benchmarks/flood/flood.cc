// Measures how long a neighbour's echoes take during a flood of one client, at
// the embedded server and at gearmand by turns. Also measures how jobs that a
// worker can't take slow the others down. Prints two tables, and with --csv
// writes a file of all rounds.
//
//   bazel run -c opt //benchmarks/flood -- [--rounds=3] [--seconds=2]
//     [--only=NAME] [--connections=1,20] [--servers=embedded,gearmand]
//     [--scale=1.0] [--csv=FILE]
#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/children.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/benchmarks/flood/floods.h"
#include "gearman/benchmarks/flood/measured.h"
#include "gearman/benchmarks/flood/neighbour.h"
#include "gearman/benchmarks/flood/poison.h"
#include "gearman/benchmarks/flood/servers.h"

ABSL_FLAG(int, rounds, 3, "rounds of each server");
ABSL_FLAG(double, seconds, 2, "that a flood, or a mix of jobs, goes on");
ABSL_FLAG(std::string, only, "",
          "only the floods whose name holds this; \"poison\": only the mixes");
ABSL_FLAG(std::vector<std::string>, connections,
          std::vector<std::string>({"1", "20"}),
          "numbers of connections that flood");
ABSL_FLAG(std::vector<std::string>, servers,
          std::vector<std::string>({"embedded", "gearmand"}),
          "servers to measure");
ABSL_FLAG(double, scale, 1.0, "times the functions and jobs of a flood");
ABSL_FLAG(double, set_up_seconds, 30, "that a flood's state may take");
ABSL_FLAG(std::string, csv, "", "a file to be written with every round");
ABSL_FLAG(std::string, role, "", "internal: server, flooder, poison_worker");
ABSL_FLAG(std::string, kind, "", "internal: the flood");
ABSL_FLAG(int, port, 0, "internal: the server's port");
ABSL_FLAG(std::string, certificate, "", "internal: of the server");
ABSL_FLAG(std::string, key, "", "internal: of the certificate");
ABSL_FLAG(int, tls_port, 0, "internal: its port for TLS");

namespace gearman {
namespace benchmarks {

void Fail(absl::string_view why) {
  absl::FPrintF(stderr, "flood: %s\n", why);
  std::exit(1);
}

namespace {

// How long the neighbour waits for answers after the end of the flood.
constexpr absl::Duration kGrace = absl::Seconds(3);
// How long the flood is under way before the first echo.
constexpr absl::Duration kMargin = absl::Milliseconds(50);
// A flood that is not ended ends itself this long after the time of measuring.
constexpr absl::Duration kBound = absl::Seconds(20);

struct ServerName {
  const char* name;
  const char* called;
  ServerKind kind;
};
constexpr ServerName kServers[] = {
    {"embedded", "embedded server", ServerKind::kEmbedded},
    {"gearmand", "gearmand", ServerKind::kGearmand}};

bool Wanted(const ServerName& server) {
  const std::vector<std::string> names = absl::GetFlag(FLAGS_servers);
  return std::find(names.begin(), names.end(), server.name) != names.end();
}

absl::Duration FloodTime() {
  return absl::Seconds(absl::GetFlag(FLAGS_seconds));
}

// Runs one round of one server, with processes of its own.
FloodResult RunFlood(ServerKind kind, const std::string& flood,
                     int connections) {
  const FloodedServer server(kind);
  Neighbour neighbour(server.port());
  Child flooder(
      {ThisProgram(), "--role=flooder", absl::StrCat("--kind=", flood),
       absl::StrCat("--port=", server.port()),
       absl::StrCat("--tls_port=", server.tls_port()),
       absl::StrCat("--connections=", connections),
       absl::StrCat("--seconds=", absl::ToDoubleSeconds(FloodTime() + kBound)),
       absl::StrCat("--set_up_seconds=", absl::GetFlag(FLAGS_set_up_seconds)),
       absl::StrCat("--scale=", absl::GetFlag(FLAGS_scale))},
      /*keep_output=*/true);
  const std::string line = flooder.Line();
  if (line != kReady) {
    flooder.Output();
    return ResultOf({}, false, ReadReport(line), 0);
  }
  const double cpu_before = CpuSeconds(server.pid());
  const absl::Time begin = absl::Now();
  absl::SleepFor(kMargin);
  const std::vector<Echo> echoes = neighbour.Run(
      FloodTime(), kGrace, [&flooder] { kill(flooder.pid(), SIGTERM); });
  const FloodReport report = ReadReport(flooder.Output());
  const double cores = (CpuSeconds(server.pid()) - cpu_before) /
                       absl::ToDoubleSeconds(absl::Now() - begin);
  return ResultOf(echoes, neighbour.closed(), report, cores);
}

void Note(std::ofstream* csv, int round, const std::string& kind,
          int connections, const char* server, const FloodResult& result) {
  absl::FPrintF(stderr,
                "round %d: %s, %d connections, %s: p99 %.2f ms, max %.2f ms, "
                "%.0f answers/s %s\n",
                round, kind, connections, server, result.p99, result.max,
                result.answers_per_second, result.reason);
  if (!csv->is_open()) return;
  *csv << absl::StrFormat("\"%s\",%d,%s,%d,%.6g,%.6g,%.6g,%.0f,%.6g,%.6g\n",
                          kind, connections, server, round, result.p50,
                          result.p99, result.max, result.unanswered,
                          result.answers_per_second, result.cores)
       << std::flush;
}

std::vector<FloodRow> MeasureFloods(std::ofstream* csv) {
  std::vector<FloodRow> rows;
  for (const std::string& kind : FloodKinds()) {
    if (!absl::StrContains(kind, absl::GetFlag(FLAGS_only))) continue;
    for (const std::string& text : absl::GetFlag(FLAGS_connections)) {
      FloodRow row;
      row.kind = kind;
      if (!absl::SimpleAtoi(text, &row.connections) || row.connections < 1) {
        Fail("--connections: not a number of connections");
      }
      for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
        for (int i = 0; i < 2; ++i) {
          // The servers take turns at going first.
          const ServerName& server = kServers[(i + round) % 2];
          const bool is_gearmand = server.kind == ServerKind::kGearmand;
          std::vector<FloodResult>& results =
              is_gearmand ? row.gearmand : row.embedded;
          if (!Wanted(server) || (is_gearmand && NeedsTls(kind))) continue;
          // A flood that could not be set up once takes as long to fail again.
          if (!results.empty() && !results.back().reason.empty()) continue;
          results.push_back(RunFlood(server.kind, kind, row.connections));
          Note(csv, round + 1, kind, row.connections, server.name,
               results.back());
        }
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<PoisonRow> MeasurePoison() {
  std::vector<PoisonRow> rows;
  for (const ServerName& server : kServers) {
    if (Wanted(server)) rows.push_back({server.called, {}});
  }
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (PoisonRow& row : rows) {
      const ServerKind kind = row.server == kServers[0].called
                                  ? kServers[0].kind
                                  : kServers[1].kind;
      row.rounds.push_back(RunPoison(kind, FloodTime()));
      const PoisonResult& result = row.rounds.back();
      absl::FPrintF(stderr, "round %d: poison, %s: %.0f, %.0f jobs/s %s\n",
                    round + 1, row.server, result.plain, result.mixed,
                    result.reason);
    }
  }
  return rows;
}

int Measure() {
  const std::string only = absl::GetFlag(FLAGS_only);
  std::ofstream csv;
  if (!absl::GetFlag(FLAGS_csv).empty()) {
    csv.open(absl::GetFlag(FLAGS_csv));
    if (!csv) Fail(absl::StrCat("can't write ", absl::GetFlag(FLAGS_csv)));
    csv << "flood,connections,server,round,p50_ms,p99_ms,max_ms,unanswered,"
           "answers_per_second,cores\n";
  }
  const std::vector<FloodRow> rows = MeasureFloods(&csv);
  if (!rows.empty()) absl::PrintF("%s", FloodTable(rows));
  if (absl::StrContains("poison", only)) {
    absl::PrintF("\n%s", PoisonTable(MeasurePoison()));
  } else if (rows.empty()) {
    Fail("no flood of that name");
  }
  return 0;
}

FloodRequest RequestOfFlags() {
  FloodRequest request;
  request.kind = absl::GetFlag(FLAGS_kind);
  request.port = static_cast<uint16_t>(absl::GetFlag(FLAGS_port));
  request.tls_port = static_cast<uint16_t>(absl::GetFlag(FLAGS_tls_port));
  if (!absl::SimpleAtoi(absl::GetFlag(FLAGS_connections)[0],
                        &request.connections)) {
    Fail("no connections");
  }
  request.duration = FloodTime();
  request.set_up = absl::Seconds(absl::GetFlag(FLAGS_set_up_seconds));
  request.scale = absl::GetFlag(FLAGS_scale);
  return request;
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman

int main(int argc, char** argv) {
  using namespace gearman::benchmarks;  // NOLINT
  absl::ParseCommandLine(argc, argv);
  const std::string role = absl::GetFlag(FLAGS_role);
  if (role == "server") {
    RunServer({absl::GetFlag(FLAGS_certificate), absl::GetFlag(FLAGS_key)});
  }
  if (role == "flooder") return RunFlooder(RequestOfFlags());
  if (role == "poison_worker") {
    RunPoisonWorker(static_cast<uint16_t>(absl::GetFlag(FLAGS_port)));
  }
  return Measure();
}
