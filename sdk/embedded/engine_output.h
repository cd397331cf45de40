// The templates with which the files of ServerEngine send packets.
#ifndef GEARMAN_SDK_EMBEDDED_ENGINE_OUTPUT_H_
#define GEARMAN_SDK_EMBEDDED_ENGINE_OUTPUT_H_

#include <cstddef>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {

// Returns RESOURCE_EXHAUSTED with the joined pieces as its text. The text is
// empty when there is no memory for it.
template <typename... Pieces>
absl::Status Exhausted(const Pieces&... pieces) {
  try {
    return absl::ResourceExhaustedError(absl::StrCat(pieces...));
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

template <typename Append>
void ServerEngine::AppendTo(EngineConnection& connection, Append&& append) {
  if (connection.gone_) return;
  NoteOutput(connection);
  if (!connection.failure_.ok()) return;
  try {
    absl::Status status = append(connection.end_of_output());
    if (!status.ok()) SetFailed(connection, std::move(status));
  } catch (const std::bad_alloc&) {
    SetFailed(connection, Exhausted("there is no memory for its output"));
  }
}

template <typename Message>
void ServerEngine::Send(EngineConnection& connection, Message&& message) {
  // The engine checks its input, so encoding does not fail.
  AppendTo(connection, [&message](wire::OutputBuffer& output) {
    return wire::Encode(std::forward<Message>(message), output);
  });
}

template <typename Message>
void ServerEngine::Forward(EngineConnection& connection, Message&& message) {
  meter().Spend(cost::kTold);
  if (connection.gone_) return;
  const size_t held = connection.held_for_output();
  AppendTo(
      connection, [this, &connection, &message](wire::OutputBuffer& output) {
        const size_t before = connection.output_bytes();
        // A connection that has joined a job a thousand times gets each of the
        // job's packets a thousand times.
        if (before > options_.max_output_bytes) {
          return Exhausted(before, " bytes wait for it (max_output_bytes)");
        }
        absl::Status status = wire::Encode(std::forward<Message>(message),
                                           output, wire::Sender::kServer);
        const size_t bytes = connection.output_bytes() - before;
        if (bytes < wire::OutputBuffer::kExternalBytes) {
          meter().Spend(cost::Bytes(bytes));
        }
        bytes_forwarded_ += bytes;
        return status;
      });
  // Weigh here, not at the end of the turn: one packet may go to thousands of
  // connections. Mostly the packet fits into memory that is counted already.
  if (connection.held_for_output() != held) Weigh(connection);
}

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_ENGINE_OUTPUT_H_
