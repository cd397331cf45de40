// Encoder: messages to bytes.
//
// Encode validates everything that a server would answer with a closed
// connection, silence or worse (docs/protocol.md), so that a caller's mistake
// becomes an INVALID_ARGUMENT that names the packet and the argument; then
// nothing has been appended. Stateless; any thread, one output buffer at a
// time.
//
// What is checked: no NUL in an argument before the last; uniques and handles
// of at most 63 bytes; all arguments before the data within 8,180 bytes; epochs
// and timeouts that are numbers a server can hold; a body of less than 4 GiB.
#ifndef GEARMAN_CODECS_WIRE_ENCODER_H_
#define GEARMAN_CODECS_WIRE_ENCODER_H_

#include "absl/status/status.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace wire {

// Who sends a packet that travels on from worker to server to client: tells
// the magic.
enum class Sender : unsigned char {
  kWorker,  // request magic
  kServer,  // response magic
};

// Each appends the packet of `message` to `out`. A large payload that is not
// borrowed is not copied (OutputBuffer::AppendPayload).

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
// `count` times the same: a worker with many grabs outstanding sends so many in
// each turn.
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
