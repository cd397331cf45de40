// The StatsD sink, with a UDP socket that plays the agent.
#include "gearman/plugins/metrics/statsd_metrics.h"

#include <cstdint>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics.pb.h"
#include "gearman/plugins/metrics/metrics_plugins.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/registry.h"
#include "gearman/tests/support/failing_new.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/tests/support/udp_receiver.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

MetricFamily Family(const std::string& name, MetricType type) {
  MetricFamily family;
  family.name = name;
  family.type = type;
  return family;
}

MetricsSnapshot One(const std::string& name, MetricType type, double value,
                    uint64_t source = 1) {
  MetricsSnapshot snapshot;
  snapshot.source = source;
  snapshot.families.push_back(Family(name, type));
  snapshot.families[0].label_names = {"task"};
  snapshot.families[0].samples.push_back({{"a"}, value, {}, 0, 0});
  return snapshot;
}

class StatsdMetricsTest : public ::testing::Test {
 protected:
  std::unique_ptr<StatsdMetrics> Make(StatsdMetricsOptions options = {}) {
    options.address = agent_.address();
    auto sink = StatsdMetrics::Create(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return *std::move(sink);
  }

  support::UdpReceiver agent_;
};

// A client that ends.
class Source : public MetricsSource {
 public:
  explicit Source(MetricsSnapshot snapshot) : snapshot_(std::move(snapshot)) {}
  MetricsSnapshot Snapshot() override { return snapshot_; }

