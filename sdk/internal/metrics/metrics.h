// Metrics has everything that one client or worker counts.
//
// The instruments are public members. The code that knows a fact adds it, one
// thread at a time (instruments.h), and any thread takes snapshots. This class
// calls no plugin; sinks get snapshots (metrics_exporter.h). Without sinks a
// client has no Metrics, at the cost of one test of a null pointer.
//
// Task and server records are looked up by name without a lock and live as long
// as the Metrics. Keep the pointer with the request or connection.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_METRICS_H_
#define GEARMAN_SDK_INTERNAL_METRICS_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/priority.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gearman/sdk/internal/metrics/instruments.h"
#include "gearman/sdk/internal/metrics/intern_table.h"
#include "gearman/sdk/internal/metrics/label_values.h"
#include "gearman/sdk/internal/metrics/measured.h"

namespace gearman {
namespace internal {

// --- records ----------------------------------------------------------------

struct TaskMetrics {
  explicit TaskMetrics(absl::string_view task) : name(task) {}

  const std::string name;

  // For clients.
  void Submitted(Priority priority, SubmitMode mode) {
    submitted[static_cast<size_t>(priority)][static_cast<size_t>(mode)].Add();
    in_flight.Add(1);
  }
  // `duration` is from the submission to the end.
  void Finished(RequestOutcome outcome, absl::Duration duration) {
    job_duration[static_cast<size_t>(outcome)].Observe(duration);
    in_flight.Add(-1);
  }
  std::array<std::array<Counter, kSubmitModeCount>, kPriorityCount> submitted;
  std::array<Histogram, kRequestOutcomeCount>
      job_duration;           // counts finished, too
  Histogram submit_duration;  // from the submission to JOB_CREATED
  Gauge in_flight;

  // For workers. `duration` is from the assignment to the answer.
  void Processed(WorkOutcome outcome, absl::Duration duration) {
    work_duration[static_cast<size_t>(outcome)].Observe(duration);
  }
  std::array<Histogram, kWorkOutcomeCount> work_duration;  // counts processed
  Counter late_results;  // dropped: the job had been answered or lost
};

struct ServerMetrics {
  explicit ServerMetrics(absl::string_view address) : name(address) {}

  const std::string name;

  void Reconnected(ReconnectReason reason) {
    reconnects[static_cast<size_t>(reason)].Add();
  }
  Gauge up;  // connections that are up
  std::array<Counter, kReconnectReasonCount> reconnects;
  Histogram connect_duration;
  Histogram heartbeat_rtt;
  Counter sent_bytes;
  Counter received_bytes;
};

struct ErrorCodeMetrics {
  explicit ErrorCodeMetrics(absl::string_view code) : name(code) {}

  const std::string name;

  Counter count;
};

// --- all of it --------------------------------------------------------------

struct MetricsOptions {
  MetricOwner owner = MetricOwner::kClient;  // never kBoth
  // The number of tasks and servers that have their own records. Others share
  // "other".
  size_t max_tasks = 100;
  size_t max_servers = 100;
  // The TLS library in use, for gearman_sdk_info.
  std::string tls = "none";
};

class Metrics : public Measured {
 public:
  explicit Metrics(MetricsOptions options);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Returns the record of a task or of a server's address. Any thread. Takes no
  // lock if the name is known.
  TaskMetrics* ForTask(absl::string_view task) { return tasks_.Get(task); }
  ServerMetrics* ForServer(absl::string_view address) {
    return servers_.Get(address);
  }

  // For both.
  void Packet(PacketDirection direction, uint32_t type) {
    packets[static_cast<size_t>(direction)][type < kPacketTypeCount ? type : 0]
        .Add();
  }
  // Counts an ERROR packet by its code, or DATA_LOSS for a packet that could
  // not be decoded.
  void ProtocolError(absl::string_view code);
  std::array<std::array<Counter, kPacketTypeCount>, kPacketDirectionCount>
      packets;

  // For clients.
  void Retried(RetriedOperation operation, FailureReason reason) {
    retries[static_cast<size_t>(operation)][static_cast<size_t>(reason)].Add();
  }
  std::array<std::array<Counter, kFailureReasonCount>, kRetriedOperationCount>
      retries;
  Counter retry_budget_exhausted;

  // For workers.
  void Grabbed(GrabResult result) { grabs[static_cast<size_t>(result)].Add(); }
  void WokeUp(WakeupCause cause) { wakeups[static_cast<size_t>(cause)].Add(); }
  Gauge slots_used;
  Gauge slots_available;
  std::array<Counter, kGrabResultCount> grabs;
  std::array<Counter, kWakeupCauseCount> wakeups;

  // Calls `visit(const Record&)` for each TaskMetrics, ServerMetrics or
  // ErrorCodeMetrics. Any thread.
  template <typename Record, typename Visit>
  void ForEach(const Visit& visit) const {
    std::get<const InternTable<Record>&>(
        std::tie(tasks_, servers_, error_codes_))
        .ForEach(visit);
  }
  const std::string& tls() const { return options_.tls; }

  // Returns every family of this owner that has a sample. A combination of
  // labels appears once it has happened. Any thread.
  MetricsSnapshot Snapshot(absl::Time now) const override;

 private:
  const MetricsOptions options_;
  const uint64_t source_;
  InternTable<TaskMetrics> tasks_;
  InternTable<ServerMetrics> servers_;
  InternTable<ErrorCodeMetrics> error_codes_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_METRICS_H_
