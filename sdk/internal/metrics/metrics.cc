#include "gearman/sdk/internal/metrics/metrics.h"

#include <atomic>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/version.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// These codes have their own labels, whatever codes peers send.
constexpr absl::string_view kKnownErrorCodes[] = {
    "DATA_LOSS",          "QUEUE_ERROR",    "JOB_NOT_FOUND",
    "ARGUMENT_TOO_LARGE", "INVALID_ARGS",   "UNEXPECTED_PACKET",
    "INVALID_COMMAND",    "UNKNOWN_OPTION", "UNKNOWN_COMMAND"};
// More other codes than any server has. Further codes are counted as "other".
constexpr size_t kMaxOtherErrorCodes = 16;
constexpr double kNanosecondsPerSecond = 1e9;

constexpr absl::string_view kSubmitModes[kSubmitModeCount] = {
    "foreground", "background", "epoch"};
constexpr absl::string_view kRequestOutcomes[kRequestOutcomeCount] = {
    "complete",  "failed", "exception", "timed_out",
    "cancelled", "lost",   "refused"};
constexpr absl::string_view kWorkOutcomes[kWorkOutcomeCount] = {
    "complete", "failed", "exception", "timed_out", "lost"};
constexpr absl::string_view kRetriedOperations[kRetriedOperationCount] = {
    "submit", "status", "echo"};
constexpr absl::string_view kGrabResults[kGrabResultCount] = {"job", "no_job"};
constexpr absl::string_view kWakeupCauses[kWakeupCauseCount] = {
    "noop", "regrab", "registered"};
constexpr absl::string_view kReconnectReasons[kReconnectReasonCount] = {
    "connect_failed", "closed", "failed", "protocol_error", "unresponsive"};
constexpr absl::string_view kPacketDirections[kPacketDirectionCount] = {
    "sent", "received"};

// Appends the samples that have happened.
class FamilyWriter {
 public:
  explicit FamilyWriter(MetricFamily* family) : family_(family) {}

  using Labels = std::initializer_list<absl::string_view>;

  void Add(const Counter& counter, Labels labels) {
    AddCount(counter.value(), labels);
  }
  // Adds the number of observations, as a counter.
  void AddCount(uint64_t count, Labels labels) {
    if (count > 0) AddSample(labels)->value = static_cast<double>(count);
  }
  void Add(const Gauge& gauge, Labels labels) {
    AddSample(labels)->value = static_cast<double>(gauge.value());
  }
  void Add(const Histogram& histogram, Labels labels) {
    // The count is the sum of the buckets that were read, so that the two
    // agree.
    std::vector<uint64_t> buckets(Histogram::kBuckets);
    uint64_t count = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
      buckets[i] = histogram.bucket(i);
      count += buckets[i];
    }
    if (count == 0) return;
    MetricSample* const sample = AddSample(labels);
    sample->bucket_counts = std::move(buckets);
    sample->count = count;
    sample->sum = static_cast<double>(histogram.sum()) / kNanosecondsPerSecond;
  }

 private:
  MetricSample* AddSample(Labels labels) {
    MetricSample& sample = family_->samples.emplace_back();
    for (const absl::string_view label : labels) {
      sample.label_values.push_back(SafeText(label));
    }
    return &sample;
  }

  MetricFamily* const family_;
};

}  // namespace

absl::string_view OutcomeName(RequestOutcome outcome) {
  return kRequestOutcomes[static_cast<size_t>(outcome)];
}

absl::string_view OutcomeName(WorkOutcome outcome) {
  return kWorkOutcomes[static_cast<size_t>(outcome)];
}

uint64_t NextMetricsSource() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Metrics::Metrics(MetricsOptions options)
    : options_(std::move(options)),
      source_(NextMetricsSource()),
      tasks_(options_.max_tasks),
      servers_(options_.max_servers),
      error_codes_(std::size(kKnownErrorCodes) + kMaxOtherErrorCodes) {
  for (const absl::string_view code : kKnownErrorCodes) error_codes_.Get(code);
}

void Metrics::ProtocolError(absl::string_view code) {
  error_codes_.Get(code)->count.Add();
}

MetricsSnapshot Metrics::Snapshot(absl::Time now) const {
  MetricsSnapshot snapshot;
  snapshot.time = now;
  snapshot.source = source_;
  for (const MetricDescription& row : MetricsCatalogue()) {
    if (row.owner != MetricOwner::kBoth && row.owner != options_.owner) {
      continue;
    }
    MetricFamily family = MakeFamily(row);
    AddSamples(row.id, &family);
    if (!family.samples.empty()) {
      snapshot.families.push_back(std::move(family));
    }
  }
  return snapshot;
}

