#include "gearman/sdk/internal/metrics/catalogue.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gearman/codecs/priority.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/internal/metrics/instruments.h"
#include "gearman/sdk/internal/metrics/label_values.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/metrics/read_samples.h"
#include "gearman/sdk/version.h"
#include "gearman/text/safe_text.h"

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

// gearman_sdk_info is no instrument: its labels are what it tells.
void ReadSdkInfo(const Metrics& metrics, MetricFamily* family) {
  MetricSample& sample = family->samples.emplace_back();
  sample.label_values = {SafeText(kVersion), SafeText(metrics.tls())};
  sample.value = 1;
}

constexpr MetricDescription kCatalogue[] = {
    {kClient, "gearman_client_jobs_submitted_total", kCounter, "",
     "task,priority,mode",
     "Jobs submitted, by priority (none, low, high) and mode (foreground, "
     "background, epoch).",
     ReadSamples<&TaskMetrics::submitted, PriorityName, kSubmitModes>},
    {kClient, "gearman_client_jobs_finished_total", kCounter, "",
     "task,outcome",
     "Requests finished: complete (a background job: accepted), failed, "
     "exception, timed_out, cancelled, lost (its server was lost or could not "
     "be reached) or refused (never accepted).",
     ReadSamples<&TaskMetrics::job_duration, kRequestOutcomes>},
    {kClient, "gearman_client_job_duration_seconds", kHistogram, "seconds",
     "task,outcome", "Time from a job's submission to its end.",
     ReadSamples<&TaskMetrics::job_duration, kRequestOutcomes>},
    {kClient, "gearman_client_submit_duration_seconds", kHistogram, "seconds",
     "task", "Time from a job's submission until a server accepted it.",
     ReadSamples<&TaskMetrics::submit_duration>},
    {kClient, "gearman_client_retries_total", kCounter, "", "operation,reason",
     "Attempts repeated, by operation (submit, status, echo) and why the "
     "attempt before failed (connect, lost_before_acceptance, "
     "lost_after_acceptance, refused, store_failed, job_failed, exception, "
     "timed_out).",
     ReadSamples<&Metrics::retries, kRetriedOperations, FailureReasonName>},
    {kClient, "gearman_client_retry_budget_exhausted_total", kCounter, "", "",
     "Retries that were not made because the retry budget was spent.",
     ReadSamples<&Metrics::retry_budget_exhausted>},
    {kClient, "gearman_client_jobs_in_flight", kGauge, "", "task",
     "Requests submitted and not finished.",
     ReadSamples<&TaskMetrics::in_flight>},
    {kWorker, "gearman_worker_jobs_processed_total", kCounter, "",
     "task,outcome",
     "Jobs processed: complete, failed, exception, timed_out (the task's time "
     "limit passed) or lost (the connection ended before the answer left).",
     ReadSamples<&TaskMetrics::work_duration, kWorkOutcomes>},
    {kWorker, "gearman_worker_job_duration_seconds", kHistogram, "seconds",
     "task,outcome", "Time from a job's assignment to its answer.",
     ReadSamples<&TaskMetrics::work_duration, kWorkOutcomes>},
    {kWorker, "gearman_worker_late_results_total", kCounter, "", "task",
     "Results dropped because the job had been answered or lost already.",
     ReadSamples<&TaskMetrics::late_results>},
    {kWorker, "gearman_worker_slots_used", kGauge, "", "",
     "Handlers running now.", ReadSamples<&Metrics::slots_used>},
    {kWorker, "gearman_worker_slots_available", kGauge, "", "",
     "Handlers that may still be started.",
     ReadSamples<&Metrics::slots_available>},
    {kWorker, "gearman_worker_grabs_total", kCounter, "", "result",
     "Grabs answered, by result (job, no_job).",
     ReadSamples<&Metrics::grabs, kGrabResults>},
    {kWorker, "gearman_worker_wakeups_total", kCounter, "", "cause",
     "Times an idle worker grabbed again, by cause (noop, regrab, "
     "registered).",
     ReadSamples<&Metrics::wakeups, kWakeupCauses>},
    {kBoth, "gearman_connection_up", kGauge, "", "server",
     "Connections to the server that are up.", ReadSamples<&ServerMetrics::up>},
    {kBoth, "gearman_connection_reconnects_total", kCounter, "",
     "server,reason",
     "Connections lost, by what ended them (connect_failed, closed, failed, "
     "protocol_error, unresponsive); those that the client or worker closes "
     "itself (idle, old, its server removed) do not count.",
     ReadSamples<&ServerMetrics::reconnects, kReconnectReasons>},
    {kBoth, "gearman_connection_connect_duration_seconds", kHistogram,
     "seconds", "server",
     "Time to establish a connection, name look-up included.",
     ReadSamples<&ServerMetrics::connect_duration>},
    {kBoth, "gearman_connection_heartbeat_rtt_seconds", kHistogram, "seconds",
     "server", "Round-trip time of a heartbeat.",
     ReadSamples<&ServerMetrics::heartbeat_rtt>},
    {kBoth, "gearman_transport_sent_bytes_total", kCounter, "bytes", "server",
     "Bytes handed to the transport.", ReadSamples<&ServerMetrics::sent_bytes>},
    {kBoth, "gearman_transport_received_bytes_total", kCounter, "bytes",
     "server", "Bytes received from the transport.",
     ReadSamples<&ServerMetrics::received_bytes>},
    {kBoth, "gearman_protocol_packets_total", kCounter, "", "direction,type",
     "Packets by direction (sent, received) and name (SUBMIT_JOB, ...).",
     ReadSamples<&Metrics::packets, kPacketDirections, wire::CommandName>},
    {kBoth, "gearman_protocol_errors_total", kCounter, "", "code",
     "ERROR packets received, by code; DATA_LOSS: input that broke the "
     "protocol.",
     ReadSamples<&ErrorCodeMetrics::count>},
    {kBoth, "gearman_sdk_info", kGauge, "", "version,tls",
     "Always 1; the labels tell the SDK's version and TLS library.",
     ReadSdkInfo},
    {kQueues, kQueueJobs, kGauge, "", "task,server",
     "Jobs that the server has, queued and running (QueueMetrics asks).",
     nullptr},
    {kQueues, kQueueJobsRunning, kGauge, "", "task,server",
     "Jobs of the server that workers have (QueueMetrics asks).", nullptr},
    {kQueues, kQueueWorkers, kGauge, "", "task,server",
     "Workers at the server that can do the task (QueueMetrics asks).",
     nullptr},
    {kQueues, kServerUp, kGauge, "", "server",
     "1 when the server answered the last time, else 0 (QueueMetrics asks).",
     nullptr},
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

MetricFamily MakeFamily(absl::string_view name) {
  for (const MetricDescription& row : kCatalogue) {
    if (row.name == name) return MakeFamily(row);
  }
  MetricFamily unknown;
  unknown.name = std::string(name);
  return unknown;
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