 private:
  const MetricsSnapshot snapshot_;
};

TEST_F(StatsdMetricsTest, SendsWhatWasAddedToACounter) {
  const auto sink = Make();
  sink->Export(One("jobs_total", MetricType::kCounter, 3));
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs_total:3|c|#task:a"));
  sink->Export(One("jobs_total", MetricType::kCounter, 5));
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs_total:2|c|#task:a"));
  sink->Export(One("jobs_total", MetricType::kCounter, 5));
  EXPECT_THAT(agent_.Lines(), IsEmpty());
  // Each client's counter has its own difference.
  sink->Export(One("jobs_total", MetricType::kCounter, 1, /*source=*/2));
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs_total:1|c|#task:a"));
}

TEST_F(StatsdMetricsTest, WhatItsFunctionsThrowIsAFailureToSend) {
  bool throws = true;
  std::vector<std::string> sent;
  StatsdMetricsOptions options;
  options.send = [&](absl::string_view datagram) {
    if (throws) throw std::runtime_error("no way out");
    sent.emplace_back(datagram.data(), datagram.size());
    return absl::OkStatus();
  };
  options.on_failure = [](absl::string_view message) {
    EXPECT_THAT(std::string(message),
                AnyOf(HasSubstr("no way out"), HasSubstr("works again")));
    throw 1;
  };
  const auto sink = Make(std::move(options));
  const auto first = std::make_shared<Source>(
      One("jobs_total", MetricType::kCounter, 1, /*source=*/1));
  sink->Attach(first);
  sink->Export(first->Snapshot());
  sink->Detach(first.get());
  EXPECT_EQ(sink->stats().failures, 1);
  // An amount that one client could not send is not sent with another's.
  throws = false;
  sink->Export(One("jobs_total", MetricType::kCounter, 2, /*source=*/2));
  EXPECT_THAT(sent, ElementsAre("jobs_total:2|c|#task:a"));
}

TEST_F(StatsdMetricsTest, SendsLargeNumbersAsTheyAre) {
  const auto sink = Make();
  sink->Export(One("bytes_total", MetricType::kCounter, 12345678901234));
  EXPECT_THAT(agent_.Lines(),
              ElementsAre("bytes_total:12345678901234|c|#task:a"));
}

TEST_F(StatsdMetricsTest, AddsUpTheGaugesOfAllClientsAndEndsThem) {
  const auto sink = Make();
  const MetricsSnapshot first = One("in_flight", MetricType::kGauge, 3, 1);
  const MetricsSnapshot second = One("in_flight", MetricType::kGauge, 4, 2);
  const auto first_source = std::make_shared<Source>(first);
  const auto second_source = std::make_shared<Source>(second);
  sink->Attach(first_source);
  sink->Attach(second_source);
  sink->Export(first);
  EXPECT_THAT(agent_.Lines(), ElementsAre("in_flight:3|g|#task:a"));
  sink->Export(second);
  EXPECT_THAT(agent_.Lines(), ElementsAre("in_flight:7|g|#task:a"));
  sink->Detach(first_source.get());
  EXPECT_THAT(agent_.Lines(), ElementsAre("in_flight:4|g|#task:a"));
  sink->Detach(second_source.get());
  EXPECT_THAT(agent_.Lines(), ElementsAre("in_flight:0|g|#task:a"));
}

TEST_F(StatsdMetricsTest, AGaugeThatIsGoneIsSentAsZero) {
  const auto sink = Make();
  sink->Export(One("workers", MetricType::kGauge, 2));
  MetricsSnapshot empty;
  empty.source = 1;
  agent_.Datagrams();
  sink->Export(empty);
  EXPECT_THAT(agent_.Lines(), ElementsAre("workers:0|g|#task:a"));
}

TEST_F(StatsdMetricsTest, AReportThatFindsNoMemoryIsNotSentTwice) {
  bool failed = true;
  for (uint64_t number = 1; failed; ++number) {
    double sum = 0;
    StatsdMetricsOptions options;
    options.send = [&sum](absl::string_view datagram) {
      for (const absl::string_view line : absl::StrSplit(datagram, '\n')) {
        double value = 0;
        EXPECT_TRUE(
            absl::SimpleAtod(line.substr(line.find(':') + 1,
                                         line.find('|') - line.find(':') - 1),
                             &value));
        sum += value;
      }
      return absl::OkStatus();
    };
    const auto sink = Make(std::move(options));
    MetricsSnapshot snapshot = One("jobs_total", MetricType::kCounter, 3);
    snapshot.families.push_back(Family("other_total", MetricType::kCounter));
    snapshot.families[1].samples.push_back({{}, 10, {}, 0, 0});
    {
      const support::FailingNew none(number);
      try {
        sink->Export(snapshot);
      } catch (const std::bad_alloc&) {
      }
      failed = none.failed();
    }
    sink->Export(snapshot);
    EXPECT_EQ(sum, 13) << "allocation " << number;
  }
}

// The tasks of a QueueMetrics come and go without end.
TEST_F(StatsdMetricsTest, AGaugeThatIsGoneIsForgottenAfterAWhile) {
  const auto sink = Make();
  MetricsSnapshot snapshot = One("jobs", MetricType::kGauge, 1);
  std::string& task = snapshot.families[0].samples[0].label_values[0];
  sink->Export(snapshot);
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs:1|g|#task:a"));
  task = "b";
  // A datagram may be lost, so the agent is told several times.
  for (int i = 0; i < 10; ++i) {
    sink->Export(snapshot);
    EXPECT_THAT(agent_.Lines(),
                UnorderedElementsAre("jobs:0|g|#task:a", "jobs:1|g|#task:b"));
  }
  sink->Export(snapshot);
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs:1|g|#task:b"));
  // A task that comes again begins anew.
  task = "a";
  sink->Export(snapshot);
  EXPECT_THAT(agent_.Lines(),
              UnorderedElementsAre("jobs:1|g|#task:a", "jobs:0|g|#task:b"));
}

TEST_F(StatsdMetricsTest, ANegativeGaugeIsNoChangeOfOne) {
  const auto sink = Make();
  sink->Export(One("in_flight", MetricType::kGauge, -2));
  EXPECT_THAT(agent_.Lines(),
              ElementsAre("in_flight:0|g|#task:a", "in_flight:-2|g|#task:a"));
}

MetricsSnapshot Histogram() {
  MetricsSnapshot snapshot;
  snapshot.source = 1;
  MetricFamily family = Family("seconds", MetricType::kHistogram);
  family.bucket_bounds = {0.00025, 30};
  family.samples.push_back({{}, 0, {2, 0, 1}, 3, 60.0000005});
  snapshot.families.push_back(std::move(family));
  return snapshot;
}

TEST_F(StatsdMetricsTest, SendsAHistogramAsCounters) {
  const auto sink = Make();
  sink->Export(Histogram());
  EXPECT_THAT(agent_.Lines(),
              UnorderedElementsAre(
                  "seconds_count:3|c", "seconds_sum:60.0000005|c",
                  "seconds_bucket:2|c|#lower_bound:0,upper_bound:0.00025",
                  "seconds_bucket:1|c|#lower_bound:30,upper_bound:inf"));
  sink->Export(Histogram());
  EXPECT_THAT(agent_.Lines(), IsEmpty());
}

TEST_F(StatsdMetricsTest, LeavesOutWhatDoesNotFitItsMetricAndSaysSo) {
  const auto sink = Make();
  MetricsSnapshot snapshot = One("jobs_total", MetricType::kCounter, 3);
  snapshot.families[0].label_names.emplace_back("outcome");
  snapshot.families.push_back(Family("seconds", MetricType::kHistogram));
  snapshot.families[1].bucket_bounds = {1.0};
  snapshot.families[1].samples.push_back({{}, 0, {1, 2, 3, 4}, 10, 1.5});
  sink->Export(snapshot);
  EXPECT_THAT(
      agent_.Lines(),
      UnorderedElementsAre(
          "gearman_malformed_samples:1|g|#metric:jobs_total,problem:1 label "
          "values for 2 label names",
          "gearman_malformed_samples:1|g|#metric:seconds,problem:4 bucket "
          "counts for 1 bounds"));
}

TEST_F(StatsdMetricsTest, LeavesBucketsOutWhenAskedTo) {
  StatsdMetricsOptions options;
  options.buckets = false;
  const auto sink = Make(std::move(options));
  sink->Export(Histogram());
  EXPECT_THAT(agent_.Lines(), UnorderedElementsAre("seconds_count:3|c",
                                                   "seconds_sum:60.0000005|c"));
}

TEST_F(StatsdMetricsTest, HasAPrefixAndTagsOfItsOwn) {
  StatsdMetricsOptions options;
  options.prefix = "shop.";
  options.tags = {"env:production", "canary"};
  const auto sink = Make(std::move(options));
  sink->Export(One("jobs_total", MetricType::kCounter, 1));
  EXPECT_THAT(agent_.Lines(),
              ElementsAre("shop.jobs_total:1|c|#env:production,canary,task:a"));
}

TEST_F(StatsdMetricsTest, NoTaskBreaksTheLine) {
  const auto sink = Make();
  MetricsSnapshot snapshot = One("jobs_total", MetricType::kCounter, 1);
  snapshot.families[0].samples[0].label_values = {"a,b|c#d\ne:9|g f\xC3\xA9"};
  sink->Export(snapshot);
  EXPECT_THAT(agent_.Lines(),
              ElementsAre("jobs_total:1|c|#task:a\\x2cb\\x7cc\\x23d\\x0ae:9"
                          "\\x7cg f\xC3\xA9"));
  // Cut, but not inside a character.
  snapshot.families[0].samples[0].label_values = {
      std::string(182, 'x') + "\xC3\xA9" + std::string(50, 'y')};
  sink->Export(snapshot);
  EXPECT_THAT(
      agent_.Lines(),
      ElementsAre(MatchesRegex("jobs_total:1.c.#task:" + std::string(182, 'x') +
                               "~[0-9a-f]{16}")));
}

TEST_F(StatsdMetricsTest, DifferentTasksHaveDifferentTags) {
  const auto sink = Make();
  MetricsSnapshot snapshot = One("jobs_total", MetricType::kCounter, 5);
  const std::vector<support::HostileName> names = support::HostileNames();
  snapshot.families[0].samples.clear();
  for (const support::HostileName& name : names) {
    snapshot.families[0].samples.push_back({{name.safe}, 1, {}, 0, 0});
  }
  sink->Export(snapshot);
  const std::vector<std::string> lines = agent_.Lines();
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(),
            names.size());
  for (const std::string& line : lines) {
    EXPECT_TRUE(IsSafeLine(line)) << line;
    // One tag, whose value has none of what ends a tag.
    EXPECT_THAT(line, MatchesRegex("jobs_total:1.c.#task:[^,|#]+"));
  }
}

