#include "gearman/plugins/metrics/metrics_snapshot.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

MetricFamily Counter(std::string task, double value) {
  MetricFamily family;
  family.name = "jobs_total";
  family.label_names = {"task"};
  MetricSample sample;
  sample.label_values = {std::move(task)};
  sample.value = value;
  family.samples = {sample};
  return family;
}

MetricFamily Histogram(std::vector<double> bounds,
                       std::vector<uint64_t> counts) {
  MetricFamily family;
  family.name = "seconds";
  family.type = MetricType::kHistogram;
  family.bucket_bounds = std::move(bounds);
  MetricSample sample;
  for (const uint64_t count : counts) sample.count += count;
  sample.sum = static_cast<double>(sample.count);
  sample.bucket_counts = std::move(counts);
  family.samples = {sample};
  return family;
}

MetricsSnapshot Snapshot(MetricFamily family, uint64_t source = 1) {
  MetricsSnapshot snapshot;
  snapshot.source = source;
  snapshot.families = {std::move(family)};
  return snapshot;
}

TEST(MetricsSnapshot, FindsASampleByItsLabels) {
  const MetricsSnapshot snapshot = Snapshot(Counter("reverse", 3));
  ASSERT_NE(snapshot.Find("jobs_total"), nullptr);
  ASSERT_NE(snapshot.Find("jobs_total")->Find({"reverse"}), nullptr);
  EXPECT_EQ(snapshot.Find("jobs_total")->Find({"reverse"})->value, 3);
  EXPECT_EQ(snapshot.Find("jobs_total")->Find({"count"}), nullptr);
  EXPECT_EQ(snapshot.Find("jobs_total")->Find({}), nullptr);
  EXPECT_EQ(snapshot.Find("jobs"), nullptr);
}

TEST(MergeSnapshot, AddsSamplesWithEqualLabels) {
  MetricsSnapshot all = Snapshot(Counter("reverse", 3));
  MergeSnapshot(Snapshot(Counter("reverse", 4), 2), MergeKind::kAll, &all);
  EXPECT_EQ(all.Find("jobs_total")->Find({"reverse"})->value, 7);
  EXPECT_EQ(all.source, 0u);
}

TEST(MergeSnapshot, KeepsSamplesWithOtherLabels) {
  MetricsSnapshot all = Snapshot(Counter("reverse", 3));
  MergeSnapshot(Snapshot(Counter("count", 4)), MergeKind::kAll, &all);
  EXPECT_EQ(all.Find("jobs_total")->Find({"reverse"})->value, 3);
  EXPECT_EQ(all.Find("jobs_total")->Find({"count"})->value, 4);
}

TEST(MergeSnapshot, AddsHistogramsBucketByBucket) {
  MetricsSnapshot all = Snapshot(Histogram({1, 2}, {1, 2, 3}));
  MergeSnapshot(Snapshot(Histogram({1, 2}, {4, 0, 1})), MergeKind::kAll, &all);
  const MetricSample& sample = all.Find("seconds")->samples[0];
  EXPECT_THAT(sample.bucket_counts, ElementsAre(5, 2, 4));
  EXPECT_EQ(sample.count, 11u);
  EXPECT_EQ(sample.sum, 11);
}

TEST(MergeSnapshot, LeavesAHistogramAloneWhenTheBoundsDiffer) {
  MetricsSnapshot all = Snapshot(Histogram({1, 2}, {1, 2, 3}));
  MergeSnapshot(Snapshot(Histogram({1, 5}, {4, 0, 1})), MergeKind::kAll, &all);
  const MetricSample& sample = all.Find("seconds")->samples[0];
  EXPECT_THAT(sample.bucket_counts, ElementsAre(1, 2, 3));
  EXPECT_EQ(sample.count, 6u);
}

TEST(MergeSnapshot, LeavesGaugesOutOfTotals) {
  MetricFamily gauge = Counter("reverse", 5);
  gauge.type = MetricType::kGauge;
  MetricsSnapshot all;
  MergeSnapshot(Snapshot(gauge), MergeKind::kTotals, &all);
  EXPECT_TRUE(all.families.empty());
}

TEST(MergeSnapshot, KeepsInfoAtOne) {
  MetricFamily info = Counter("0.1.0", 1);
  info.name = "gearman_sdk_info";
  info.type = MetricType::kGauge;
  MetricsSnapshot all = Snapshot(info);
  MergeSnapshot(Snapshot(info), MergeKind::kAll, &all);
  EXPECT_EQ(all.families[0].samples[0].value, 1);
}

TEST(MergeSnapshot, KeepsTheLaterTime) {
  MetricsSnapshot early;
  early.time = absl::FromUnixSeconds(1);
  MetricsSnapshot late;
  late.time = absl::FromUnixSeconds(2);
  MergeSnapshot(early, MergeKind::kAll, &late);
  EXPECT_EQ(late.time, absl::FromUnixSeconds(2));
}

TEST(MetricsSnapshot, PrintsALineForEachSample) {
  MetricsSnapshot snapshot = Snapshot(Counter("a\"b", 3));
  snapshot.families.push_back(Histogram({1}, {1, 1}));
  EXPECT_EQ(ToString(snapshot),
            "jobs_total{task=\"a\\x22b\"} 3\n"
            "seconds count=2 sum=2\n");
}

}  // namespace
}  // namespace gearman
