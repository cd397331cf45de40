#include "gearman/plugins/metrics/in_memory_metrics.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_plugins.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

// A source with one counter, one gauge and one histogram per task.
class FakeSource : public MetricsSource {
 public:
  explicit FakeSource(std::vector<std::string> tasks = {"reverse"})
      : tasks_(std::move(tasks)) {}

  void Count(int n = 1) { count_ += n; }

  MetricsSnapshot Snapshot() override {
    MetricsSnapshot snapshot;
    snapshot.source = 7;
    snapshot.families.resize(3);
    const MetricType types[] = {MetricType::kCounter, MetricType::kGauge,
                                MetricType::kHistogram};
    const char* const names[] = {"jobs_total", "jobs_in_flight", "seconds"};
    for (int i = 0; i < 3; ++i) {
      MetricFamily& family = snapshot.families[i];
      family.name = names[i];
      family.type = types[i];
      family.label_names = {"task", "outcome"};
      if (i == 2) family.bucket_bounds = {1.0};
      for (const std::string& task : tasks_) {
        MetricSample sample;
        sample.label_values = {task, "complete"};
        if (i == 2) {
          sample.count = count_;
          sample.sum = 0.5 * count_;
          sample.bucket_counts = {sample.count, 0};
        } else {
          sample.value = count_;
        }
        family.samples.push_back(std::move(sample));
      }
    }
    return snapshot;
  }

 private:
  const std::vector<std::string> tasks_;
  std::atomic<int> count_{0};
};

TEST(InMemoryMetrics, ShowsWhatItsSourceHasNow) {
  InMemoryMetrics metrics;
  auto source = std::make_shared<FakeSource>();
  metrics.Attach(source);
  source->Count();
  EXPECT_EQ(metrics.Value("jobs_total"), 1);
  source->Count();
  EXPECT_EQ(metrics.Value("jobs_total"), 2);
  EXPECT_EQ(metrics.Snapshot().source, 7u);
}

TEST(InMemoryMetrics, AddsTheSamplesThatHaveTheLabels) {
  InMemoryMetrics metrics;
  auto source =
      std::make_shared<FakeSource>(std::vector<std::string>{"a", "b"});
  metrics.Attach(source);
  source->Count(3);
  EXPECT_EQ(metrics.Value("jobs_total"), 6);
  EXPECT_EQ(metrics.Value("jobs_total", {{"task", "a"}}), 3);
  EXPECT_EQ(
      metrics.Value("jobs_total", {{"outcome", "complete"}, {"task", "b"}}), 3);
  EXPECT_EQ(metrics.Value("jobs_total", {{"outcome", "failed"}}), 0);
  EXPECT_EQ(metrics.Value("jobs_total", {{"server", "a"}}), 0);
  EXPECT_EQ(metrics.Value("no_such_metric"), 0);
}

TEST(InMemoryMetrics, AddsHistogramsUp) {
  InMemoryMetrics metrics;
  auto source =
      std::make_shared<FakeSource>(std::vector<std::string>{"a", "b"});
  metrics.Attach(source);
  source->Count(4);
  EXPECT_EQ(metrics.Observed("seconds").count, 8u);
  EXPECT_EQ(metrics.Observed("seconds", {{"task", "a"}}).sum, 2);
}

TEST(InMemoryMetrics, AddsSeveralSourcesUp) {
  InMemoryMetrics metrics;
  auto one = std::make_shared<FakeSource>();
  auto two = std::make_shared<FakeSource>();
  metrics.Attach(one);
  metrics.Attach(two);
  one->Count(2);
  two->Count(3);
  EXPECT_EQ(metrics.Value("jobs_total"), 5);
  EXPECT_EQ(metrics.Value("jobs_in_flight"), 5);
  EXPECT_EQ(metrics.Snapshot().source, 0u);
}

TEST(InMemoryMetrics, KeepsTheTotalsOfWhatHasEnded) {
  InMemoryMetrics metrics;
  auto source = std::make_shared<FakeSource>();
  metrics.Attach(source);
  source->Count(2);
  metrics.Detach(source.get());
  source->Count(5);
  EXPECT_EQ(metrics.Value("jobs_total"), 2);
  EXPECT_EQ(metrics.Observed("seconds").count, 2u);
}

