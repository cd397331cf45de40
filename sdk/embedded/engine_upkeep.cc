// What a ServerEngine does without a packet: as connections come and go, as
// time passes, and as an administrator asks.
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/text_commands.h"

namespace gearman {
namespace embedded {

// --- inputs ------------------------------------------------------------------

EngineConnection* ServerEngine::OnConnect(uint64_t id, absl::string_view peer) {
  auto* const connection = new EngineConnection(id, peer, ranking_.account());
  connections_.PushBack(*connection);
  Weigh(*connection);
  return connection;
}

void ServerEngine::OnTextLine(EngineConnection* connection,
                              const admin::CommandLine& line) {
  RunTextCommand(*this, line, connection->output_);
  NoteOutput(*connection);
}

void ServerEngine::OnDisconnect(EngineConnection* connection) {
  const std::unique_ptr<EngineConnection> owned(connection);
  EngineConnection::Seat& seat = connection->seat_;
  workers_.RemoveAll(seat, [this](Worker& worker) { SendNoop(worker); });
  // The newest first: as by gearmand they queue in the reverse of the order in
  // which they were grabbed. Jobs before submissions: an own job that it held
  // is abandoned in the queue.
  while (!seat.held.empty()) Requeue(seat.held.front());
  while (!seat.waiting.empty()) queue_.Leave(seat.waiting.front());
}

void ServerEngine::OnTime(absl::Time now) {
  now_ = now;
  for (;;) {
    const JobQueue::Due due = queue_.PopDue(now);
    if (due.job == nullptr) return;
    if (due.was_delayed) {
      WakeFor(*due.job->function);
    } else {
      Requeue(*due.job);
    }
  }
}

// --- what becomes of jobs ----------------------------------------------------

void ServerEngine::Requeue(Job& job) {
  if (queue_.Requeue(job)) {
    WakeFor(*job.function);
    return;
  }
  SendFailToWaiters(job);
  queue_.Remove(job);
}

void ServerEngine::Cancel(Job& job) {
  SendFailToWaiters(job);
  queue_.Cancel(job);
}

bool ServerEngine::Drop(Function& function) {
  if (function.workers > 0 || function.running > 0) return false;
  // gearmand leaves its jobs behind, known and never run.
  if (function.total() > 0) {
    for (Job* job : queue_.Jobs()) {
      if (job->function != &function) continue;
      SendFailToWaiters(*job);
      queue_.Remove(*job);
    }
  }
  queue_.RemoveFunction(function);
  return true;
}

}  // namespace embedded
}  // namespace gearman
