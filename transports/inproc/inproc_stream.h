// A connected pair of in-process transports.
#ifndef GEARMAN_TRANSPORTS_INPROC_INPROC_STREAM_H_
#define GEARMAN_TRANSPORTS_INPROC_INPROC_STREAM_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "gearman/transports/inproc/passive_timer.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {

// The text that the server's end adds to the name of its listener in Describe.
inline constexpr absl::string_view kInprocClientSuffix = " (client)";

// The poller of one end, and how this end runs a passive peer.
struct InprocEndOptions {
  std::string name;  // for Describe
  std::shared_ptr<Waker> waker;
  // To run a passive peer, set both; otherwise neither.
  Poller* poller = nullptr;
  std::shared_ptr<DeferredTask> pump;
  std::shared_ptr<PassiveTimer> timer;
};

// Makes two transports, joined by two pipes of `pipe_bytes` each. Each
// transport may be used by another thread.
std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>>
MakeInprocStream(InprocEndOptions first, InprocEndOptions second,
                 size_t pipe_bytes);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_INPROC_STREAM_H_
