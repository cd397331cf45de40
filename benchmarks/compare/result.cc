#include "gearman/benchmarks/compare/result.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace gearman {
namespace benchmarks {
namespace {

// A thread that works so much of each second has no time to wait.
constexpr double kBusy = 0.85;
constexpr double kAllBusy = 0.9;
constexpr double kOneCore = 1.05;

}  // namespace

const std::vector<ResultField>& ResultFields() {
  static const auto* const fields = new std::vector<ResultField>{
      {"jobs_per_second", &Result::jobs_per_second},
      {"client_us", &Result::client_us},
      {"worker_us", &Result::worker_us},
      {"server_us", &Result::server_us},
      {"total_us", &Result::total_us},
      {"client_cores", &Result::client_cores},
      {"worker_cores", &Result::worker_cores},
      {"server_cores", &Result::server_cores},
      {"server_thread_cores", &Result::server_thread_cores},
      {"bytes_per_job", &Result::bytes_per_job},
      {"p50_us", &Result::p50_us},
      {"p90_us", &Result::p90_us},
      {"p99_us", &Result::p99_us},
      {"p999_us", &Result::p999_us},
      {"fast_p99_us", &Result::fast_p99_us},
      {"client_calls", &Result::client_calls},
      {"client_writes", &Result::client_writes},
      {"worker_calls", &Result::worker_calls},
      {"worker_writes", &Result::worker_writes}};
  return *fields;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[values.size() / 2] + values[(values.size() - 1) / 2]) / 2;
}

double Percentile(std::vector<double>* values, double part) {
  if (values->empty()) return 0;
  std::sort(values->begin(), values->end());
  return (*values)[std::min(
      values->size() - 1,
      static_cast<size_t>(part * static_cast<double>(values->size())))];
}

double Median(const std::vector<Result>& rounds, NumberOfResult field) {
  std::vector<double> values;
  for (const Result& round : rounds) values.push_back(round.*field);
  return Median(std::move(values));
}

double Spread(const std::vector<Result>& rounds) {
  double low = rounds[0].jobs_per_second;
  double high = low;
  for (const Result& round : rounds) {
    low = std::min(low, round.jobs_per_second);
    high = std::max(high, round.jobs_per_second);
  }
  return 50 * (high - low) / Median(rounds, &Result::jobs_per_second);
}

std::string Limit(const std::vector<Result>& rounds, int cores,
                  bool client_has_one_thread) {
  const double client = Median(rounds, &Result::client_cores);
  const double worker = Median(rounds, &Result::worker_cores);
  const double server = Median(rounds, &Result::server_thread_cores);
  // With several threads it is unknown whether one of them is the limit.
  const double client_thread = client_has_one_thread ? client : 0;
  const double worker_thread = worker <= kOneCore ? worker : 0;
  const double busiest = std::max({client_thread, worker_thread, server});
  const std::string who = absl::StrFormat("%s %.2f",
                                          busiest == server          ? "server"
                                          : busiest == client_thread ? "client"
                                                                     : "worker",
                                          busiest);
  if (busiest >= kBusy) return who;
  const double all = client + worker + Median(rounds, &Result::server_cores);
  if (all >= kAllBusy * cores) return absl::StrFormat("cores %.2f", all);
  return busiest == 0 ? "waiting" : absl::StrCat("waiting (", who, ")");
}

}  // namespace benchmarks
}  // namespace gearman
