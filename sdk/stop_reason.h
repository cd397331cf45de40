// StopReason: why a stop token has fired (sdk/stop_token.h).
#ifndef GEARMAN_SDK_STOP_REASON_H_
#define GEARMAN_SDK_STOP_REASON_H_

#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"

namespace gearman {

// The reasons; a token has the first one that came.
enum class StopReason : unsigned char {
  kNone,            // it has not fired
  kTimeLimit,       // TaskOptions::time_limit
  kDrainLimit,      // the limit of Worker::Drain
  kConnectionLost,  // the server will give the job to another worker
  kStopped,         // Worker::Stop
};

// Returns "none", "time limit", "drain limit", "connection lost" or "stopped".
StringView StopReasonName(StopReason reason);

}  // namespace gearman

#endif  // GEARMAN_SDK_STOP_REASON_H_