TEST(InMemoryMetrics, ForgetsTheGaugesOfWhatHasEnded) {
  InMemoryMetrics metrics;
  auto source = std::make_shared<FakeSource>();
  metrics.Attach(source);
  source->Count(2);
  metrics.Detach(source.get());
  EXPECT_EQ(metrics.Value("jobs_in_flight"), 0);
}

TEST(InMemoryMetrics, ReleasesWhatHasEnded) {
  InMemoryMetrics metrics;
  auto source = std::make_shared<FakeSource>();
  metrics.Attach(source);
  metrics.Detach(source.get());
  EXPECT_EQ(source.use_count(), 1);
}

TEST(InMemoryMetrics, ToleratesDetachingAStranger) {
  InMemoryMetrics metrics;
  FakeSource stranger;
  metrics.Detach(&stranger);
  EXPECT_TRUE(metrics.Snapshot().families.empty());
}

TEST(InMemoryMetrics, CountersNeverFallWhileSourcesComeAndGo) {
  InMemoryMetrics metrics;
  std::atomic<bool> done{false};
  std::thread reader([&metrics, &done] {
    double last = 0;
    while (!done) {
      const double now = metrics.Value("jobs_total");
      EXPECT_GE(now, last);
      last = now;
    }
  });
  for (int i = 0; i < 200; ++i) {
    auto source = std::make_shared<FakeSource>();
    metrics.Attach(source);
    source->Count();
    metrics.Detach(source.get());
  }
  done = true;
  reader.join();
  EXPECT_EQ(metrics.Value("jobs_total"), 200);
}

// A source of somebody else's making.
class MalformedSource : public MetricsSource {
 public:
  MetricsSnapshot Snapshot() override {
    MetricsSnapshot snapshot;
    MetricFamily& family = snapshot.families.emplace_back();
    family.name = "jobs_total";
    family.label_names = {"task", "outcome"};
    family.samples.resize(3);
    family.samples[0].label_values = {"resize"};
    family.samples[0].value = 1;
    family.samples[1].label_values = {"resize", "complete", "again"};
    family.samples[1].value = 10;
    family.samples[2].label_values = {"resize", "complete"};
    family.samples[2].value = 100;
    return snapshot;
  }
};

TEST(InMemoryMetrics, LeavesOutWhatDoesNotFitItsMetricAndSaysSo) {
  InMemoryMetrics metrics;
  metrics.Attach(std::make_shared<MalformedSource>());
  EXPECT_EQ(metrics.Value("jobs_total", {{"outcome", "complete"}}), 100);
  EXPECT_EQ(metrics.Value("jobs_total", {{"task", "resize"}}), 100);
  EXPECT_EQ(metrics.Value("gearman_malformed_samples",
                          {{"metric", "jobs_total"},
                           {"problem", "1 label values for 2 label names"}}),
            1);
  EXPECT_EQ(metrics.Value("gearman_malformed_samples"), 2);
}

TEST(InMemoryMetrics, SurvivesSourcesThatDoNotAgreeOnTheirLabels) {
  InMemoryMetrics metrics;
  metrics.Attach(std::make_shared<FakeSource>());
  auto shorter = std::make_shared<MalformedSource>();
  metrics.Attach(shorter);
  metrics.Detach(shorter.get());
  EXPECT_EQ(metrics.Value("jobs_total", {{"outcome", "complete"}}), 100);
}

TEST(InMemoryMetrics, IsNeverCalledByTimer) {
  EXPECT_EQ(InMemoryMetrics().interval(), absl::InfiniteDuration());
}

TEST(MetricsPlugins, BearTheNamesOfTheirSinks) {
  Registry<MetricsSink> registry("metrics sink");
  ASSERT_TRUE(RegisterMetricsPlugins(&registry).ok());
  ASSERT_THAT(registry.names(),
              ::testing::ElementsAre("in_memory", "log", "statsd"));
  auto sink = registry.CreateByName("in_memory");
  ASSERT_TRUE(sink.ok()) << sink.status();
  EXPECT_EQ((*sink)->name(), "in_memory");
}

}  // namespace
}  // namespace gearman
