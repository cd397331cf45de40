#include "gearman/sdk/internal/metrics/metrics.h"

#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/version.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

MetricsOptions Of(MetricOwner owner) {
  MetricsOptions options;
  options.owner = owner;
  return options;
}

// A counter's or gauge's value; -1 when there is no such sample.
double Value(const Metrics& metrics, absl::string_view name,
             std::vector<absl::string_view> labels) {
  const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
  const MetricFamily* const family = snapshot.Find(name);
  if (family == nullptr) return -1;
  const MetricSample* const sample = family->Find(labels);
  return sample == nullptr ? -1 : sample->value;
}

TEST(Metrics, CountsSubmissionsByTaskPriorityAndMode) {
  Metrics metrics(Of(MetricOwner::kClient));
  metrics.ForTask("reverse")->Submitted(Priority::kHigh,
                                        SubmitMode::kBackground);
  metrics.ForTask("reverse")->Submitted(Priority::kHigh,
                                        SubmitMode::kBackground);
  metrics.ForTask("reverse")->Submitted(Priority::kNone, SubmitMode::kEpoch);
  constexpr absl::string_view kName = "gearman_client_jobs_submitted_total";
  EXPECT_EQ(Value(metrics, kName, {"reverse", "high", "background"}), 2);
  EXPECT_EQ(Value(metrics, kName, {"reverse", "none", "epoch"}), 1);
}

TEST(Metrics, EveryTaskHasALabelOfItsOwnThatIsSafeText) {
  Metrics metrics(Of(MetricOwner::kClient));
  for (const support::HostileName& name : support::HostileNames()) {
    metrics.ForTask(name.name)->Submitted(Priority::kNone,
                                          SubmitMode::kForeground);
    metrics.ProtocolError(name.name);
  }
  constexpr absl::string_view kName = "gearman_client_jobs_submitted_total";
  for (const support::HostileName& name : support::HostileNames()) {
    EXPECT_EQ(Value(metrics, kName, {name.safe, "none", "foreground"}), 1)
        << name.safe;
  }
  const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
  for (const MetricFamily& family : snapshot.families) {
    for (const MetricSample& sample : family.samples) {
      for (const std::string& label : sample.label_values) {
        EXPECT_TRUE(IsSafeLine(label)) << label;
      }
    }
  }
  // The lines are for people and logs.
  EXPECT_TRUE(support::IsSafeLines(ToString(snapshot))) << ToString(snapshot);
}

TEST(Metrics, CodesThatPeersInventHideNoKnownOne) {
  Metrics metrics(Of(MetricOwner::kClient));
  for (int i = 0; i < 100; ++i) {
    metrics.ProtocolError(absl::StrCat("CODE_", i));
  }
  metrics.ProtocolError("QUEUE_ERROR");
  EXPECT_EQ(Value(metrics, "gearman_protocol_errors_total", {"QUEUE_ERROR"}),
            1);
}

TEST(Metrics, ShowsACombinationOfLabelsOnceItHasHappened) {
  Metrics metrics(Of(MetricOwner::kClient));
  metrics.ForTask("reverse")->Submitted(Priority::kLow,
                                        SubmitMode::kForeground);
  const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
  EXPECT_EQ(
      snapshot.Find("gearman_client_jobs_submitted_total")->samples.size(), 1u);
  EXPECT_EQ(snapshot.Find("gearman_client_retries_total"), nullptr);
}

TEST(Metrics, KeepsTheNumberInFlight) {
  Metrics metrics(Of(MetricOwner::kClient));
  TaskMetrics* const task = metrics.ForTask("reverse");
  task->Submitted(Priority::kNone, SubmitMode::kForeground);
  task->Submitted(Priority::kNone, SubmitMode::kForeground);
  task->Finished(RequestOutcome::kLost, absl::Seconds(1));
  EXPECT_EQ(Value(metrics, "gearman_client_jobs_in_flight", {"reverse"}), 1);
}

