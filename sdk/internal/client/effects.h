// An effect says what a protocol event means for an operation of a session.
// ClientSession makes effects, and JobRequestTracker handles them.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_EFFECTS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_EFFECTS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/operation.h"

namespace gearman {
namespace internal {

struct Effect {
  enum class Kind : unsigned char {
    kRefused,      // a job or query: ERROR with `code` and `text`
    kData,         // a job: WORK_DATA, `data`
    kWarning,      // a job: WORK_WARNING, `data`
    kFailureText,  // a job: the text of the WORK_FAIL that follows, `data`
    kStatus,       // a job: WORK_STATUS; a query: the answer
    kCompleted,    // a job: WORK_COMPLETE, `data`
    kFailed,       // a job: WORK_FAIL
    kException,    // a job: WORK_EXCEPTION, `data`
    kEcho,         // a query: ECHO_RES, `data`
    // A job's result or update, or a query's answer: its payload exceeds this
    // client's limit and was skipped. `too_large` describes the packet.
    kTooLarge,
    kNoMemory,  // a job: there was no memory for its result or update
    kDropped,   // a job: its server has it no more, and told no end of it
  };

  Kind kind = Kind::kFailed;
  Operation* operation = nullptr;
  // `code`, `text`, `data` and `too_large` are valid while the sink handles
  // the effect.
  absl::string_view code;
  absl::string_view text;
  Payload data;
  const wire::TooLargePacket* too_large = nullptr;
  // The kind is kCompleted, and the result has passed in pieces.
  bool in_pieces = false;
  // Set if the kind is kStatus.
  bool known = false;
  bool running = false;
  int64_t numerator = 0;
  int64_t denominator = 0;
  int64_t client_count = 0;
};

// EffectSink is what a session tells its effects.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  // A job was accepted. Its handle is set. For a background job, the sink may
  // free the request.
  virtual void OnAccepted(JobRequestState* request) = 0;
  // Handles an effect, and may take its data. It may detach the operation from
  // its session, and end it. It must not give the session commands.
  virtual void OnEffect(Effect& effect) = 0;
  // Handles a piece of the data or result of this request, which is not the
  // whole of it. Like OnEffect.
  virtual void OnPiece(JobRequestState* request, const DataPiece& piece) = 0;
};

// An operation whose connection was lost.
struct Orphan {
  Operation* operation;
  bool accepted;    // its JOB_CREATED had come
  bool bytes_sent;  // at least one byte of its packet had been written
  // The packet has a body from a source, and a part of it had not been written.
  // No server accepts a part of a packet.
  bool cut_off = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_EFFECTS_H_
