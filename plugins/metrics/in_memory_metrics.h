// InMemoryMetrics ("in_memory"): metrics that the program itself reads.
//
//   auto metrics = std::make_shared<gearman::InMemoryMetrics>();
//   options.metrics_sinks.push_back(metrics);
//   ...
//   metrics->Value("gearman_client_jobs_finished_total",
//                  {{"task", "reverse"}, {"outcome", "complete"}});
//
// Each call asks the clients and workers, so the values are current. The totals
// of a client or worker that has ended stay included. The sink is thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_IN_MEMORY_METRICS_H_
#define GEARMAN_PLUGINS_METRICS_IN_MEMORY_METRICS_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "gearman/plugins/metrics/metrics_collector.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace gearman {

class InMemoryMetrics : public MetricsSink {
 public:
  // Label names, with the values that the labels must have.
  using Labels =
      std::initializer_list<std::pair<absl::string_view, absl::string_view>>;
  // The observations of a histogram.
  struct Observations {
    uint64_t count = 0;  // the number of observations
    double sum = 0;      // in the metric's unit
  };

  // Returns all metrics now.
  MetricsSnapshot Snapshot();
  // Returns the sum of the samples of a counter or gauge that have these
  // labels; of all samples if no labels are given. 0 if nothing has been
  // counted.
  double Value(absl::string_view metric, Labels labels = {});
  // Returns the number and the sum of a histogram's observations, likewise.
  Observations Observed(absl::string_view metric, Labels labels = {});

  // Does nothing, because the sources are asked instead.
  void Export(const MetricsSnapshot& /*snapshot*/) override {}
  void Attach(std::shared_ptr<MetricsSource> source) override;
  void Detach(const MetricsSource* source) override;
  absl::string_view name() const override { return "in_memory"; }

 private:
  MetricsCollector collector_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_IN_MEMORY_METRICS_H_
