#include "gearman/sdk/internal/metrics/catalogue.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

TEST(MetricsCatalogue, FindsARowByItsName) {
  for (const MetricDescription& row : MetricsCatalogue()) {
    const MetricFamily family = MakeFamily(row.name);
    EXPECT_EQ(family.name, row.name);
    EXPECT_EQ(family.help, row.help);
    EXPECT_EQ(family.type, row.type);
  }
  EXPECT_EQ(MakeFamily("gearman_unknown").help, "");
}

TEST(MetricsCatalogue, HasAReaderForEachMetricOfClientsAndWorkers) {
  for (const MetricDescription& row : MetricsCatalogue()) {
    EXPECT_EQ(row.read == nullptr, row.owner == MetricOwner::kQueues)
        << row.name;
  }
}

TEST(MetricsCatalogue, KeepsToPrometheussRules) {
  std::set<absl::string_view> names;
  for (const MetricDescription& row : MetricsCatalogue()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(absl::StartsWith(row.name, "gearman_")) << row.name;
    EXPECT_EQ(absl::EndsWith(row.name, "_total"),
              row.type == MetricType::kCounter)
        << row.name;
    if (!row.unit.empty()) {
      EXPECT_TRUE(absl::StrContains(row.name, absl::StrCat("_", row.unit)))
          << row.name;
    }
    EXPECT_TRUE(absl::EndsWith(row.help, ".")) << row.name;
    for (const absl::string_view label :
         absl::StrSplit(row.labels, ',', absl::SkipEmpty())) {
      EXPECT_NE(label, "handle") << row.name;
      EXPECT_NE(label, "unique") << row.name;
    }
  }
}

// Each sample of a snapshot in which everything has happened has as many
// labels as its family.
TEST(MetricsCatalogue, IsWhatSnapshotsAreMadeOf) {
  std::set<std::string> seen;
  for (const MetricOwner owner : {MetricOwner::kClient, MetricOwner::kWorker}) {
    MetricsOptions options;
    options.owner = owner;
    Metrics metrics(options);
    TaskMetrics* const task = metrics.ForTask("t");
    task->Submitted(Priority::kNone, SubmitMode::kForeground);
    task->Finished(RequestOutcome::kComplete, absl::Seconds(1));
    task->submit_duration.Observe(absl::Seconds(1));
    task->Processed(WorkOutcome::kComplete, absl::Seconds(1));
    task->late_results.Add();
    ServerMetrics* const server = metrics.ForServer("s");
    server->Reconnected(ReconnectReason::kClosed);
    server->connect_duration.Observe(absl::Seconds(1));
    server->heartbeat_rtt.Observe(absl::Seconds(1));
    server->sent_bytes.Add();
    server->received_bytes.Add();
    metrics.Packet(PacketDirection::kSent, 1);
    metrics.ProtocolError("E");
    metrics.Retried(RetriedOperation::kEcho, FailureReason::kRefused);
    metrics.retry_budget_exhausted.Add();
    metrics.Grabbed(GrabResult::kJob);
    metrics.WokeUp(WakeupCause::kNoop);
    for (const MetricFamily& family :
         metrics.Snapshot(absl::UnixEpoch()).families) {
      seen.insert(family.name);
      for (const MetricSample& sample : family.samples) {
        EXPECT_EQ(sample.label_values.size(), family.label_names.size())
            << family.name;
        EXPECT_EQ(sample.bucket_counts.size(),
                  family.type == MetricType::kHistogram
                      ? family.bucket_bounds.size() + 1
                      : 0)
            << family.name;
      }
    }
  }
  for (const MetricDescription& row : MetricsCatalogue()) {
    // Metrics of queues are in tests/sdk/queue_metrics_test.cc.
    EXPECT_EQ(seen.count(std::string(row.name)),
              row.owner == MetricOwner::kQueues ? 0u : 1u)
        << row.name;
  }
}

}  // namespace
}  // namespace internal
}  // namespace gearman
