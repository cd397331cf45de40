// QueueMetrics: how many jobs and workers there are for each task at the job
// servers, as metrics: gearman_jobs, gearman_jobs_running, gearman_workers,
// gearman_server_up (docs/metrics.md).
//
//   gearman::QueueMetricsOptions options;
//   options.servers = {"jobs-1", "jobs-2"};
//   options.metrics_sinks = client_options.metrics_sinks;  // the same sinks
//   auto queues = gearman::QueueMetrics::Create(std::move(options));
//
// With a config, take servers, metrics_sinks and transports from its
// ClientOptions. One program of many is enough: what a server tells is the same
// for all.
//
// Threads: one of its own, which asks one server after the other with an
// AdminClient's "status" and hands the answers to the sinks. Every function may
// be called from any thread. Who makes none pays nothing.
//
// In a child made by fork AskNow returns FAILED_PRECONDITION, metrics() is
// empty, and the destructor does nothing. If a sink or logger destroys the
// QueueMetrics that calls it, the log gets an error, and the QueueMetrics ends
// when that call has returned.
//
// A server that can't be asked has gearman_server_up 0 and nothing else, and
// takes nothing from the others but its timeout. Labels of tasks are safe text
// (text/safe_text.h). Rows that a line feed in a name has spoiled are left out,
// and the log says so.
#ifndef GEARMAN_SDK_QUEUE_METRICS_H_
#define GEARMAN_SDK_QUEUE_METRICS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {

struct QueueMetricsOptions {
  // As ClientOptions::servers. Empty: "inproc://default". One that is named
  // twice is asked once.
  std::vector<std::string> servers;
  // From one round of questions to the next; at least 1 ms.
  absl::Duration interval = absl::Seconds(15);
  // For one server to be connected to and to answer. More than zero; may be
  // infinite, but then one server that is silent keeps the others' answers.
  absl::Duration timeout = absl::Seconds(2);
  // Tasks with labels of their own, all servers together; the rest is added up
  // as "other". Tasks with workers come first, then those that have a label
  // already, then those with jobs. A task that no server knows any more is
  // forgotten.
  size_t max_tasks = 100;
  std::vector<std::shared_ptr<MetricsSink>> metrics_sinks;
  // Address schemes; null: TransportRegistry::Default(), which //sdk:builtins
  // fills.
  std::shared_ptr<TransportRegistry> transports;
  // Hears of servers that can't be asked, and can again.
  Logger logger = DefaultLogger();
};

class QueueMetrics {
 public:
  // Begins to ask. INVALID_ARGUMENT: an address, interval or timeout that can't
  // be right, or, for a tls:// address, a file of TLS that can't be used
  // (docs/tls.md); NOT_FOUND: an address scheme that no linked transport has.
  static absl::StatusOr<std::unique_ptr<QueueMetrics>> Create(
      QueueMetricsOptions options);
  // Ends a question that is under way.
  ~QueueMetrics();
  QueueMetrics(const QueueMetrics&) = delete;
  QueueMetrics& operator=(const QueueMetrics&) = delete;

  // Asks every server now, on the calling thread. Returns the first error,
  // AdminClient's; the other servers have been asked all the same.
  absl::Status AskNow();

  // The last answers, whatever the sinks.
  MetricsSnapshot metrics() const;

 private:
  class Asker;

  explicit QueueMetrics(std::shared_ptr<Asker> asker);

  // Only the destructor gives it away.
  std::shared_ptr<Asker> asker_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_QUEUE_METRICS_H_