void Metrics::AddSamples(MetricId id, MetricFamily* family) const {
  FamilyWriter writer(family);
  const auto for_each_task = [this](auto&& visit) { tasks_.ForEach(visit); };
  const auto for_each_server = [this](auto&& visit) {
    servers_.ForEach(visit);
  };
  switch (id) {
    case MetricId::kClientJobsSubmitted:
      for_each_task([&](const TaskMetrics& task) {
        for (size_t p = 0; p < task.submitted.size(); ++p) {
          for (size_t m = 0; m < kSubmitModeCount; ++m) {
            writer.Add(task.submitted[p][m],
                       {task.name, PriorityName(static_cast<Priority>(p)),
                        kSubmitModes[m]});
          }
        }
      });
      break;
    case MetricId::kClientJobsFinished:
      for_each_task([&](const TaskMetrics& task) {
        for (size_t i = 0; i < kRequestOutcomeCount; ++i) {
          writer.AddCount(task.job_duration[i].count(),
                          {task.name, kRequestOutcomes[i]});
        }
      });
      break;
    case MetricId::kClientJobDuration:
      for_each_task([&](const TaskMetrics& task) {
        for (size_t i = 0; i < kRequestOutcomeCount; ++i) {
          writer.Add(task.job_duration[i], {task.name, kRequestOutcomes[i]});
        }
      });
      break;
    case MetricId::kClientSubmitDuration:
      for_each_task([&](const TaskMetrics& task) {
        writer.Add(task.submit_duration, {task.name});
      });
      break;
    case MetricId::kClientRetries:
      for (size_t o = 0; o < kRetriedOperationCount; ++o) {
        for (size_t r = 0; r < retries[o].size(); ++r) {
          writer.Add(retries[o][r],
                     {kRetriedOperations[o],
                      FailureReasonName(static_cast<FailureReason>(r))});
        }
      }
      break;
    case MetricId::kClientRetryBudgetExhausted:
      writer.Add(retry_budget_exhausted, {});
      break;
    case MetricId::kClientJobsInFlight:
      for_each_task([&](const TaskMetrics& task) {
        writer.Add(task.in_flight, {task.name});
      });
      break;
    case MetricId::kWorkerJobsProcessed:
      for_each_task([&](const TaskMetrics& task) {
        for (size_t i = 0; i < kWorkOutcomeCount; ++i) {
          writer.AddCount(task.work_duration[i].count(),
                          {task.name, kWorkOutcomes[i]});
        }
      });
      break;
    case MetricId::kWorkerJobDuration:
      for_each_task([&](const TaskMetrics& task) {
        for (size_t i = 0; i < kWorkOutcomeCount; ++i) {
          writer.Add(task.work_duration[i], {task.name, kWorkOutcomes[i]});
        }
      });
      break;
    case MetricId::kWorkerLateResults:
      for_each_task([&](const TaskMetrics& task) {
        writer.Add(task.late_results, {task.name});
      });
      break;
    case MetricId::kWorkerSlotsUsed:
      writer.Add(slots_used, {});
      break;
    case MetricId::kWorkerSlotsAvailable:
      writer.Add(slots_available, {});
      break;
    case MetricId::kWorkerGrabs:
      for (size_t i = 0; i < kGrabResultCount; ++i) {
        writer.Add(grabs[i], {kGrabResults[i]});
      }
      break;
    case MetricId::kWorkerWakeups:
      for (size_t i = 0; i < kWakeupCauseCount; ++i) {
        writer.Add(wakeups[i], {kWakeupCauses[i]});
      }
      break;
    case MetricId::kConnectionUp:
      for_each_server([&](const ServerMetrics& server) {
        writer.Add(server.up, {server.name});
      });
      break;
    case MetricId::kConnectionReconnects:
      for_each_server([&](const ServerMetrics& server) {
        for (size_t i = 0; i < kReconnectReasonCount; ++i) {
          writer.Add(server.reconnects[i], {server.name, kReconnectReasons[i]});
        }
      });
      break;
    case MetricId::kConnectionConnectDuration:
      for_each_server([&](const ServerMetrics& server) {
        writer.Add(server.connect_duration, {server.name});
      });
      break;
    case MetricId::kConnectionHeartbeatRtt:
      for_each_server([&](const ServerMetrics& server) {
        writer.Add(server.heartbeat_rtt, {server.name});
      });
      break;
    case MetricId::kTransportSentBytes:
      for_each_server([&](const ServerMetrics& server) {
        writer.Add(server.sent_bytes, {server.name});
      });
      break;
    case MetricId::kTransportReceivedBytes:
      for_each_server([&](const ServerMetrics& server) {
        writer.Add(server.received_bytes, {server.name});
      });
      break;
    case MetricId::kProtocolPackets:
      for (size_t d = 0; d < kPacketDirectionCount; ++d) {
        for (size_t t = 0; t < kPacketTypeCount; ++t) {
          writer.Add(packets[d][t],
                     {kPacketDirections[d],
                      wire::CommandName(static_cast<uint32_t>(t))});
        }
      }
      break;
    case MetricId::kProtocolErrors:
      error_codes_.ForEach([&](const ErrorCodeMetrics& code) {
        writer.Add(code.count, {code.name});
      });
      break;
    case MetricId::kSdkInfo: {
      Gauge one;
      one.Set(1);
      writer.Add(one, {kVersion, options_.tls});
      break;
    }
    case MetricId::kQueueJobs:
    case MetricId::kQueueJobsRunning:
    case MetricId::kQueueWorkers:
    case MetricId::kServerUp:
      break;  // no client's and no worker's
  }
}

}  // namespace internal
}  // namespace gearman
