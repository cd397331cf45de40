// ClientSession is the state that belongs to one connection of a client and
// ends with it: the order of replies, the handles, the options sent.
//
// It is a pure machine. Commands and events go in; bytes (into the connection's
// output buffer) and effects (to the sink) come out. It does no I/O, knows no
// time and has no lock: the client's lock guards it. Every call but
// OnConnectionLost is O(1), however much is in flight.
//
// Source: docs/protocol.md, "Client semantics".
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SESSION_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SESSION_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/client/handle_table.h"
#include "gearman/sdk/internal/client/reply_queue.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/query.h"

namespace gearman {
namespace internal {

class ClientSession {
 public:
  // `sink` and `output` outlive the session. `output` belongs to the
  // connection. `task_prefix` is put before each task on the wire. Detach calls
  // `on_unused` (if set) when nobody waits for anything of this connection any
  // more.
  ClientSession(EffectSink* sink, wire::OutputBuffer* output,
                std::string task_prefix,
                std::function<void()> on_unused = nullptr);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // --- commands --------------------------------------------------------------
  // Asks for exceptions. Call it first on a connection, or never.
  void AskForExceptions();
  // Asks for a sign of life. The reply counts, but no operation waits for it.
  void SendHeartbeat();
  // Asks whether the server still has the job with `handle`. If the answer is
  // that it does not, and the end of the job has not come before, the job was
  // dropped without a word: an effect says so for each of its requests. No
  // operation waits for the answer.
  void AskAfterJob(absl::string_view handle);
  // Submits. A foreground request whose task and explicit unique equal those of
  // a request in flight here shares its submission, and nothing is sent. If
  // that request has been accepted already, an effect accepts this one, too.
  // INVALID_ARGUMENT: the packet can't be encoded; nothing has changed.
  absl::Status Submit(JobRequestState* request);
  // Asks. INVALID_ARGUMENT: the packet can't be encoded; nothing has changed.
  absl::Status Ask(Query* query);
  // Call it when nobody waits for `operation` any more. Later packets for the
  // operation are ignored.
  void Detach(Operation* operation);

  // --- inputs ----------------------------------------------------------------
  // Handles an event of the connection, and may take its data. DATA_LOSS: the
  // peer broke the protocol, and the connection must be closed.
  absl::Status OnEvent(wire::ToClient& event);
  // True if the payload of this packet should come in pieces (wire::Decoder).
  bool PassesInPieces(const wire::CommandInfo& info,
                      absl::string_view handle) const {
    return (info.command == wire::Command::kWorkData ||
            info.command == wire::Command::kWorkComplete) &&
           WantsPieces(handles_.FindAlone(handle));
  }
  // Appends every operation that is still waited for to `orphans`. The
  // connection is gone.
  void OnConnectionLost(std::vector<Orphan>* orphans);

  // --- getters ---------------------------------------------------------------
  // The number of commands that have no reply so far.
  size_t replies_due() const { return replies_.size(); }
  // The number of accepted foreground jobs that have not ended. jobs_awaited()
  // counts those of them that a request waits for.
  size_t jobs_running() const { return handles_.size(); }
  size_t jobs_awaited() const { return handles_.awaited(); }
  // True if nobody waits for anything of this connection.
  bool unused() const { return replies_due() == 0 && jobs_awaited() == 0; }
  // The number of replies received so far.
  uint64_t replies_received() const { return replies_received_; }
  // Advice for the case that the server does not answer. It is empty unless the
  // first request, for options, is still unanswered.
  absl::string_view hint() const;

 private:
  // The session remembers so many handles of jobs that ended in WORK_FAIL or
  // WORK_EXCEPTION. More packets may come for such a handle without a breach:
  // after the cancellation of a running job, or from a server that sends a
  // WORK_FAIL after each exception.
  static constexpr size_t kMaxEndedHandles = 4096;

  absl::Status Handle(wire::JobCreated& event);
  absl::Status Handle(wire::WorkComplete& event);
  absl::Status Handle(wire::WorkData& event);
  absl::Status Handle(wire::WorkStatus& event);
  absl::Status Handle(wire::WorkWarning& event);
  absl::Status Handle(wire::WorkFail& event);
  absl::Status Handle(wire::WorkException& event);
  absl::Status Handle(wire::StatusResult& event);
  absl::Status Handle(wire::StatusResultUnique& event);
  absl::Status Handle(wire::EchoResponse& event);
  absl::Status Handle(wire::OptionResponse& event);
  absl::Status Handle(wire::Error& event);
  absl::Status Handle(wire::TooLargePacket& event);
  absl::Status Handle(wire::PayloadBegins& event);
  absl::Status Handle(wire::PayloadPiece& event);

  // Pops the front entry, which must expect one of the two. DATA_LOSS
  // otherwise.
  absl::Status PopReply(ExpectedReply expected, ExpectedReply or_expected,
                        absl::string_view packet, absl::string_view about,
                        ReplyQueue::Entry* entry);
  // Pops the front entry, which must expect `expected`. Gives `effect`, the
  // answer, to its query, if it still waits. DATA_LOSS: the reply is out of
  // turn.
  absl::Status AnswerQuery(ExpectedReply expected, absl::string_view packet,
                           absl::string_view about, Effect&& effect);
  // Gives `effect` to each request of the job that the packet is for.
  // DATA_LOSS: no job of this connection has the handle.
  absl::Status Spread(absl::string_view handle, absl::string_view packet,
                      bool ends_job, Effect&& effect);
  // Gives `effect` to `first`, and to each request behind it. All but the last
  // get a copy of its data.
  void GiveToAll(JobRequestState* first, bool ends_job, Effect&& effect);
  // Handles the answer to AskAfterJob.
  void OnJobKnown(const wire::StatusResult& event);
  void RememberEnded(absl::string_view handle);
  // Appends the packet that submits the request.
  absl::Status EncodeSubmit(JobRequestState* request);
  // Appends `message` with the data of the request, which may come from a
  // source.
  template <typename Message>
  absl::Status EncodeWithData(Message message, JobRequestState* request);

  static bool WantsPieces(const JobRequestState* request) {
    return request != nullptr &&
           request->call_options().callbacks.on_piece != nullptr;
  }
  // Requests may share a submission by task and unique.
  static bool MayShare(const JobRequestState& request);
  static std::string ShareKey(const JobRequestState& request);
  // Call it when the request ends: if it stands for a submission, nobody shares
  // that any more.
  void StopSharing(const JobRequestState& request);

  // Takes the operation out of the reply queue or handle table.
  void Forget(Operation* operation);

  EffectSink* const sink_;
  wire::OutputBuffer* const output_;
  const std::string task_prefix_;
  const std::function<void()> on_unused_;
  std::string task_scratch_;  // task_prefix_ + task
  ReplyQueue replies_;
  uint64_t replies_received_ = 0;
  HandleTable handles_;
  // One of the requests that share a submission, by ShareKey. It has this key
  // itself.
  absl::flat_hash_map<std::string, JobRequestState*> shared_;
  // The payload that is passing in pieces, and the handle that it is for.
  DataPiece passing_;
  std::string passing_for_;
  std::deque<std::string> ended_order_;
  absl::flat_hash_set<std::string> ended_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SESSION_H_
