// StatsdMetrics ("statsd"): metrics for a StatsD agent that knows DogStatsD's
// tags (Datadog's, Telegraf, statsd_exporter, Vector), over UDP.
//
//   auto metrics = gearman::StatsdMetrics::Create({"127.0.0.1:8125"});
//   options.metrics_sinks.push_back(*std::move(metrics));
//
// Names are those of docs/metrics.md, labels become tags. Each interval sends
//
//   counters    what was added since the last time, when that is not 0:
//               `gearman_client_jobs_finished_total:3|c|#task:a,outcome:failed`
//   gauges      their value, all clients and workers of this sink added up:
//               `gearman_client_jobs_in_flight:7|g|#task:a`
//   histograms  as three counters, with the names that Prometheus gives them:
//               `NAME_count:3|c`, `NAME_sum:0.25|c` and, unless switched off,
//               `NAME_bucket:2|c|#lower_bound:0.001,upper_bound:0.0025` for
//               each bucket that has grown
//
// StatsD's own `|ms` and `|h` want each observation; the SDK keeps only buckets
// (no plugin on a job's way), and inventing observations from them would tell
// an agent of percentiles that nobody has measured. Counters add up over hosts
// and time, as agents do with them, and lose nothing. The buckets are not
// cumulative, as in Datadog's OpenMetrics check with
// `non_cumulative_histogram_buckets`.
//
// Never blocks: what the kernel does not take at once is counted as a failure.
// Counters that were not sent for that reason go with the next interval; what
// UDP loses on its way is lost. Thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_STATSD_METRICS_H_
#define GEARMAN_PLUGINS_METRICS_STATSD_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/descriptor.h"

namespace gearman {

struct StatsdMetricsOptions {
  // The agent: "127.0.0.1:8125", "[::1]:8125", "statsd.internal:8125". A name
  // is looked up once, by Create.
  std::string address = "127.0.0.1:8125";
  // How often; at least 1 ms.
  absl::Duration interval = absl::Seconds(10);
  // Put before each name: "shop." makes "shop.gearman_jobs".
  std::string prefix;
  // Put on every metric before its own tags: {"env:production", "canary"}.
  std::vector<std::string> tags;
  // Bytes of one datagram, into which as many lines go as fit: 1432 for
  // Ethernet, 8932 for jumbo frames and the loopback. 128 to 65507.
  size_t max_datagram_bytes = 1432;
  // The buckets of histograms, too; else only their count and sum.
  bool buckets = true;
  // Sends a datagram in place of our own socket to `address`: through a Unix
  // socket, say. Must not block; called with a lock of the sink held. An error
  // means that it has not been sent.
  std::function<absl::Status(absl::string_view datagram)> send;
  // Told when sending begins to fail, and when it works again, with a lock of
  // the sink held. Unset: nobody; failures are counted in stats().
  std::function<void(absl::string_view message)> on_failure;
};

class StatsdMetrics : public MetricsSink {
 public:
  struct Stats {
    uint64_t datagrams = 0;      // sent
    uint64_t failures = 0;       // not taken, or refused by the agent
    uint64_t dropped_lines = 0;  // longer than max_datagram_bytes
  };

  // INVALID_ARGUMENT: an address, prefix, tag or size that can't be right.
  // UNAVAILABLE: the name can't be looked up, or there is no socket.
  static absl::StatusOr<std::unique_ptr<StatsdMetrics>> Create(
      StatsdMetricsOptions options = {});
  ~StatsdMetrics() override;

  Stats stats() const;

  void Export(const MetricsSnapshot& snapshot) override;
  absl::Duration interval() const override { return options_.interval; }
  void Attach(std::shared_ptr<MetricsSource> source) override;
  // Gauges of what has ended go on with the others' values, or to 0: an agent
  // would show the last one for ever.
  void Detach(const MetricsSource* source) override;
  absl::string_view name() const override { return "statsd"; }

 private:
  // The last values of one client or worker, by what precedes and follows the
  // value in its line ("NAME", "|c|#TAGS").
  using Line = std::pair<std::string, std::string>;
  using Values = std::map<Line, double>;
  struct Source {
    Values counters;  // their totals, as far as they have been sent
    Values gauges;
  };

  StatsdMetrics(StatsdMetricsOptions options, Descriptor socket);

  // Adds a sample to the lines that it makes.
  void Take(const MetricFamily& family, const MetricSample& sample,
            Values* counters, Values* gauges) const;
  void SendGauge(const Line& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds a line to the datagram, which is sent first when it is full. `sent` is
  // set to `total` when it has left.
  void Append(const Line& line, absl::string_view value, double* sent,
              double total) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the datagram has left. `trouble` is what went wrong, if anything,
  // perhaps with an earlier one.
  bool Send(std::string* trouble) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const StatsdMetricsOptions options_;
  const std::string constant_tags_;  // "env:production,canary"
  const Descriptor socket_;          // none with options_.send
  mutable absl::Mutex mutex_;
  std::map<const MetricsSource*, uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Source> sources_ ABSL_GUARDED_BY(mutex_);
  std::string datagram_ ABSL_GUARDED_BY(mutex_);
  // What to do when the datagram has left.
  std::vector<std::pair<double*, double>> on_sent_ ABSL_GUARDED_BY(mutex_);
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  Stats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_STATSD_METRICS_H_
