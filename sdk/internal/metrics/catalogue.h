// The catalogue of metrics is the one table of everything that the SDK
// measures. Snapshots are made from it, and docs/guide/metrics.md is checked against
// it. A new metric is an instrument in metrics.h and a row here.
//
// Names, units and labels follow Prometheus: base units, `_total` for counters,
// and only labels with a bounded number of values (task, server, outcome,
// reason; never a handle or unique).
#ifndef GEARMAN_SDK_INTERNAL_METRICS_CATALOGUE_H_
#define GEARMAN_SDK_INTERNAL_METRICS_CATALOGUE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"

namespace gearman {
namespace internal {

class Metrics;

// The objects that have the metric: clients, workers, both, or QueueMetrics
// (sdk/queue_metrics.h).
enum class MetricOwner : unsigned char { kClient, kWorker, kBoth, kQueues };

struct MetricDescription {
  MetricOwner owner;
  absl::string_view name;
  MetricType type;
  absl::string_view unit;    // "seconds", "bytes" or ""
  absl::string_view labels;  // comma-separated
  absl::string_view help;
  // Appends the metric's samples to its family (read_samples.h). Null for
  // metrics of QueueMetrics, which appends them itself.
  void (*read)(const Metrics& metrics, MetricFamily* family);
};

// The names of QueueMetrics's metrics.
inline constexpr absl::string_view kQueueJobs = "gearman_jobs";
inline constexpr absl::string_view kQueueJobsRunning = "gearman_jobs_running";
inline constexpr absl::string_view kQueueWorkers = "gearman_workers";
inline constexpr absl::string_view kServerUp = "gearman_server_up";

absl::Span<const MetricDescription> MetricsCatalogue();

// Returns the family that a row describes, without samples.
MetricFamily MakeFamily(const MetricDescription& row);
// Returns the family of the row with that name, or, if there is none, a counter
// without help.
MetricFamily MakeFamily(absl::string_view name);

// Returns the table of docs/guide/metrics.md, in Markdown.
std::string MetricsCatalogueAsMarkdown();

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_CATALOGUE_H_