TEST(Metrics, CountsAndTimesWhatHasFinishedByOutcome) {
  Metrics metrics(Of(MetricOwner::kClient));
  TaskMetrics* const task = metrics.ForTask("reverse");
  task->Finished(RequestOutcome::kComplete, absl::Milliseconds(2));
  task->Finished(RequestOutcome::kComplete, absl::Seconds(3));
  task->Finished(RequestOutcome::kTimedOut, absl::Seconds(9));
  EXPECT_EQ(Value(metrics, "gearman_client_jobs_finished_total",
                  {"reverse", "complete"}),
            2);
  EXPECT_EQ(Value(metrics, "gearman_client_jobs_finished_total",
                  {"reverse", "timed_out"}),
            1);
  const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
  const MetricSample* const sample =
      snapshot.Find("gearman_client_job_duration_seconds")
          ->Find({"reverse", "complete"});
  ASSERT_NE(sample, nullptr);
  EXPECT_EQ(sample->count, 2u);
  EXPECT_DOUBLE_EQ(sample->sum, 3.002);
}

TEST(Metrics, CountsAWorkersSide) {
  Metrics metrics(Of(MetricOwner::kWorker));
  metrics.ForTask("reverse")->Processed(WorkOutcome::kException,
                                        absl::Seconds(1));
  metrics.ForTask("reverse")->late_results.Add();
  metrics.Grabbed(GrabResult::kNoJob);
  metrics.WokeUp(WakeupCause::kRegrab);
  metrics.slots_used.Set(3);
  metrics.slots_available.Set(5);
  EXPECT_EQ(Value(metrics, "gearman_worker_jobs_processed_total",
                  {"reverse", "exception"}),
            1);
  EXPECT_EQ(Value(metrics, "gearman_worker_late_results_total", {"reverse"}),
            1);
  EXPECT_EQ(Value(metrics, "gearman_worker_grabs_total", {"no_job"}), 1);
  EXPECT_EQ(Value(metrics, "gearman_worker_wakeups_total", {"regrab"}), 1);
  EXPECT_EQ(Value(metrics, "gearman_worker_slots_used", {}), 3);
  EXPECT_EQ(Value(metrics, "gearman_worker_slots_available", {}), 5);
}

TEST(Metrics, LeavesOutWhatItsOwnerDoesNotHave) {
  for (const MetricOwner owner : {MetricOwner::kClient, MetricOwner::kWorker}) {
    Metrics metrics(Of(owner));
    metrics.ForTask("reverse");
    const absl::string_view other =
        owner == MetricOwner::kClient ? "gearman_worker_" : "gearman_client_";
    for (const MetricFamily& family :
         metrics.Snapshot(absl::UnixEpoch()).families) {
      EXPECT_FALSE(absl::StartsWith(family.name, other)) << family.name;
    }
  }
}

TEST(Metrics, CountsByServer) {
  Metrics metrics(Of(MetricOwner::kClient));
  ServerMetrics* const server = metrics.ForServer("tcp://a:4730");
  server->up.Set(1);
  server->sent_bytes.Add(100);
  server->received_bytes.Add(50);
  server->Reconnected(ReconnectReason::kUnresponsive);
  server->connect_duration.Observe(absl::Milliseconds(1));
  server->heartbeat_rtt.Observe(absl::Milliseconds(1));
  EXPECT_EQ(Value(metrics, "gearman_connection_up", {"tcp://a:4730"}), 1);
  EXPECT_EQ(
      Value(metrics, "gearman_transport_sent_bytes_total", {"tcp://a:4730"}),
      100);
  EXPECT_EQ(Value(metrics, "gearman_transport_received_bytes_total",
                  {"tcp://a:4730"}),
            50);
  EXPECT_EQ(Value(metrics, "gearman_connection_reconnects_total",
                  {"tcp://a:4730", "unresponsive"}),
            1);
}

TEST(Metrics, NamesPacketsAsTheProtocolDoes) {
  Metrics metrics(Of(MetricOwner::kClient));
  metrics.Packet(PacketDirection::kSent, 7);
  for (int i = 0; i < 3; ++i) metrics.Packet(PacketDirection::kReceived, 8);
  constexpr absl::string_view kName = "gearman_protocol_packets_total";
  EXPECT_EQ(Value(metrics, kName, {"sent", "SUBMIT_JOB"}), 1);
  EXPECT_EQ(Value(metrics, kName, {"received", "JOB_CREATED"}), 3);
}

