// InprocNetwork: the names of inproc:// addresses, and the byte streams between
// clients and listeners of one process.
//
// A listener may be passive: it has no thread that polls. When a thread writes
// to one of its streams, closes it or drains it, the listener's `pump` is
// queued on that thread's own poller (Poller::Defer). The thread runs the
// listener after it has dropped its locks. So a passive listener needs no
// thread of its own and no switch between threads, and no order of locks exists
// between the two sides.
//
// A child made by fork finds a network without names, but with the same
// fallbacks: the parent's listeners serve only the parent.
//
// A network is thread-safe. Streams and listeners may outlive the network,
// because they share its state.
#ifndef GEARMAN_TRANSPORTS_INPROC_INPROC_NETWORK_H_
#define GEARMAN_TRANSPORTS_INPROC_INPROC_NETWORK_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/base/callback.h"
#include "gearman/process/per_process.h"
#include "gearman/transports/inproc/passive_timer.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {

// The settings of one listener.
struct InprocListenOptions {
  // Bytes under way in each direction of a stream. Writing more would block.
  size_t pipe_bytes = 1 << 20;
  // The task that runs a passive listener (see above). Null means that the
  // listener polls by itself.
  std::shared_ptr<DeferredTask> pump;
  // The next timer of a passive listener; may be null.
  std::shared_ptr<PassiveTimer> timer;
};

class InprocNetwork {
 public:
  // Makes a network without names.
  InprocNetwork();
  InprocNetwork(const InprocNetwork&) = delete;
  InprocNetwork& operator=(const InprocNetwork&) = delete;
  ~InprocNetwork();

  // Returns the network of the process.
  static const std::shared_ptr<InprocNetwork>& Default();

  // Listens on `name`. When a stream waits to be accepted, wakes `key` of
  // `poller`, which must outlive the listener. Returns ALREADY_EXISTS if the
  // name is taken, and INVALID_ARGUMENT if it is empty.
  absl::StatusOr<std::unique_ptr<Listener>> Listen(absl::string_view name,
                                                   Poller* poller,
                                                   Poller::Key key,
                                                   InprocListenOptions options);
  // Connects to `name`. The returned stream is connected. NOT_FOUND lists the
  // known names.
  absl::StatusOr<std::unique_ptr<Transport>> Connect(absl::string_view name,
                                                     Poller* poller,
                                                     Poller::Key key);

  // Sets the function that makes a listener for `name` if a client connects and
  // there is none. It replaces an earlier function. One thread at a time
  // calls `start`; it holds no lock that a user of the network could need.
  void SetFallback(absl::string_view name, Callback<absl::Status()> start);

  // Returns the names that have a listener, sorted.
  std::vector<std::string> names() const;

 private:
  class NetworkListener;
  struct Port;
  struct State;

  // Shared with the listeners, which remove their names when they end, even
  // after the network.
  const PerProcess<std::shared_ptr<State>> state_;
  ProcessMutex fallbacks_mutex_;
  std::map<std::string, Callback<absl::Status()>> fallbacks_
      ABSL_GUARDED_BY(fallbacks_mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_INPROC_NETWORK_H_
