// Encoder: turns messages into bytes.
//
// Encode checks everything that a server would answer with a closed connection,
// with silence or worse (docs/protocol.md). A mistake of the caller is
// INVALID_ARGUMENT with the packet and the argument; then nothing has been
// appended. Stateless; any thread, one output buffer at a time.
//
// Encode checks that no argument before the last holds a NUL, that uniques and
// handles have at most 63 bytes, that all arguments before the data fit into
// 8,180 bytes, that epochs and timeouts are numbers that a server can hold, and
// that the body has less than 4 GiB.
#ifndef GEARMAN_CODECS_WIRE_ENCODER_H_
#define GEARMAN_CODECS_WIRE_ENCODER_H_

#include "absl/status/status.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace wire {

// The sender of a packet that travels from worker to server to client. It
// decides the magic.
enum class Sender : unsigned char {
  kWorker,  // request magic
  kServer,  // response magic
};

// Each function appends the packet of `message` to `out`. A large payload that
// is not borrowed is not copied (OutputBuffer::AppendPayload).

// --- to the server ---
absl::Status Encode(const CanDo& message, OutputBuffer& out);
// The timeout must be a decimal number of at most 4294967295. Some larger
// numbers make a server harm the worker or itself.
absl::Status Encode(const CanDoTimeout& message, OutputBuffer& out);
absl::Status Encode(const CantDo& message, OutputBuffer& out);
absl::Status Encode(const ResetAbilities& message, OutputBuffer& out);
absl::Status Encode(const PreSleep& message, OutputBuffer& out);
absl::Status Encode(const AllYours& message, OutputBuffer& out);
absl::Status Encode(const SetClientId& message, OutputBuffer& out);
absl::Status Encode(const GrabJob& message, OutputBuffer& out);
// Appends `count` equal packets: a worker with many grabs outstanding sends
// several in each turn.
void EncodeGrabs(const GrabJob& message, int count, OutputBuffer& out);
absl::Status Encode(SubmitJob message, OutputBuffer& out);
absl::Status Encode(SubmitJobScheduled message, OutputBuffer& out);
// The epoch must be a decimal number within int64, 0 or more.
absl::Status Encode(SubmitJobEpoch message, OutputBuffer& out);
absl::Status Encode(SubmitReduceJob message, OutputBuffer& out);
absl::Status Encode(const GetStatus& message, OutputBuffer& out);
absl::Status Encode(const GetStatusUnique& message, OutputBuffer& out);
absl::Status Encode(EchoRequest message, OutputBuffer& out);
absl::Status Encode(const OptionRequest& message, OutputBuffer& out);

// --- both ways ---
absl::Status Encode(const WorkStatus& message, OutputBuffer& out,
                    Sender sender = Sender::kWorker);
absl::Status Encode(WorkComplete message, OutputBuffer& out,
                    Sender sender = Sender::kWorker);
absl::Status Encode(const WorkFail& message, OutputBuffer& out,
                    Sender sender = Sender::kWorker);
absl::Status Encode(WorkException message, OutputBuffer& out,
                    Sender sender = Sender::kWorker);
absl::Status Encode(WorkData message, OutputBuffer& out,
                    Sender sender = Sender::kWorker);
absl::Status Encode(WorkWarning message, OutputBuffer& out,
                    Sender sender = Sender::kWorker);

// --- from the server ---
absl::Status Encode(EchoResponse message, OutputBuffer& out);
absl::Status Encode(const OptionResponse& message, OutputBuffer& out);
absl::Status Encode(const Error& message, OutputBuffer& out);
absl::Status Encode(const JobCreated& message, OutputBuffer& out);
absl::Status Encode(const StatusResult& message, OutputBuffer& out);
absl::Status Encode(const StatusResultUnique& message, OutputBuffer& out);
absl::Status Encode(const Noop& message, OutputBuffer& out);
absl::Status Encode(const NoJob& message, OutputBuffer& out);
absl::Status Encode(JobAssign message, OutputBuffer& out);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_ENCODER_H_