TEST(Metrics, GivesEveryPacketTypeALabelOfItsOwn) {
  Metrics metrics(Of(MetricOwner::kClient));
  for (uint32_t type = 0; type < kPacketTypeCount; ++type) {
    metrics.Packet(PacketDirection::kSent, type);
  }
  std::set<std::string> names;
  const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
  for (const MetricSample& sample :
       snapshot.Find("gearman_protocol_packets_total")->samples) {
    EXPECT_FALSE(sample.label_values[1].empty());
    names.insert(sample.label_values[1]);
  }
  EXPECT_EQ(names.size(), kPacketTypeCount);
}

TEST(Metrics, CountsErrorsByCodeAndBoundsTheCodes) {
  Metrics metrics(Of(MetricOwner::kClient));
  metrics.ProtocolError("QUEUE_ERROR");
  for (int i = 0; i < 100; ++i) metrics.ProtocolError(absl::StrCat("X", i));
  EXPECT_EQ(Value(metrics, "gearman_protocol_errors_total", {"QUEUE_ERROR"}),
            1);
  EXPECT_EQ(Value(metrics, "gearman_protocol_errors_total", {"other"}), 84);
}

TEST(Metrics, CountsRetriesByOperationAndReason) {
  Metrics metrics(Of(MetricOwner::kClient));
  metrics.Retried(RetriedOperation::kSubmit, FailureReason::kConnect);
  metrics.retry_budget_exhausted.Add();
  EXPECT_EQ(
      Value(metrics, "gearman_client_retries_total", {"submit", "connect"}), 1);
  EXPECT_EQ(Value(metrics, "gearman_client_retry_budget_exhausted_total", {}),
            1);
}

TEST(Metrics, TellsVersionAndTlsLibrary) {
  MetricsOptions options = Of(MetricOwner::kClient);
  options.tls = "openssl";
  EXPECT_EQ(Value(Metrics(options), "gearman_sdk_info", {kVersion, "openssl"}),
            1);
}

TEST(Metrics, CountsTasksBeyondTheLimitAsOther) {
  MetricsOptions options = Of(MetricOwner::kClient);
  options.max_tasks = 2;
  Metrics metrics(options);
  for (const char* task : {"a", "b", "c", "d", "other"}) {
    metrics.ForTask(task)->Submitted(Priority::kNone, SubmitMode::kForeground);
  }
  constexpr absl::string_view kName = "gearman_client_jobs_in_flight";
  EXPECT_EQ(Value(metrics, kName, {"a"}), 1);
  EXPECT_EQ(Value(metrics, kName, {"b"}), 1);
  EXPECT_EQ(Value(metrics, kName, {"c"}), -1);
  EXPECT_EQ(Value(metrics, kName, {"other"}), 3);
  EXPECT_EQ(metrics.Snapshot(absl::UnixEpoch()).Find(kName)->samples.size(),
            3u);
}

TEST(Metrics, CountsEverythingAsOtherWithALimitOfNone) {
  MetricsOptions options = Of(MetricOwner::kClient);
  options.max_tasks = 0;
  Metrics metrics(options);
  EXPECT_EQ(metrics.ForTask("a"), metrics.ForTask("b"));
}

TEST(Metrics, ReturnsTheSameRecordForTheSameName) {
  Metrics metrics(Of(MetricOwner::kClient));
  TaskMetrics* const first = metrics.ForTask("reverse");
  for (int i = 0; i < 99; ++i) metrics.ForTask(absl::StrCat("task", i));
  EXPECT_EQ(metrics.ForTask("reverse"), first);
  EXPECT_EQ(first->name, "reverse");
}

TEST(Metrics, HaveEachASourceOfTheirOwn) {
  Metrics one(Of(MetricOwner::kClient));
  Metrics two(Of(MetricOwner::kClient));
  EXPECT_NE(one.Snapshot(absl::UnixEpoch()).source,
            two.Snapshot(absl::UnixEpoch()).source);
}

