// The values of metrics' labels. Each enum is the index of an array of
// instruments (metrics.h), and its list has the label of each value.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_LABEL_VALUES_H_
#define GEARMAN_SDK_INTERNAL_METRICS_LABEL_VALUES_H_

#include <cstddef>
#include <iterator>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

enum class SubmitMode : unsigned char { kForeground, kBackground, kEpoch };
inline constexpr absl::string_view kSubmitModes[] = {"foreground", "background",
                                                     "epoch"};

// The outcome of a client's request.
enum class RequestOutcome : unsigned char {
  kComplete,  // for a background job: accepted
  kFailed,    // also a result or update over a limit of ours
  kException,
  kTimedOut,
  kCancelled,
  kLost,     // its server was lost, unreachable, or broke the protocol
  kRefused,  // never accepted (a server's ERROR, a limit of ours)
};
inline constexpr absl::string_view kRequestOutcomes[] = {
    "complete",  "failed", "exception", "timed_out",
    "cancelled", "lost",   "refused"};

// The outcome of a worker's job.
enum class WorkOutcome : unsigned char {
  kComplete,
  kFailed,  // also a result or update over a limit of ours
  kException,
  kTimedOut,  // its time limit passed before the handler answered
  kLost,      // its connection ended before the answer left
};
inline constexpr absl::string_view kWorkOutcomes[] = {
    "complete", "failed", "exception", "timed_out", "lost"};

// The operation that a retry repeats.
enum class RetriedOperation : unsigned char { kSubmit, kStatus, kEcho };
inline constexpr absl::string_view kRetriedOperations[] = {"submit", "status",
                                                           "echo"};

enum class GrabResult : unsigned char { kJob, kNoJob };
inline constexpr absl::string_view kGrabResults[] = {"job", "no_job"};

// The reason why a worker with nothing to do grabs again.
enum class WakeupCause : unsigned char {
  kNoop,        // the server said so
  kRegrab,      // the re-grab interval has passed
  kRegistered,  // a task was added
};
inline constexpr absl::string_view kWakeupCauses[] = {"noop", "regrab",
                                                      "registered"};

// The reason why a connection was lost. A connection that the client or worker
// closes itself (idle, old, its server removed) was not lost.
enum class ReconnectReason : unsigned char {
  kConnectFailed,  // the attempt before failed
  kClosed,         // the server ended the stream
  kFailed,         // reading or writing failed
  kProtocolError,  // the peer broke the protocol
  kUnresponsive,   // a reply or heartbeat did not come in time
};
inline constexpr absl::string_view kReconnectReasons[] = {
    "connect_failed", "closed", "failed", "protocol_error", "unresponsive"};

enum class PacketDirection : unsigned char { kSent, kReceived };
inline constexpr absl::string_view kPacketDirections[] = {"sent", "received"};

inline constexpr size_t kPriorityCount = 3;
inline constexpr size_t kSubmitModeCount = std::size(kSubmitModes);
inline constexpr size_t kRequestOutcomeCount = std::size(kRequestOutcomes);
inline constexpr size_t kWorkOutcomeCount = std::size(kWorkOutcomes);
inline constexpr size_t kRetriedOperationCount = std::size(kRetriedOperations);
inline constexpr size_t kGrabResultCount = std::size(kGrabResults);
inline constexpr size_t kWakeupCauseCount = std::size(kWakeupCauses);
inline constexpr size_t kReconnectReasonCount = std::size(kReconnectReasons);
inline constexpr size_t kPacketDirectionCount = std::size(kPacketDirections);
inline constexpr size_t kPacketTypeCount = 43;  // by number; 0 is unused

inline absl::string_view OutcomeName(RequestOutcome outcome) {
  return kRequestOutcomes[static_cast<size_t>(outcome)];
}
inline absl::string_view OutcomeName(WorkOutcome outcome) {
  return kWorkOutcomes[static_cast<size_t>(outcome)];
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_LABEL_VALUES_H_
