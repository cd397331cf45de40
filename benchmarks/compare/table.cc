#include "gearman/benchmarks/compare/table.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace gearman {
namespace benchmarks {
namespace {

// True if one thread of the client's process does the work.
bool OneThread(const Case& c) {
  const bool all_in_it = c.worker.empty() && c.workload.mode != Mode::kHold &&
                         c.workload.mode != Mode::kBackground;
  return c.workload.threads == 1 && c.workload.callbacks == 0 && !all_in_it;
}

class Table {
 public:
  Table(const std::vector<Case>& cases,
        const std::vector<std::vector<Result>>& results, int cores)
      : cases_(cases), results_(results), cores_(cores) {
    for (size_t i = 0; i < cases.size(); ++i) {
      places_[{cases[i].name, cases[i].label}] = i;
    }
  }

  std::string Row(size_t i) const {
    const Case& c = cases_[i];
    const std::vector<Result>& rounds = results_[i];
    const bool timed = c.workload.counted == 0;
    const bool computed = c.client == kOpenssl;
    const std::vector<std::string> cells = {
        c.name,
        c.label,
        timed ? Plain(i, &Result::jobs_per_second) : "",
        timed ? absl::StrFormat("%.0f %%", Spread(rounds)) : "",
        timed ? Beside(i, "libgearman") : "",
        timed ? Beside(i, "bare") : "",
        Number(i, &Result::client_us),
        Number(i, &Result::worker_us),
        Number(i, &Result::server_cores),
        timed && !computed ? Limit(rounds, cores_, OneThread(c)) : "",
        absl::StrJoin(Remarks(i), "; ")};
    return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
  }

 private:
  double Of(size_t i, NumberOfResult field) const {
    return Median(results_[i], field);
  }
  std::string Plain(size_t i, NumberOfResult field) const {
    return absl::StrFormat("%.0f", Of(i, field));
  }
  std::string Number(size_t i, NumberOfResult field) const {
    const double value = Of(i, field);
    return value <= 0 ? "" : absl::StrFormat("%.2f", value);
  }
  // The ratio to the rate of another side with the same name.
  std::string Beside(size_t i, const std::string& label) const {
    const auto other = places_.find({cases_[i].name, label});
    if (other == places_.end() || other->second == i) return "";
    return absl::StrFormat("%.2f",
                           Of(i, &Result::jobs_per_second) /
                               Of(other->second, &Result::jobs_per_second));
  }
  std::vector<std::string> Remarks(size_t i) const {
    const Case& c = cases_[i];
    std::vector<std::string> remarks;
    for (const Ratio& ratio : c.ratios) {
      const auto other = places_.find({ratio.name, ratio.label});
      if (other == places_.end()) continue;  // --only left it out
      double beside = Of(other->second, ratio.field);
      if (!ratio.plus_label.empty()) {
        const auto plus = places_.find({ratio.name, ratio.plus_label});
        if (plus == places_.end()) continue;
        const double more = Of(plus->second, ratio.field);
        beside = ratio.field == &Result::jobs_per_second
                     ? 1 / (1 / beside + 1 / more)
                     : beside + more;
      }
      remarks.push_back(absl::StrFormat("%s %.2f × %s", ratio.what,
                                        Of(i, ratio.field) / beside,
                                        ratio.called));
    }
    if (Of(i, &Result::p50_us) > 0) {
      remarks.push_back(
          absl::StrFormat("%.0f / %.0f / %.0f / %.0f µs",
                          Of(i, &Result::p50_us), Of(i, &Result::p90_us),
                          Of(i, &Result::p99_us), Of(i, &Result::p999_us)));
    }
    if (Of(i, &Result::fast_p99_us) > 0) {
      remarks.push_back(absl::StrFormat("tiny jobs' p99 %.0f µs",
                                        Of(i, &Result::fast_p99_us)));
    }
    if (Of(i, &Result::bytes_per_job) > 0) {
      remarks.push_back(
          absl::StrFormat("%.0f B each", Of(i, &Result::bytes_per_job)));
    }
    const Workload& w = c.workload;
    if (w.busy_us > 0 && w.slow_one_of == 1 && Of(i, &Result::worker_us) > 0) {
      remarks.push_back(absl::StrFormat(
          "handlers have %.2f of the worker's CPU",
          static_cast<double>(w.busy_us) / Of(i, &Result::worker_us)));
    }
    if (c.workload.counted != 0) {
      remarks.push_back(absl::StrFormat(
          "client %.3g calls (%.3g writes), worker %.3g (%.3g)",
          Of(i, &Result::client_calls), Of(i, &Result::client_writes),
          Of(i, &Result::worker_calls), Of(i, &Result::worker_writes)));
    }
    return remarks;
  }

  const std::vector<Case>& cases_;
  const std::vector<std::vector<Result>>& results_;
  const int cores_;
  std::map<std::pair<std::string, std::string>, size_t> places_;
};

}  // namespace

std::string MarkdownTable(const std::vector<Case>& cases,
                          const std::vector<std::vector<Result>>& results,
                          int cores) {
  std::string text =
      "| workload | side | jobs/s | ± | × libgearman | × bare | client µs/job "
      "| worker µs/job | server's cores | limit | also |\n"
      "|---|---|--:|--:|--:|--:|--:|--:|--:|---|---|\n";
  const Table table(cases, results, cores);
  for (size_t i = 0; i < cases.size(); ++i) text += table.Row(i);
  return text;
}

std::string CsvHeader() {
  return absl::StrCat(
      "name,side,round,in_flight,payload_bytes,grabs,threads,workers,"
      "concurrency,rate,jobs,",
      absl::StrJoin(ResultFields(), ",",
                    [](std::string* out, const ResultField& field) {
                      out->append(field.name);
                    }),
      "\n");
}

std::string CsvRow(const Case& measured, int round, const Result& result) {
  const Workload& w = measured.workload;
  return absl::StrCat(
      "\"", measured.name, "\",\"", measured.label, "\",", round, ",",
      w.in_flight, ",", w.payload_bytes, ",", w.grabs, ",", w.threads, ",",
      w.workers, ",", w.concurrency, ",", w.rate, ",", w.jobs, ",",
      absl::StrJoin(ResultFields(), ",",
                    [&result](std::string* out, const ResultField& field) {
                      absl::StrAppendFormat(out, "%.6g", result.*field.field);
                    }),
      "\n");
}

}  // namespace benchmarks
}  // namespace gearman