// The labels of a family's samples with their values, in their order. A
// histogram's value is its count.
std::vector<std::pair<std::string, double>> Samples(const Metrics& metrics,
                                                    absl::string_view name) {
  const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
  std::vector<std::pair<std::string, double>> samples;
  const MetricFamily* const family = snapshot.Find(name);
  if (family == nullptr) return samples;
  for (const MetricSample& sample : family->samples) {
    samples.emplace_back(absl::StrJoin(sample.label_values, ","),
                         family->type == MetricType::kHistogram
                             ? static_cast<double>(sample.count)
                             : sample.value);
  }
  return samples;
}

TEST(Metrics, GivesEachTaskItsOwnCountsInTheOrderOfTheirLabels) {
  Metrics metrics(Of(MetricOwner::kClient));
  int count = 0;
  for (const char* const task : {"a", "b"}) {
    for (const auto priority :
         {Priority::kNone, Priority::kLow, Priority::kHigh}) {
      for (const auto mode : {SubmitMode::kForeground, SubmitMode::kBackground,
                              SubmitMode::kEpoch}) {
        ++count;
        for (int i = 0; i < count; ++i) {
          metrics.ForTask(task)->Submitted(priority, mode);
        }
      }
    }
  }
  EXPECT_THAT(
      Samples(metrics, "gearman_client_jobs_submitted_total"),
      ElementsAre(Pair("a,none,foreground", 1), Pair("a,none,background", 2),
                  Pair("a,none,epoch", 3), Pair("a,low,foreground", 4),
                  Pair("a,low,background", 5), Pair("a,low,epoch", 6),
                  Pair("a,high,foreground", 7), Pair("a,high,background", 8),
                  Pair("a,high,epoch", 9), Pair("b,none,foreground", 10),
                  Pair("b,none,background", 11), Pair("b,none,epoch", 12),
                  Pair("b,low,foreground", 13), Pair("b,low,background", 14),
                  Pair("b,low,epoch", 15), Pair("b,high,foreground", 16),
                  Pair("b,high,background", 17), Pair("b,high,epoch", 18)));
}

TEST(Metrics, GivesEachOutcomeItsOwnLabel) {
  Metrics metrics(Of(MetricOwner::kClient));
  for (size_t i = 0; i < kRequestOutcomeCount; ++i) {
    for (size_t n = 0; n <= i; ++n) {
      metrics.ForTask("t")->Finished(static_cast<RequestOutcome>(i),
                                     absl::Seconds(1));
    }
  }
  for (const absl::string_view name : {"gearman_client_jobs_finished_total",
                                       "gearman_client_job_duration_seconds"}) {
    EXPECT_THAT(Samples(metrics, name),
                ElementsAre(Pair("t,complete", 1), Pair("t,failed", 2),
                            Pair("t,exception", 3), Pair("t,timed_out", 4),
                            Pair("t,cancelled", 5), Pair("t,lost", 6),
                            Pair("t,refused", 7)));
  }
}

TEST(Metrics, GivesEachOutcomeOfAWorkerItsOwnLabel) {
  Metrics metrics(Of(MetricOwner::kWorker));
  for (size_t i = 0; i < kWorkOutcomeCount; ++i) {
    for (size_t n = 0; n <= i; ++n) {
      metrics.ForTask("t")->Processed(static_cast<WorkOutcome>(i),
                                      absl::Seconds(1));
    }
  }
  for (const absl::string_view name : {"gearman_worker_jobs_processed_total",
                                       "gearman_worker_job_duration_seconds"}) {
    EXPECT_THAT(Samples(metrics, name),
                ElementsAre(Pair("t,complete", 1), Pair("t,failed", 2),
                            Pair("t,exception", 3), Pair("t,timed_out", 4),
                            Pair("t,lost", 5)));
  }
}

