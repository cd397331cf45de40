#include "gearman/sdk/internal/metrics/catalogue.h"

#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/internal/metrics/instruments.h"

namespace gearman {
namespace internal {
namespace {

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kHistogram = MetricType::kHistogram;
constexpr MetricOwner kClient = MetricOwner::kClient;
constexpr MetricOwner kWorker = MetricOwner::kWorker;
constexpr MetricOwner kBoth = MetricOwner::kBoth;
constexpr MetricOwner kQueues = MetricOwner::kQueues;

constexpr MetricDescription kCatalogue[] = {
    {MetricId::kClientJobsSubmitted, kClient,
     "gearman_client_jobs_submitted_total", kCounter, "", "task,priority,mode",
     "Jobs submitted, by priority (none, low, high) and mode (foreground, "
     "background, epoch)."},
    {MetricId::kClientJobsFinished, kClient,
     "gearman_client_jobs_finished_total", kCounter, "", "task,outcome",
     "Requests finished: complete (a background job: accepted), failed, "
     "exception, timed_out, cancelled, lost (its server was lost or could not "
     "be reached) or refused (never accepted)."},
    {MetricId::kClientJobDuration, kClient,
     "gearman_client_job_duration_seconds", kHistogram, "seconds",
     "task,outcome", "Time from a job's submission to its end."},
    {MetricId::kClientSubmitDuration, kClient,
     "gearman_client_submit_duration_seconds", kHistogram, "seconds", "task",
     "Time from a job's submission until a server accepted it."},
    {MetricId::kClientRetries, kClient, "gearman_client_retries_total",
     kCounter, "", "operation,reason",
     "Attempts repeated, by operation (submit, status, echo) and what the "
     "attempt before failed of (connect, lost_before_acceptance, "
     "lost_after_acceptance, refused, store_failed, job_failed, exception, "
     "timed_out)."},
    {MetricId::kClientRetryBudgetExhausted, kClient,
     "gearman_client_retry_budget_exhausted_total", kCounter, "", "",
     "Retries that were not made because the retry budget was spent."},
    {MetricId::kClientJobsInFlight, kClient, "gearman_client_jobs_in_flight",
     kGauge, "", "task", "Requests submitted and not finished."},
    {MetricId::kWorkerJobsProcessed, kWorker,
     "gearman_worker_jobs_processed_total", kCounter, "", "task,outcome",
     "Jobs processed: complete, failed, exception, timed_out (the task's time "
     "limit passed) or lost (the connection ended before the answer left)."},
    {MetricId::kWorkerJobDuration, kWorker,
     "gearman_worker_job_duration_seconds", kHistogram, "seconds",
     "task,outcome", "Time from a job's assignment to its answer."},
    {MetricId::kWorkerLateResults, kWorker, "gearman_worker_late_results_total",
     kCounter, "", "task",
     "Results dropped because the job had been answered or lost already."},
    {MetricId::kWorkerSlotsUsed, kWorker, "gearman_worker_slots_used", kGauge,
     "", "", "Handlers running now."},
    {MetricId::kWorkerSlotsAvailable, kWorker, "gearman_worker_slots_available",
     kGauge, "", "", "Handlers that may still be started."},
    {MetricId::kWorkerGrabs, kWorker, "gearman_worker_grabs_total", kCounter,
     "", "result", "Grabs answered, by result (job, no_job)."},
    {MetricId::kWorkerWakeups, kWorker, "gearman_worker_wakeups_total",
     kCounter, "", "cause",
     "Times an idle worker grabbed again, by cause (noop, regrab, "
     "registered)."},
    {MetricId::kConnectionUp, kBoth, "gearman_connection_up", kGauge, "",
     "server", "Connections to the server that are up."},
    {MetricId::kConnectionReconnects, kBoth,
     "gearman_connection_reconnects_total", kCounter, "", "server,reason",
     "Connections lost, by what ended them (connect_failed, closed, failed, "
     "protocol_error, unresponsive); those that the client or worker closes "
     "itself (idle, old, its server removed) do not count."},
    {MetricId::kConnectionConnectDuration, kBoth,
     "gearman_connection_connect_duration_seconds", kHistogram, "seconds",
     "server", "Time to establish a connection, name look-up included."},
    {MetricId::kConnectionHeartbeatRtt, kBoth,
     "gearman_connection_heartbeat_rtt_seconds", kHistogram, "seconds",
     "server", "Round-trip time of a heartbeat."},
    {MetricId::kTransportSentBytes, kBoth, "gearman_transport_sent_bytes_total",
     kCounter, "bytes", "server", "Bytes handed to the transport."},
    {MetricId::kTransportReceivedBytes, kBoth,
     "gearman_transport_received_bytes_total", kCounter, "bytes", "server",
     "Bytes received from the transport."},
    {MetricId::kProtocolPackets, kBoth, "gearman_protocol_packets_total",
     kCounter, "", "direction,type",
     "Packets by direction (sent, received) and name (SUBMIT_JOB, ...)."},
    {MetricId::kProtocolErrors, kBoth, "gearman_protocol_errors_total",
     kCounter, "", "code",
     "ERROR packets received, by code; DATA_LOSS: input that broke the "
     "protocol."},
    {MetricId::kSdkInfo, kBoth, "gearman_sdk_info", kGauge, "", "version,tls",
     "Always 1; the labels tell the SDK's version and TLS library."},
    {MetricId::kQueueJobs, kQueues, "gearman_jobs", kGauge, "", "task,server",
     "Jobs that the server has, queued and running (QueueMetrics asks)."},
    {MetricId::kQueueJobsRunning, kQueues, "gearman_jobs_running", kGauge, "",
     "task,server",
     "Jobs of the server that workers have (QueueMetrics asks)."},
    {MetricId::kQueueWorkers, kQueues, "gearman_workers", kGauge, "",
     "task,server",
     "Workers at the server that can do the task (QueueMetrics asks)."},
    {MetricId::kServerUp, kQueues, "gearman_server_up", kGauge, "", "server",
     "1 when the server answered the last time, else 0 (QueueMetrics asks)."},
};

std::vector<double> BoundsInSeconds() {
  std::vector<double> bounds;
  bounds.reserve(Histogram::kBounds.size());
  for (const int64_t bound : Histogram::kBounds) {
    bounds.push_back(static_cast<double>(bound) / 1e9);
  }
  return bounds;
}

}  // namespace

absl::Span<const MetricDescription> MetricsCatalogue() { return kCatalogue; }

MetricFamily MakeFamily(const MetricDescription& row) {
  MetricFamily family;
  family.name = std::string(row.name);
  family.help = std::string(row.help);
  family.type = row.type;
  family.unit = std::string(row.unit);
  family.label_names = absl::StrSplit(row.labels, ',', absl::SkipEmpty());
  if (row.type == MetricType::kHistogram) {
    family.bucket_bounds = BoundsInSeconds();
  }
  return family;
}

MetricFamily MakeFamily(MetricId id) {
  return MakeFamily(kCatalogue[static_cast<size_t>(id)]);
}

std::string MetricsCatalogueAsMarkdown() {
  std::string table =
      "| name | type | unit | labels | meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const MetricDescription& row : kCatalogue) {
    absl::StrAppend(
        &table, "| `", row.name, "` | ", MetricTypeName(row.type), " | ",
        row.unit.empty() ? "-" : row.unit, " | ",
        row.labels.empty()
            ? std::string("-")
            : absl::StrCat(
                  "`", absl::StrReplaceAll(row.labels, {{",", "`, `"}}), "`"),
        " | ", row.help, " |\n");
  }
  return table;
}

}  // namespace internal
}  // namespace gearman
