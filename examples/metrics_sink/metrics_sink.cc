// A metrics sink of the program's own: it writes the counters that have grown
// as lines of CSV.
//
//   metrics_sink [SERVER]... >counters.csv
#include "gearman/plugins/metrics/metrics_sink.h"

#include <iostream>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/status.h"
#include "gearman/sdk/worker.h"

namespace {

// One sink may serve several clients and workers at once: hence the mutex, and
// the source's number in each line.
class CsvMetrics : public gearman::MetricsSink {
 public:
  // `out` must outlive the sink, and every client and worker that uses it.
  explicit CsvMetrics(std::ostream& out) : out_(out) {
    out_ << "time,source,metric,labels,added\n";
  }

  void Export(const gearman::MetricsSnapshot& snapshot) override {
    const absl::MutexLock lock(&mutex_);
    for (const gearman::MetricFamily& family : snapshot.families) {
      if (family.type != gearman::MetricType::kCounter) continue;
      for (const gearman::MetricSample& sample : family.samples) {
        const std::string line =
            absl::StrCat(snapshot.source, ",", family.name, ",\"",
                         absl::StrJoin(sample.label_values, " "), "\",");
        double& written = written_[line];
        if (sample.value == written) continue;
        out_ << absl::FormatTime(absl::RFC3339_sec, snapshot.time,
                                 absl::UTCTimeZone())
             << "," << line << sample.value - written << "\n";
        written = sample.value;
      }
    }
    out_.flush();
  }
  // At the end of a client or worker there is one more export.
  absl::Duration interval() const override { return absl::Minutes(1); }
  absl::string_view name() const override { return "csv"; }

 private:
  absl::Mutex mutex_;
  std::ostream& out_ ABSL_GUARDED_BY(mutex_);
  // The total that each line has told so far.
  std::map<std::string, double> written_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::string> Half(gearman::JobContext& context) {
  const std::string_view data = context.job().data();
  if (data.size() % 2 != 0) return absl::InvalidArgumentError("an odd size");
  return std::string(data.substr(0, data.size() / 2));
}

absl::Status Run(const std::vector<std::string>& servers) {
  const auto sink = std::make_shared<CsvMetrics>(std::cout);
  gearman::WorkerOptions worker_options;
  gearman::ClientOptions client_options;
  worker_options.servers = client_options.servers = servers;
  worker_options.metrics_sinks = client_options.metrics_sinks = {sink};
  const auto worker = gearman::Worker::Create(worker_options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("half", Half);
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();
  for (const char* const data : {"even", "eveneven", "odd"}) {
    const auto result = (*client)->Run("half", data);
    if (!result.ok() && !gearman::GetStatusFacts(result.status()).failed) {
      return result.status();  // not the job's failure
    }
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