TEST_F(StatsdMetricsTest, SamplesWithEqualLabelsAreAddedUp) {
  const auto sink = Make();
  MetricsSnapshot snapshot = One("jobs_total", MetricType::kCounter, 5);
  snapshot.families[0].samples.push_back({{"a"}, 3, {}, 0, 0});
  sink->Export(snapshot);
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs_total:8|c|#task:a"));
  snapshot.families[0].samples[1].value = 10;
  sink->Export(snapshot);
  EXPECT_THAT(agent_.Lines(), ElementsAre("jobs_total:7|c|#task:a"));
}

TEST_F(StatsdMetricsTest, FillsDatagramsUpToTheirLimit) {
  StatsdMetricsOptions options;
  options.max_datagram_bytes = 128;
  const auto sink = Make(std::move(options));
  MetricsSnapshot snapshot = One("jobs_total", MetricType::kCounter, 1);
  snapshot.families[0].samples.clear();
  for (int i = 100; i < 200; ++i) {
    snapshot.families[0].samples.push_back(
        {{absl::StrCat("task-", i)}, 1, {}, 0, 0});
  }
  // This sample has a line that fits into no datagram.
  snapshot.families[0].samples.push_back(
      {{std::string(200, 'x')}, 1, {}, 0, 0});
  sink->Export(snapshot);
  const std::vector<std::string> datagrams = agent_.Datagrams();
  // Each line has 29 bytes, and 4 of them have 119 with what is between them.
  EXPECT_THAT(datagrams, SizeIs(25));
  EXPECT_THAT(datagrams, Each(SizeIs(119)));
  EXPECT_EQ(sink->stats().datagrams, 25u);
  EXPECT_EQ(sink->stats().dropped_lines, 1u);
}

