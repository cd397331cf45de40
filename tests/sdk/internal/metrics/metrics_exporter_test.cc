#include "gearman/sdk/internal/metrics/metrics_exporter.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/transports/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;

// Stands still until a test moves it.
class HandClock : public Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::FromUnixSeconds(1000);
};

// Keeps the times of what it gets.
class RecordingSink : public MetricsSink {
 public:
  explicit RecordingSink(absl::Duration interval) : interval_(interval) {}

  void Export(const MetricsSnapshot& snapshot) override {
    exported.push_back(absl::ToUnixSeconds(snapshot.time));
  }
  absl::Duration interval() const override { return interval_; }
  void Attach(std::shared_ptr<MetricsSource> source) override {
    attached = std::move(source);
  }
  void Detach(const MetricsSource* source) override {
    EXPECT_EQ(source, attached.get());
    exported_before_detach = exported.size();
    detached = true;
  }
  absl::string_view name() const override { return "recording"; }

  std::vector<int64_t> exported;
  std::shared_ptr<MetricsSource> attached;
  size_t exported_before_detach = 0;
  bool detached = false;

 private:
  const absl::Duration interval_;
};

// Throws whatever it is asked.
class ThrowingSink : public MetricsSink {
 public:
  void Export(const MetricsSnapshot& /*snapshot*/) override {
    ++exports;
    throw std::runtime_error("export");
  }
  absl::Duration interval() const override {
    if (throws_interval) throw std::runtime_error("interval");
    return absl::Seconds(2);
  }
  void Attach(std::shared_ptr<MetricsSource> /*source*/) override { throw 1; }
  void Detach(const MetricsSource* /*source*/) override { throw 1; }
  absl::string_view name() const override { return "throwing"; }

  bool throws_interval = false;
  int exports = 0;
};

class MetricsExporterTest : public ::testing::Test {
 protected:
  MetricsExporterTest()
      : metrics_(std::make_shared<Metrics>(MetricsOptions())) {}

  HandClock clock_;
  const std::shared_ptr<Metrics> metrics_;
};

TEST_F(MetricsExporterTest, ExportsToEachSinkInItsOwnInterval) {
  auto often = std::make_shared<RecordingSink>(absl::Seconds(2));
  auto seldom = std::make_shared<RecordingSink>(absl::Seconds(5));
  MetricsExporter exporter(metrics_, {often, seldom}, &clock_);
  for (int i = 0; i < 3; ++i) exporter.OnTime(exporter.next());
  EXPECT_THAT(often->exported, ElementsAre(1002, 1004));
  EXPECT_THAT(seldom->exported, ElementsAre(1005));
}

TEST_F(MetricsExporterTest, ASinkThatThrowsTakesNothingFromTheOthers) {
  const auto throwing = std::make_shared<ThrowingSink>();
  const auto silent = std::make_shared<ThrowingSink>();
  silent->throws_interval = true;
  const auto sink = std::make_shared<RecordingSink>(absl::Seconds(2));
  {
    MetricsExporter exporter(metrics_, {throwing, silent, sink}, &clock_);
    exporter.OnTime(exporter.next());
    exporter.OnTime(exporter.next());
  }
  EXPECT_EQ(throwing->exports, 3);
  EXPECT_EQ(silent->exports, 0);
  EXPECT_THAT(sink->exported, ElementsAre(1002, 1004, 1000));
  EXPECT_TRUE(sink->detached);
}

TEST_F(MetricsExporterTest, WaitsForItsTime) {
  auto sink = std::make_shared<RecordingSink>(absl::Seconds(2));
  MetricsExporter exporter(metrics_, {sink}, &clock_);
  exporter.OnTime(clock_.now + absl::Seconds(1));
  EXPECT_TRUE(sink->exported.empty());
}

TEST_F(MetricsExporterTest, MakesNoBurstAfterASleep) {
  auto sink = std::make_shared<RecordingSink>(absl::Seconds(2));
  MetricsExporter exporter(metrics_, {sink}, &clock_);
  exporter.OnTime(clock_.now + absl::Seconds(100));
  EXPECT_EQ(sink->exported.size(), 1u);
  EXPECT_EQ(exporter.next(), clock_.now + absl::Seconds(102));
}

TEST_F(MetricsExporterTest, NeverAsksForTimeWithoutAnInterval) {
  auto sink = std::make_shared<RecordingSink>(absl::InfiniteDuration());
  MetricsExporter exporter(metrics_, {sink}, &clock_);
  EXPECT_EQ(exporter.next(), absl::InfiniteFuture());
  exporter.OnTime(clock_.now + absl::Hours(1));
  EXPECT_TRUE(sink->exported.empty());
}

TEST_F(MetricsExporterTest, ExportsOnceMoreBeforeItDetaches) {
  auto timed = std::make_shared<RecordingSink>(absl::Seconds(2));
  auto untimed = std::make_shared<RecordingSink>(absl::InfiniteDuration());
  {
    MetricsExporter exporter(metrics_, {timed, untimed}, &clock_);
    clock_.now += absl::Seconds(1);
  }
  EXPECT_TRUE(timed->detached);
  EXPECT_EQ(timed->exported_before_detach, 1u);
  EXPECT_THAT(timed->exported, ElementsAre(1001));
  EXPECT_TRUE(untimed->detached);
  EXPECT_TRUE(untimed->exported.empty());
}

TEST_F(MetricsExporterTest, ItsSourceOutlivesItAndTheClock) {
  auto sink = std::make_shared<RecordingSink>(absl::InfiniteDuration());
  {
    HandClock clock;
    MetricsExporter exporter(metrics_, {sink}, &clock);
    clock.now += absl::Seconds(7);
  }
  EXPECT_EQ(sink->attached->Snapshot().time, absl::FromUnixSeconds(1007));
}

TEST_F(MetricsExporterTest, LetsInMemoryMetricsReadTheCounters) {
  auto sink = std::make_shared<InMemoryMetrics>();
  {
    MetricsExporter exporter(metrics_, {sink}, &clock_);
    metrics_->ForTask("reverse")->Submitted(Priority::kNone,
                                            SubmitMode::kForeground);
    EXPECT_EQ(sink->Value("gearman_client_jobs_in_flight"), 1);
    EXPECT_EQ(sink->Snapshot().time, clock_.now);
  }
  EXPECT_EQ(sink->Value("gearman_client_jobs_in_flight"), 0);
  EXPECT_EQ(
      sink->Value("gearman_client_jobs_submitted_total", {{"task", "reverse"}}),
      1);
}

TEST_F(MetricsExporterTest, RaisesATinyInterval) {
  auto sink = std::make_shared<RecordingSink>(absl::ZeroDuration());
  MetricsExporter exporter(metrics_, {sink}, &clock_);
  EXPECT_EQ(exporter.next(), clock_.now + absl::Milliseconds(1));
}

}  // namespace
}  // namespace internal
}  // namespace gearman
