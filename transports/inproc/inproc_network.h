// InprocNetwork: the names behind inproc://, and the byte streams between
// those who connect and those who listen in one process.
//
// A listener may be passive: it has no thread that polls. When a thread writes
// to one of its streams, closes it or drains it, the listener's `pump` is
// queued on that thread's own poller (Poller::Defer). The thread runs the
// listener after it has dropped its locks. So there is no other thread, no hop
// and no lock order.
//
// A child made by fork finds a network without names, but with the same
// fallbacks: the parent's listeners serve the parent alone.
//
// Thread-safe. It outlives nothing: streams and listeners keep what they need.
#ifndef GEARMAN_TRANSPORTS_INPROC_INPROC_NETWORK_H_
#define GEARMAN_TRANSPORTS_INPROC_INPROC_NETWORK_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/process/per_process.h"
#include "gearman/transports/inproc/passive_timer.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {

struct InprocListenOptions {
  // Bytes under way in each direction of a stream; more would block.
  size_t pipe_bytes = 1 << 20;
  // For a passive listener: runs it (see above). Null: it polls by itself.
  std::shared_ptr<DeferredTask> pump;
  // For a passive listener, may be null.
  std::shared_ptr<PassiveTimer> timer;
};

class InprocNetwork {
 public:
  InprocNetwork();
  InprocNetwork(const InprocNetwork&) = delete;
  InprocNetwork& operator=(const InprocNetwork&) = delete;
  ~InprocNetwork();

  // The process's network.
  static const std::shared_ptr<InprocNetwork>& Default();

  // Listens on `name`, watched on `poller` (which outlives it) under `key`:
  // that key is woken when a stream waits to be accepted. ALREADY_EXISTS: the
  // name is taken. INVALID_ARGUMENT: the name is empty.
  absl::StatusOr<std::unique_ptr<Listener>> Listen(absl::string_view name,
                                                   Poller* poller,
                                                   Poller::Key key,
                                                   InprocListenOptions options);
  // Connects to `name`; the stream is connected at once. NOT_FOUND lists the
  // names that there are.
  absl::StatusOr<std::unique_ptr<Transport>> Connect(absl::string_view name,
                                                     Poller* poller,
                                                     Poller::Key key);

  // What to do when `name` is connected to and nobody listens: `start` makes
  // somebody listen (called without locks, once at a time). Replaces an
  // earlier one.
  void SetFallback(absl::string_view name, std::function<absl::Status()> start);

  // Names that somebody listens on, sorted.
  std::vector<std::string> names() const;

 private:
  class NetworkListener;
  struct Port;
  struct State;

  // Listeners take their name back when they end, whichever ends first.
  const PerProcess<std::shared_ptr<State>> state_;
  ProcessMutex fallbacks_mutex_;
  std::map<std::string, std::function<absl::Status()>> fallbacks_
      ABSL_GUARDED_BY(fallbacks_mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_INPROC_NETWORK_H_
