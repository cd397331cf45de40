// InMemoryMetrics ("in_memory"): metrics for the program itself to read.
//
//   auto metrics = std::make_shared<gearman::InMemoryMetrics>();
//   options.metrics_sinks.push_back(metrics);
//   ...
//   metrics->Value("gearman_client_jobs_finished_total",
//                  {{"task", "reverse"}, {"outcome", "complete"}});
//
// Asks its clients and workers at the moment of the call, so it is never
// behind; those that have ended are counted on. Thread-safe.
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
  // Label names and the values they must have.
  using Labels =
      std::initializer_list<std::pair<absl::string_view, absl::string_view>>;
  struct Observations {
    uint64_t count = 0;
    double sum = 0;  // in the metric's unit
  };

  // Everything, now.
  MetricsSnapshot Snapshot();
  // The sum of a counter's or gauge's samples that have these labels (all
  // samples when none is given). 0 when nothing has been counted.
  double Value(absl::string_view metric, Labels labels = {});
  // The same for a histogram.
  Observations Observed(absl::string_view metric, Labels labels = {});

  // Snapshots that are pushed here are not needed: the sources are asked.
  void Export(const MetricsSnapshot& /*snapshot*/) override {}
  void Attach(std::shared_ptr<MetricsSource> source) override;
  void Detach(const MetricsSource* source) override;
  absl::string_view name() const override { return "in_memory"; }

 private:
  MetricsCollector collector_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_IN_MEMORY_METRICS_H_
