// ClientSession: what belongs to one connection of a client and dies with it:
// the order of replies, the handles, the options sent.
//
// A pure machine: commands and events in; bytes (in the connection's output
// buffer) and Effects out. No I/O, no time, no lock of its own: guarded by the
// client's. Every call is O(1), whatever is in flight, but OnConnectionLost.
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
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/client/handle_table.h"
#include "gearman/sdk/internal/client/job_request_state.h"
#include "gearman/sdk/internal/client/query.h"
#include "gearman/sdk/internal/client/reply_queue.h"

namespace gearman {
namespace internal {

class ClientSession {
 public:
  // `output` is the connection's and outlives the session. `task_prefix` is
  // put before each task on the wire. Detach calls `on_unused` (if it is set)
  // when nobody waits for anything of this connection any more.
  ClientSession(wire::OutputBuffer* output, std::string task_prefix,
                std::function<void()> on_unused = nullptr);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // --- commands --------------------------------------------------------------
  // Asks for exceptions; the first thing on a connection, if at all.
  void AskForExceptions();
  // Asks for a sign of life: the reply counts, and is nobody's.
  void SendHeartbeat();
  // Submits. A foreground request whose task and (explicit) unique equal those
  // of one in flight here shares its submission: nothing is sent, and when that
  // one has been accepted already, so is this, by an effect.
  // INVALID_ARGUMENT: the packet can't be made; nothing happened.
  absl::Status Submit(JobRequestState* request, Effects* effects);
  // Asks. INVALID_ARGUMENT as above.
  absl::Status Ask(Query* query);
  // Nobody waits for `operation` any more; what still comes for it is ignored.
  void Detach(Operation* operation);

  // --- inputs ----------------------------------------------------------------
  // An event of the connection. Appends to `effects`, which refer to `event`.
  // DATA_LOSS: the peer broke the protocol: the connection must be closed.
  absl::Status OnEvent(wire::ToClient& event, Effects* effects);
  // The connection is gone: puts every operation out that is still waited for.
  void OnConnectionLost(std::vector<Orphan>* orphans);

  // --- getters ---------------------------------------------------------------
  // Commands without a reply so far.
  size_t replies_due() const { return replies_.size(); }
  // Accepted foreground jobs that have not ended; and those of them that a
  // request waits for.
  size_t jobs_running() const { return handles_.size(); }
  size_t jobs_awaited() const { return handles_.awaited(); }
  // Nobody waits for anything of this connection.
  bool unused() const { return replies_due() == 0 && jobs_awaited() == 0; }
  // Replies received so far.
  uint64_t replies_received() const { return replies_received_; }
  // Advice if the server does not answer: empty, unless the first
  // request, for options, is still without an answer.
  absl::string_view hint() const;

 private:
  // Handles whose job ended in WORK_FAIL or WORK_EXCEPTION: after the
  // cancellation of a running job, or with a server that sends a WORK_FAIL
  // after each exception, more may come for them, which is no breach. So many
  // are remembered.
  static constexpr size_t kMaxEndedHandles = 4096;

  absl::Status Handle(wire::JobCreated& event, Effects* effects);
  absl::Status Handle(wire::WorkComplete& event, Effects* effects);
  absl::Status Handle(wire::WorkData& event, Effects* effects);
  absl::Status Handle(wire::WorkStatus& event, Effects* effects);
  absl::Status Handle(wire::WorkWarning& event, Effects* effects);
  absl::Status Handle(wire::WorkFail& event, Effects* effects);
  absl::Status Handle(wire::WorkException& event, Effects* effects);
  absl::Status Handle(wire::StatusResult& event, Effects* effects);
  absl::Status Handle(wire::StatusResultUnique& event, Effects* effects);
  absl::Status Handle(wire::EchoResponse& event, Effects* effects);
  absl::Status Handle(wire::OptionResponse& event, Effects* effects);
  absl::Status Handle(wire::Error& event, Effects* effects);
  absl::Status Handle(wire::TooLargePacket& event, Effects* effects);

  // Pops the front entry, which must expect one of the two.
  absl::Status PopReply(ExpectedReply expected, ExpectedReply or_expected,
                        absl::string_view packet, absl::string_view about,
                        ReplyQueue::Entry* entry);
  // Pops the front entry, which must expect `expected`, and adds an effect for
  // its query. `*effect` is null when the reply is out of turn (DATA_LOSS) or
  // nobody waits for it.
  absl::Status AnswerQuery(ExpectedReply expected, absl::string_view packet,
                           absl::string_view about, Effects* effects,
                           Effect** effect);
  // Gives the last of `effects` to the first request of the job, and a copy of
  // it to each other one; takes it out when nobody is to have it.
  absl::Status Spread(absl::string_view handle, absl::string_view packet,
                      bool ends_job, Effects* effects);
  void RememberEnded(absl::string_view handle);
  absl::Status EncodeSubmit(JobRequestState* request);

  // Sharing of submissions, by task and unique.
  static bool MayShare(const JobRequestState& request);
  static std::string ShareKey(const JobRequestState& request);
  void StopSharing(const JobRequestState& request);

  // Takes the operation out of the reply queue or handle table.
  void Forget(Operation* operation);

  wire::OutputBuffer* const output_;
  const std::string task_prefix_;
  const std::function<void()> on_unused_;
  std::string task_scratch_;  // task_prefix_ + task
  ReplyQueue replies_;
  uint64_t replies_received_ = 0;
  HandleTable handles_;
  // One of the requests that share a submission.
  absl::flat_hash_map<std::string, JobRequestState*> shared_;
  std::deque<std::string> ended_order_;
  absl::flat_hash_set<std::string> ended_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SESSION_H_