TEST(Metrics, GivesEachRetryItsOwnLabels) {
  Metrics metrics(Of(MetricOwner::kClient));
  std::vector<std::pair<std::string, double>> expected;
  for (const auto& [operation, name] :
       std::vector<std::pair<RetriedOperation, std::string>>{
           {RetriedOperation::kSubmit, "submit"},
           {RetriedOperation::kStatus, "status"},
           {RetriedOperation::kEcho, "echo"}}) {
    for (int i = 0; i < kFailureReasonCount; ++i) {
      const auto reason = static_cast<FailureReason>(i);
      const size_t count = expected.size() + 1;
      for (size_t n = 0; n < count; ++n) metrics.Retried(operation, reason);
      expected.emplace_back(absl::StrCat(name, ",", FailureReasonName(reason)),
                            count);
    }
  }
  EXPECT_EQ(Samples(metrics, "gearman_client_retries_total"), expected);
}

TEST(Metrics, GivesEachCauseAndResultItsOwnLabel) {
  Metrics metrics(Of(MetricOwner::kWorker));
  metrics.grabs[static_cast<size_t>(GrabResult::kJob)].Add(1);
  metrics.grabs[static_cast<size_t>(GrabResult::kNoJob)].Add(2);
  metrics.wakeups[static_cast<size_t>(WakeupCause::kNoop)].Add(1);
  metrics.wakeups[static_cast<size_t>(WakeupCause::kRegrab)].Add(2);
  metrics.wakeups[static_cast<size_t>(WakeupCause::kRegistered)].Add(3);
  ServerMetrics* const server = metrics.ForServer("s");
  for (size_t i = 0; i < kReconnectReasonCount; ++i) {
    server->reconnects[i].Add(i + 1);
  }
  EXPECT_THAT(Samples(metrics, "gearman_worker_grabs_total"),
              ElementsAre(Pair("job", 1), Pair("no_job", 2)));
  EXPECT_THAT(
      Samples(metrics, "gearman_worker_wakeups_total"),
      ElementsAre(Pair("noop", 1), Pair("regrab", 2), Pair("registered", 3)));
  EXPECT_THAT(Samples(metrics, "gearman_connection_reconnects_total"),
              ElementsAre(Pair("s,connect_failed", 1), Pair("s,closed", 2),
                          Pair("s,failed", 3), Pair("s,protocol_error", 4),
                          Pair("s,unresponsive", 5)));
}

TEST(Metrics, FindRecordsOnAnyThread) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  MetricsOptions options = Of(MetricOwner::kClient);
  options.max_tasks = 8;
  Metrics metrics(options);
  std::vector<std::thread> threads;
  std::vector<std::set<TaskMetrics*>> found(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&metrics, records = &found[static_cast<size_t>(t)]] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string name = absl::StrCat("t", i % 16);
        TaskMetrics* const task = metrics.ForTask(name);
        EXPECT_TRUE(task->name == name || task->name == "other");
        records->insert(task);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found[0].size(), 9u);
  for (const std::set<TaskMetrics*>& records : found) {
    EXPECT_EQ(records, found[0]);
  }
}

TEST(Metrics, AreReadWhileTheyChange) {
  constexpr int kJobs = 20000;
  Metrics metrics(Of(MetricOwner::kClient));
  std::thread counting([&metrics] {
    for (int i = 0; i < kJobs; ++i) {
      TaskMetrics* const task = metrics.ForTask(absl::StrCat("t", i % 8));
      task->Submitted(Priority::kNone, SubmitMode::kForeground);
      task->Finished(RequestOutcome::kComplete, absl::Milliseconds(i % 50));
    }
  });
  const auto finished = [&metrics] {
    const MetricsSnapshot snapshot = metrics.Snapshot(absl::UnixEpoch());
    const MetricFamily* const family =
        snapshot.Find("gearman_client_job_duration_seconds");
    uint64_t count = 0;
    if (family == nullptr) return count;
    for (const MetricSample& sample : family->samples) count += sample.count;
    return count;
  };
  uint64_t before = 0;
  for (int i = 0; i < 50; ++i) {
    const uint64_t now = finished();
    EXPECT_GE(now, before);
    before = now;
  }
  counting.join();
  EXPECT_EQ(finished(), uint64_t{kJobs});
}

}  // namespace
}  // namespace internal
}  // namespace gearman
