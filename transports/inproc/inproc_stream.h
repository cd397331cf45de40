// InprocStream: a connected pair of in-process transports.
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

// What the server's end adds to the name of its listener in Describe.
inline constexpr absl::string_view kInprocClientSuffix = " (client)";

// Where an end is watched, and what it must do for the other one.
struct InprocEndOptions {
  std::string name;  // for Describe
  std::shared_ptr<Waker> waker;
  // To pump a passive peer: both set, or neither.
  Poller* poller = nullptr;
  std::shared_ptr<DeferredTask> pump;
  std::shared_ptr<PassiveTimer> timer;
};

// Two transports joined by two pipes of `pipe_bytes` each. Each may be used by
// a thread of its own.
std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>>
MakeInprocStream(InprocEndOptions first, InprocEndOptions second,
                 size_t pipe_bytes);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_INPROC_STREAM_H_
