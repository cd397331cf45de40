// QueueMetrics: reports how many jobs and workers the job servers have for each
// task, as the metrics gearman_jobs, gearman_jobs_running, gearman_workers and
// gearman_server_up (docs/guide/metrics.md).
//
//   gearman::QueueMetricsOptions options;
//   options.servers = {"jobs-1", "jobs-2"};
//   options.metrics_sinks = client_options.metrics_sinks;  // the same sinks
//   auto queues = gearman::QueueMetrics::Create(std::move(options));
//
// In a config, `queue_metrics {}` switches it on, and CreateQueueMetrics
// (sdk/config.h) starts it. One program of many is enough, because a server
// gives every program the same numbers.
#ifndef GEARMAN_SDK_QUEUE_METRICS_H_
#define GEARMAN_SDK_QUEUE_METRICS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/log.h"

namespace gearman {

class TransportRegistry;

// The settings of a QueueMetrics, as a plain value.
struct QueueMetricsOptions {
  // The servers, as in ClientOptions::servers. Empty means "inproc://default".
  // A server that is named twice is asked once.
  std::vector<std::string> servers;
  // The time from a server's answer to the next question to it; at least 1 ms.
  Duration interval = absl::Seconds(15);
  // The time for one server to connect and answer; more than zero.
  Duration timeout = absl::Seconds(2);
  // The number of tasks with labels of their own, for all servers together. All
  // other tasks are added up as "other". Tasks with workers get labels first,
  // then tasks that have a label already, then tasks with jobs. A task that no
  // server knows any more is forgotten.
  size_t max_tasks = 100;
  // The sinks that get the metrics.
  std::vector<std::shared_ptr<MetricsSink>> metrics_sinks;
  // The address schemes. Null means TransportRegistry::Default(), which
  // //sdk:builtins fills.
  std::shared_ptr<TransportRegistry> transports;
  // Gets a message when a server can't be asked, and when it can be asked
  // again.
  Logger logger = DefaultLogger();
};

// Threads: a QueueMetrics has one thread, which asks all servers at once with
// "status" (docs/protocol.md, section "Admin text protocol") and hands the
// answers to the sinks. Any thread may call any function. A program without a
// QueueMetrics pays nothing for it.
//
// In a child made by fork AskNow returns FAILED_PRECONDITION, metrics() is
// empty, and the destructor does nothing. If a sink or logger destroys the
// QueueMetrics that calls it, the log gets an error, and the QueueMetrics ends
// when that call has returned.
//
// A server that can't be asked, or has not answered within the timeout, has
// gearman_server_up 0 and no other metric. It delays no other server. Labels of
// tasks are safe text (text/safe_text.h). A line feed in a name breaks its row
// in two. Such rows are left out, and the log says so.
class QueueMetrics {
 public:
  // Starts asking. Returns INVALID_ARGUMENT for an address, interval or timeout
  // that can't be right and, with a tls:// address, for a TLS file that can't
  // be used (docs/guide/tls.md). Returns NOT_FOUND for an address scheme that
  // no linked transport has.
  static absl::StatusOr<std::unique_ptr<QueueMetrics>> Create(
      QueueMetricsOptions options);
  // Cancels a question that is under way.
  ~QueueMetrics();
  QueueMetrics(const QueueMetrics&) = delete;
  QueueMetrics& operator=(const QueueMetrics&) = delete;

  // Asks every server now, on the calling thread, and waits for all of them. A
  // server that is being asked already is asked again after that. Returns the
  // first error of those that AdminClient names; the other servers are asked
  // all the same.
  absl::Status AskNow();

  // Returns the last answers, with or without sinks.
  MetricsSnapshot metrics() const;

 private:
  class Asker;

  explicit QueueMetrics(std::shared_ptr<Asker> asker);

  // Only the destructor moves the asker out.
  std::shared_ptr<Asker> asker_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_QUEUE_METRICS_H_
