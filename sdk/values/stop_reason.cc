#include "gearman/sdk/stop_reason.h"

namespace gearman {

StringView StopReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::kNone:
      return "none";
    case StopReason::kTimeLimit:
      return "time limit";
    case StopReason::kDrainLimit:
      return "drain limit";
    case StopReason::kConnectionLost:
      return "connection lost";
    case StopReason::kStopped:
      return "stopped";
  }
  return "none";
}

}  // namespace gearman
