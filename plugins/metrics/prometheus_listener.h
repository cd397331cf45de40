// PrometheusListener: the web server for Prometheus scrapes. The sinks of one
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
  // A sink's share of a listener. Release closes the port when it gets the last
  // share.
  struct Share {
    std::shared_ptr<PrometheusListener> listener;
    // The sources that all sinks with this path serve.
    std::shared_ptr<prometheus::Collectable> collectable;
  };

  // Returns the listener at `address` ("127.0.0.1:9464", "[::1]:9464", or
  // "9464" for all interfaces). Makes one unless this process has it; for port
  // 0 always makes a new one. At `path` it serves what other sinks serve there,
  // or else the result of `make`. Returns INVALID_ARGUMENT (with the payload of
  // plugins/field_error.h) if `address` is no address or not one of this
  // machine, UNAVAILABLE if the port is taken, and PERMISSION_DENIED if the
  // port needs a privilege.
  static absl::StatusOr<Share> Get(
      const std::string& address, const std::string& path,
      const std::function<std::shared_ptr<prometheus::Collectable>()>& make);
  // Gives a share back. For the last share, waits until the port is closed: up
  // to two seconds. Calls of Get wait meanwhile, so that they find the port
  // free.
  static void Release(Share share);

  ~PrometheusListener();

  // The port. 0 in a child made by fork.
  int port() const;

 private:
  PrometheusListener() = default;

  ProcessMark process_;
  // Not destroyed in a child made by fork: the child does not have the
  // exposer's threads, so the destructor would wait for them forever.
  OwnedByProcess<prometheus::Exposer> exposer_;
  // The collectables by path. Guarded by the lock of the table of listeners.
  std::map<std::string, std::weak_ptr<prometheus::Collectable>> served_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_PROMETHEUS_LISTENER_H_