TEST_F(StatsdMetricsTest, AnAgentThatIsAwayIsCountedAndTold) {
  StatsdMetricsOptions options;
  std::vector<std::string> told;
  options.on_failure = [&told](absl::string_view message) {
    told.emplace_back(message);
  };
  const auto sink = Make(std::move(options));
  const std::string address = agent_.address();
  agent_.Close();
  // The first one is refused; the kernel says so at the second.
  sink->Export(One("jobs_total", MetricType::kCounter, 1));
  sink->Export(One("jobs_total", MetricType::kCounter, 2));
  sink->Export(One("jobs_total", MetricType::kCounter, 3));
  EXPECT_EQ(sink->stats().failures, 2u);
  EXPECT_THAT(told, ElementsAre(absl::StrCat("statsd: sending to ", address,
                                             " fails: Connection refused")));
}

TEST_F(StatsdMetricsTest, WhatWasNotTakenGoesLater) {
  StatsdMetricsOptions options;
  std::vector<std::string> told;
  options.on_failure = [&told](absl::string_view message) {
    told.emplace_back(message);
  };
  std::vector<std::string> sent;
  bool full = false;
  options.send = [&](absl::string_view datagram) {
    if (full) return absl::ResourceExhaustedError("no buffer space");
    sent.emplace_back(datagram);
    return absl::OkStatus();
  };
  const auto sink = Make(std::move(options));
  sink->Export(One("jobs_total", MetricType::kCounter, 1));
  full = true;
  sink->Export(One("jobs_total", MetricType::kCounter, 3));
  sink->Export(One("jobs_total", MetricType::kCounter, 4));
  full = false;
  sink->Export(One("jobs_total", MetricType::kCounter, 8));
  EXPECT_THAT(sent,
              ElementsAre("jobs_total:1|c|#task:a", "jobs_total:7|c|#task:a"));
  EXPECT_EQ(sink->stats().datagrams, 2u);
  EXPECT_EQ(sink->stats().failures, 2u);
  EXPECT_THAT(told,
              ElementsAre(HasSubstr(" fails: RESOURCE_EXHAUSTED: no buffer"),
                          HasSubstr(" works again")));
}

TEST_F(StatsdMetricsTest, IsMadeFromItsConfig) {
  Registry<MetricsSink> registry("metrics sink");
  ASSERT_TRUE(RegisterMetricsPlugins(&registry).ok());
  config::StatsdMetrics config;
  config.set_address(agent_.address());
  EXPECT_EQ((*registry.Create(config))->interval(), absl::Seconds(10));
  config.set_interval("1s");
  config.set_prefix("p.");
  config.add_tags("env:test");
  config.set_max_datagram_bytes(512);
  config.set_buckets(false);
  auto sink = registry.Create(config);
  ASSERT_TRUE(sink.ok()) << sink.status();
  EXPECT_EQ((*sink)->interval(), absl::Seconds(1));
  (*sink)->Export(One("jobs_total", MetricType::kCounter, 1));
  (*sink)->Export(Histogram());
  EXPECT_THAT(agent_.Lines(),
              UnorderedElementsAre("p.jobs_total:1|c|#env:test,task:a",
                                   "p.seconds_count:3|c|#env:test",
                                   "p.seconds_sum:60.0000005|c|#env:test"));
}

TEST(StatsdMetrics, RefusesWhatCantBeRight) {
  const auto refused = [](StatsdMetricsOptions options) {
    const absl::Status status =
        StatsdMetrics::Create(std::move(options)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  for (const char* const wrong :
       {"", "localhost", ":8125", "localhost:", "localhost:0", "a:65536"}) {
    StatsdMetricsOptions options;
    options.address = wrong;
    EXPECT_THAT(refused(options), HasSubstr("address: \"")) << wrong;
  }
  StatsdMetricsOptions options;
  options.prefix = "a|b";
  EXPECT_THAT(refused(options), HasSubstr("prefix: \"a|b\" is not valid"));
  options = {};
  options.tags = {"env:a,b"};
  EXPECT_THAT(refused(options), HasSubstr("tags: \"env:a,b\" is not valid"));
  options = {};
  options.max_datagram_bytes = 127;
  EXPECT_THAT(refused(options), HasSubstr("max_datagram_bytes: 127"));
  options = {};
  options.interval = absl::ZeroDuration();
  EXPECT_THAT(refused(options), HasSubstr("interval: 0"));
}

}  // namespace
}  // namespace gearman
