#include "gearman/plugins/metrics/log_metrics.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics.pb.h"
#include "gearman/plugins/metrics/metrics_plugins.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/registry.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

MetricsSnapshot Snapshot() {
  MetricsSnapshot snapshot;
  MetricFamily jobs;
  jobs.name = "jobs_total";
  jobs.label_names = {"task"};
  jobs.samples.resize(2);
  jobs.samples[0].label_values = {"resize"};
  jobs.samples[0].value = 3;
  jobs.samples[1].label_values = {"mail"};
  MetricFamily seconds;
  seconds.name = "seconds";
  seconds.type = MetricType::kHistogram;
  seconds.samples.resize(1);
  snapshot.families = {jobs, seconds};
  return snapshot;
}

std::vector<std::string> Lines(bool with_zeros,
                               const MetricsSnapshot& snapshot = Snapshot()) {
  std::vector<std::string> lines;
  LogMetricsOptions options;
  options.with_zeros = with_zeros;
  options.write = [&lines](absl::string_view line) {
    lines.emplace_back(line);
  };
  LogMetrics(std::move(options)).Export(snapshot);
  return lines;
}

TEST(LogMetrics, WritesALineForEachMetricThatIsNotZero) {
  EXPECT_THAT(Lines(false), ElementsAre("jobs_total{task=\"resize\"} 3"));
}

// A user's own source may have such names.
TEST(LogMetrics, EachTaskIsOneLineAndNoOtherHasIt) {
  MetricsSnapshot snapshot = Snapshot();
  snapshot.families[0].samples.clear();
  for (const support::HostileName& name : support::HostileNames()) {
    // This name would look like the byte itself, as only the SDK makes safe
    // text.
    if (name.name == "\\xff") continue;
    snapshot.families[0].samples.push_back({{name.name}, 1, {}, 0, 0});
  }
  const std::vector<std::string> lines = Lines(false, snapshot);
  EXPECT_EQ(lines.size(), snapshot.families[0].samples.size());
  for (const std::string& line : lines) EXPECT_TRUE(IsSafeLine(line)) << line;
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(),
            lines.size());
}

TEST(LogMetrics, WritesZerosWhenAskedTo) {
  EXPECT_THAT(Lines(true), ElementsAre("jobs_total{task=\"resize\"} 3",
                                       "jobs_total{task=\"mail\"} 0",
                                       "seconds count=0 sum=0"));
}

TEST(LogMetrics, WritesToStandardErrorByItself) {
  ::testing::internal::CaptureStderr();
  LogMetrics().Export(Snapshot());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr(" jobs_total{task=\"resize\"} 3\n"));
}

TEST(LogMetrics, LeavesOutWhatDoesNotFitItsMetricAndSaysSo) {
  MetricsSnapshot snapshot = Snapshot();
  snapshot.families[0].samples[0].label_values.clear();
  std::vector<std::string> lines;
  LogMetricsOptions options;
  options.write = [&lines](absl::string_view line) {
    lines.emplace_back(line);
  };
  LogMetrics(std::move(options)).Export(snapshot);
  EXPECT_THAT(
      lines,
      ElementsAre("gearman_malformed_samples{metric=\"jobs_total\",problem=\"0 "
                  "label values for 1 label names\"} 1"));
}

// A lock that was held would be waited for here.
TEST(LogMetrics, TheFunctionThatWritesMayExportItself) {
  LogMetrics* sink = nullptr;
  std::vector<std::string> lines;
  LogMetricsOptions options;
  options.write = [&](absl::string_view line) {
    lines.emplace_back(line);
    if (lines.size() == 1) sink->Export(Snapshot());
  };
  LogMetrics metrics(std::move(options));
  sink = &metrics;
  metrics.Export(Snapshot());
  EXPECT_THAT(lines, ElementsAre("jobs_total{task=\"resize\"} 3",
                                 "jobs_total{task=\"resize\"} 3"));
}

TEST(LogMetrics, OneLineAtATimeIsWrittenWhoeverExports) {
  std::atomic<int> inside{0};
  std::atomic<int> lines{0};
  LogMetricsOptions options;
  options.write = [&](absl::string_view /*line*/) {
    EXPECT_EQ(++inside, 1);
    ++lines;
    --inside;
    throw 1;
  };
  LogMetrics metrics(std::move(options));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 500; ++n) metrics.Export(Snapshot());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines, 2000);
}

TEST(LogMetrics, IsMadeFromItsConfig) {
  Registry<MetricsSink> registry("metrics sink");
  ASSERT_TRUE(RegisterMetricsPlugins(&registry).ok());
  config::LogMetrics config;
  EXPECT_EQ((*registry.Create(config))->interval(), absl::Minutes(1));
  config.set_interval("30s");
  EXPECT_EQ((*registry.Create(config))->interval(), absl::Seconds(30));
  for (const char* const wrong : {"soon", "0s", "2h", "-1s"}) {
    config.set_interval(wrong);
    EXPECT_EQ(registry.Create(config).status().code(),
              absl::StatusCode::kInvalidArgument)
        << wrong;
  }
}

}  // namespace
}  // namespace gearman
