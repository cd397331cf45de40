// The catalogue of metrics is the one table of everything that the SDK
// measures. Snapshots are made from it, and docs/metrics.md is checked against
// it.
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

// One value for each row of the table, in its order.
enum class MetricId : unsigned char {
  kClientJobsSubmitted,
  kClientJobsFinished,
  kClientJobDuration,
  kClientSubmitDuration,
  kClientRetries,
  kClientRetryBudgetExhausted,
  kClientJobsInFlight,
  kWorkerJobsProcessed,
  kWorkerJobDuration,
  kWorkerLateResults,
  kWorkerSlotsUsed,
  kWorkerSlotsAvailable,
  kWorkerGrabs,
  kWorkerWakeups,
  kConnectionUp,
  kConnectionReconnects,
  kConnectionConnectDuration,
  kConnectionHeartbeatRtt,
  kTransportSentBytes,
  kTransportReceivedBytes,
  kProtocolPackets,
  kProtocolErrors,
  kSdkInfo,
  kQueueJobs,
  kQueueJobsRunning,
  kQueueWorkers,
  kServerUp,
};

// The objects that have the metric: clients, workers, both, or QueueMetrics
// (sdk/queue_metrics.h).
enum class MetricOwner : unsigned char { kClient, kWorker, kBoth, kQueues };

struct MetricDescription {
  MetricId id;
  MetricOwner owner;
  absl::string_view name;
  MetricType type;
  absl::string_view unit;    // "seconds", "bytes" or ""
  absl::string_view labels;  // comma-separated
  absl::string_view help;
};

absl::Span<const MetricDescription> MetricsCatalogue();

// Returns the family that a row describes, without samples.
MetricFamily MakeFamily(const MetricDescription& row);
MetricFamily MakeFamily(MetricId id);

// Returns the table of docs/metrics.md, in Markdown.
std::string MetricsCatalogueAsMarkdown();

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_CATALOGUE_H_
