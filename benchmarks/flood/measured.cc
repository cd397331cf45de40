#include "gearman/benchmarks/flood/measured.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/result.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr double kOneFlooderMs = 20;
constexpr double kManyFloodersMs = 100;
// If gearmand's p99 exceeds this, the embedded server must be twice as good.
constexpr double kSlowMs = 10;
constexpr double kPoisonGoal = 0.9;

using NumberOfFlood = double FloodResult::*;
constexpr NumberOfFlood kNumbers[] = {
    &FloodResult::p50,    &FloodResult::p99,
    &FloodResult::max,    &FloodResult::unanswered,
    &FloodResult::closed, &FloodResult::answers_per_second,
    &FloodResult::cores};

std::string Milliseconds(double value) {
  return value < 10 ? absl::StrFormat("%.2f", value)
                    : absl::StrFormat("%.0f", value);
}

std::string Latencies(const FloodResult& result) {
  std::string text =
      absl::StrJoin({Milliseconds(result.p50), Milliseconds(result.p99),
                     Milliseconds(result.max)},
                    " / ");
  if (result.unanswered > 0) {
    absl::StrAppendFormat(&text, " at least, %.0f unanswered",
                          result.unanswered);
  }
  if (result.closed > 0) {
    absl::StrAppendFormat(&text, ", %.0f flooding connections closed",
                          result.closed);
  }
  return text;
}

std::string Row(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

}  // namespace

FloodResult ResultOf(std::vector<Echo> echoes, bool neighbour_closed,
                     const FloodReport& report, double cores) {
  FloodResult result;
  result.reason = report.reason;
  if (neighbour_closed) result.reason = "the neighbour's connection was closed";
  std::vector<double> latencies;
  for (const Echo& echo : echoes) {
    if (echo.due < report.began || echo.due > report.ended) continue;
    latencies.push_back(absl::ToDoubleMilliseconds(echo.latency));
    if (!echo.answered) ++result.unanswered;
  }
  if (result.reason.empty() && latencies.empty()) {
    result.reason = "the flood was over before the first echo";
  }
  if (!result.reason.empty()) return result;
  result.p50 = Percentile(&latencies, 0.5);
  result.p99 = Percentile(&latencies, 0.99);
  result.max = latencies.back();
  const double seconds = absl::ToDoubleSeconds(report.ended - report.began);
  result.answers_per_second = static_cast<double>(report.answers) / seconds;
  result.cores = cores;
  result.closed = report.closed;
  return result;
}

FloodResult MedianOf(const std::vector<FloodResult>& rounds) {
  FloodResult median;
  for (const NumberOfFlood number : kNumbers) {
    std::vector<double> values;
    for (const FloodResult& round : rounds) {
      if (!round.reason.empty()) return round;
      values.push_back(round.*number);
    }
    median.*number = Median(std::move(values));
  }
  return median;
}

std::string GoalOf(int connections, const FloodResult& embedded,
                   const FloodResult* gearmand) {
  if (!embedded.reason.empty()) return "missed: no figures";
  const double bound = connections == 1 ? kOneFlooderMs : kManyFloodersMs;
  if (embedded.p99 > bound) {
    return absl::StrFormat("missed: over %.0f ms", bound);
  }
  if (gearmand != nullptr && gearmand->reason.empty() &&
      gearmand->p99 > kSlowMs && embedded.p99 > gearmand->p99 / 2) {
    return "missed: over half of gearmand's";
  }
  return "met";
}

std::string FloodTable(const std::vector<FloodRow>& rows) {
  std::string text =
      "| flood | connections | echo, embedded server: p50 / p99 / max ms | "
      "echo, gearmand | answers/s of the flood, embedded server | gearmand | "
      "cores, embedded server | gearmand | goal |\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|---|\n";
  for (const FloodRow& row : rows) {
    const auto cell = [](const FloodResult& result, NumberOfFlood field,
                         const char* format) {
      return result.reason.empty()
                 ? absl::StrFormat(*absl::ParsedFormat<'f'>::New(format),
                                   result.*field)
                 : std::string();
    };
    const FloodResult embedded = MedianOf(row.embedded);
    const bool compared = !row.gearmand.empty();
    const FloodResult gearmand =
        compared ? MedianOf(row.gearmand) : FloodResult{"-"};
    const auto latencies = [](const FloodResult& result) {
      return result.reason.empty() ? Latencies(result) : result.reason;
    };
    text += Row(
        {row.kind, absl::StrCat(row.connections), latencies(embedded),
         latencies(gearmand),
         cell(embedded, &FloodResult::answers_per_second, "%.0f"),
         cell(gearmand, &FloodResult::answers_per_second, "%.0f"),
         cell(embedded, &FloodResult::cores, "%.2f"),
         cell(gearmand, &FloodResult::cores, "%.2f"),
         GoalOf(row.connections, embedded, compared ? &gearmand : nullptr)});
  }
  return text;
}

std::string PoisonTable(const std::vector<PoisonRow>& rows) {
  std::string text =
      "| server | jobs/s without poison | jobs/s with 1 % poison | ratio | "
      "goal |\n|---|--:|--:|--:|---|\n";
  for (const PoisonRow& row : rows) {
    std::vector<double> plain;
    std::vector<double> mixed;
    std::vector<double> ratios;
    std::string reason;
    for (const PoisonResult& round : row.rounds) {
      if (!round.reason.empty()) reason = round.reason;
      plain.push_back(round.plain);
      mixed.push_back(round.mixed);
      // Both values are of one round, as other load of the machine affects both
      // alike.
      ratios.push_back(round.mixed / std::max(1.0, round.plain));
    }
    const double ratio = Median(ratios);
    if (reason.empty() && ratio < kPoisonGoal) reason = "under 0.9";
    text += Row({row.server, absl::StrFormat("%.0f", Median(plain)),
                 absl::StrFormat("%.0f", Median(mixed)),
                 absl::StrFormat("%.2f", ratio),
                 reason.empty() ? "met" : absl::StrCat("missed: ", reason)});
  }
  return text;
}

}  // namespace benchmarks
}  // namespace gearman
