// StatsdMetrics ("statsd"): metrics for a StatsD agent that knows DogStatsD's
// tags (Datadog's, Telegraf, statsd_exporter, Vector), over UDP.
//
//   auto metrics = gearman::StatsdMetrics::Create({"127.0.0.1:8125"});
//   options.metrics_sinks.push_back(*std::move(metrics));
//
// The names are those of docs/guide/metrics.md, and labels become tags. At each
// interval the sink sends
//
//   counters    the increase since the last report, if it is not 0:
//               `gearman_client_jobs_finished_total:3|c|#task:a,outcome:failed`
//   gauges      the value, added up over all clients and workers of this sink:
//               `gearman_client_jobs_in_flight:7|g|#task:a`. A gauge that is
//               gone is 0 in ten reports, and is then forgotten
//   histograms  three counters, with the names that Prometheus gives them:
//               `NAME_count:3|c`, `NAME_sum:0.25|c` and, unless switched off,
//               `NAME_bucket:2|c|#lower_bound:0.001,upper_bound:0.0025` for
//               each bucket that has grown
//
// StatsD's own `|ms` and `|h` need each observation, but the SDK keeps only
// buckets, because no plugin is called while it handles a job. If the sink
// invented observations from buckets, the agent would show percentiles that
// nobody has measured. Counters can be added up over hosts and time, as agents
// expect, and no observation is missing from them. The buckets are not
// cumulative, like those of Datadog's OpenMetrics check with
// `non_cumulative_histogram_buckets`.
//
// The sink never blocks. A datagram that the kernel does not take at once
// counts as a failure, and its counters are sent with the next interval. A
// datagram that is lost on its way over UDP is not sent again, so what it added
// to counters is missing at the agent. The sink is thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_STATSD_METRICS_H_
#define GEARMAN_PLUGINS_METRICS_STATSD_METRICS_H_

#include <cstddef>
#include <cstdint>
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
#include "gearman/base/callback.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/process/descriptor.h"

namespace gearman {

// The settings of a StatsdMetrics.
struct StatsdMetricsOptions {
  // The agent: "127.0.0.1:8125", "[::1]:8125", "statsd.internal:8125". Create
  // looks up a name once.
  std::string address = "127.0.0.1:8125";
  // The time between two reports; at least 1 ms.
  absl::Duration interval = absl::Seconds(10);
  // A prefix for each name: "shop." makes "shop.gearman_jobs".
  std::string prefix;
  // Tags for every metric, before its own tags: {"env:production", "canary"}.
  std::vector<std::string> tags;
  // Bytes of one datagram, from 128 to 65507. A datagram holds as many lines as
  // fit: 1432 is for Ethernet, 8932 for jumbo frames and the loopback.
  size_t max_datagram_bytes = 1432;
  // Whether to send the buckets of histograms, beside their count and sum.
  bool buckets = true;
  // Sends a datagram instead of the sink's own socket to `address`, for example
  // through a Unix socket. It must not block, and is called with a lock of the
  // sink held. An error means that the datagram has not been sent.
  Callback<absl::Status(absl::string_view datagram)> send;
  // Called when sending begins to fail and when it works again, with a lock of
  // the sink held. If unset, failures are only counted in stats().
  Callback<void(absl::string_view message)> on_failure;
};

class StatsdMetrics : public MetricsSink {
 public:
  // The counts of what was sent so far.
  struct Stats {
    uint64_t datagrams = 0;      // sent
    uint64_t failures = 0;       // refused by the kernel or the agent
    uint64_t dropped_lines = 0;  // longer than max_datagram_bytes
  };

  // Returns INVALID_ARGUMENT for an address, prefix, tag or size that can't be
  // right, and UNAVAILABLE if the name can't be looked up or there is no
  // socket.
  static absl::StatusOr<std::unique_ptr<StatsdMetrics>> Create(
      StatsdMetricsOptions options = {});
  ~StatsdMetrics() override;

  // Returns what the sink has sent so far. Any thread may call it.
  Stats stats() const;

  void Export(const MetricsSnapshot& snapshot) override;
  absl::Duration interval() const override { return options_.interval; }
  void Attach(std::shared_ptr<MetricsSource> source) override;
  // Sends the gauges of the ended source once more: with the values of the
  // other sources, or 0. Otherwise an agent would show the last value forever.
  void Detach(const MetricsSource* source) override;
  absl::string_view name() const override { return "statsd"; }

 private:
  // The key of a value: the text before and the text after the value in its
  // line ("NAME", "|c|#TAGS").
  using Line = std::pair<std::string, std::string>;
  using Values = std::map<Line, double>;
  struct Gauge {
    double value = 0;
    int reports_gone = 0;  // since it last had a sample
  };
  struct Source {
    Values counters;  // the totals that have been sent
    std::map<Line, Gauge> gauges;
    // Takes over the values of a report.
    void SetGauges(const Values& values);
  };

  StatsdMetrics(StatsdMetricsOptions options, Descriptor socket);

  // Adds a sample's values to those of its lines.
  void Take(const MetricFamily& family, const MetricSample& sample,
            Values* counters, Values* gauges) const;
  void SendGauge(const Line& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds a line to the datagram; sends the datagram first if it is full. When
  // the line has left, sets `*sent` to `total`.
  void Append(const Line& line, absl::string_view value, double* sent,
              double total) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the datagram and returns whether it has left. `trouble` gets the
  // error, if any, even if it was the answer to an earlier datagram.
  bool Send(std::string* trouble) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops the datagram that an earlier call has left when its memory ran out.
  // The assignments of that may be to a source that is gone.
  void DropUnsent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const StatsdMetricsOptions options_;
  const std::string constant_tags_;  // "env:production,canary"
  const Descriptor socket_;          // not open with options_.send
  mutable absl::Mutex mutex_;
  std::map<const MetricsSource*, uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Source> sources_ ABSL_GUARDED_BY(mutex_);
  std::string datagram_ ABSL_GUARDED_BY(mutex_);
  // The assignments to make when the datagram has left.
  std::vector<std::pair<double*, double>> on_sent_ ABSL_GUARDED_BY(mutex_);
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  Stats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_STATSD_METRICS_H_
