// PrometheusListener: the web server that Prometheus scrapes. The sinks of one
// process that listen on the same address share one. Thread-safe.
#ifndef GEARMAN_PLUGINS_METRICS_PROMETHEUS_LISTENER_H_
#define GEARMAN_PLUGINS_METRICS_PROMETHEUS_LISTENER_H_

#include <prometheus/collectable.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gearman/process/process_mark.h"

namespace prometheus {
class Exposer;
}  // namespace prometheus

namespace gearman {

class PrometheusListener {
 public:
  // A sink's share of a listener. The port is closed when the last sink
  // lets go, by ReleaseListener.
  struct Share {
    std::shared_ptr<PrometheusListener> listener;
    // The sources that every sink of this path serves.
    std::shared_ptr<prometheus::Collectable> collectable;
  };

  // The listener at `address` ("127.0.0.1:9464", "[::1]:9464", "9464" for all
  // interfaces), made unless this process has it; with port 0 always a new one.
  // At `path` it serves what other sinks serve there, else what `make` returns.
  // INVALID_ARGUMENT (with plugins/field_error.h's payload): no address, or
  // none of this machine; UNAVAILABLE: the port is taken; PERMISSION_DENIED: it
  // needs a privilege.
  static absl::StatusOr<Share> Get(
      const std::string& address, const std::string& path,
      const std::function<std::shared_ptr<prometheus::Collectable>()>& make);
  // Waits until the port is closed, if this was the last share: up to two
  // seconds. Calls of Get wait meanwhile, so that they find the port free.
  static void Release(Share share);

  ~PrometheusListener();

  // 0 in a child made by fork.
  int port() const;

 private:
  PrometheusListener() = default;

  ProcessMark process_;
  // A child made by fork does not have its threads, so its destructor would
  // wait for them forever there.
  OwnedByProcess<prometheus::Exposer> exposer_;
  // By path; guarded by the lock of the table of listeners.
  std::map<std::string, std::weak_ptr<prometheus::Collectable>> served_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_PROMETHEUS_LISTENER_H_
