// ServerEngine's work that no packet causes: it handles connections that come
// and go, time that passes, an administrator's requests, and the rest of
// earlier turns.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply.h"
#include "gearman/sdk/embedded/engine_output.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/text_commands.h"

namespace gearman {
namespace embedded {

// --- connections -------------------------------------------------------------

bool EngineConnection::NextOutput() {
  while (output_->empty() && !later_.empty() && output_.get() != reply_) {
    output_ = std::move(later_.front());
    later_.pop_front();
  }
  return !output_->empty();
}

std::vector<absl::string_view> EngineConnection::functions() {
  std::vector<absl::string_view> names;
  ListWalker<Ability, OfWorkerTag> walker;
  walker.Start(&seat_.abilities);
  size_t steps = 0;
  while (const Ability* const ability = walker.Next(&steps)) {
    names.push_back(ability->function->name);
  }
  return names;
}

bool ServerEngine::TakeApart(EngineConnection& connection) {
  EngineConnection::Seat& seat = connection.seat_;
  if (!workers_.RemoveAll(seat,
                          [this](EngineWorker& worker) { SendNoop(worker); })) {
    return false;
  }
  // The newest job goes first: like gearmand, the server queues the jobs in the
  // reverse of the order in which they were grabbed. Jobs come before
  // submissions, so that a job that this connection both submitted and held is
  // abandoned in the queue.
  while (!seat.held.empty()) {
    Requeue(seat.held.front());
    if (meter().UsedUp()) return false;
  }
  while (!seat.waiting.empty()) {
    meter().Spend(cost::kLook);
    queue_.Leave(seat.waiting.front());
    if (meter().UsedUp()) return false;
  }
  return true;
}

ServerEngine::~ServerEngine() {
  Clear();
  while (!connections_.empty()) OnDisconnect(&connections_.front());
  Clear();
}

void ServerEngine::Clear() {
  while (!background_.empty()) {
    const std::unique_ptr<EngineChore> chore(&background_.front());
  }
  ListWalker<EngineConnection, ConnectionsTag> walker;
  walker.Start(&connections_);
  size_t steps = 0;
  while (EngineConnection* const connection = walker.Next(&steps)) {
    connection->chore_ = nullptr;
    connection->reply_ = nullptr;
  }
  queue_.Clear();
  // No connection waits for a job any more.
  while (!leaving_.empty()) {
    EngineConnection& connection = leaving_.front();
    IgnoreTurn();
    TakeApart(connection);
    delete &connection;
  }
}

EngineConnection* ServerEngine::OnConnect(uint64_t id, absl::string_view peer) {
  auto* const connection =
      new EngineConnection(id, ++connections_made_, peer, ranking_.account());
  connections_.PushBack(*connection);
  Weigh(*connection);
  return connection;
}

void ServerEngine::OnDisconnect(EngineConnection* connection) {
  connection->gone_ = true;
  connection->WalkedLink<ConnectionsTag>::Unlink();
  connection->ListLink<OutputTag>::Unlink();
  if (connection->busy() && connection->chore_->OutlivesConnection()) {
    AddToBackground(std::move(connection->chore_));
  }
  connection->chore_ = nullptr;
  connection->output_->Clear();
  connection->later_.clear();
  // Taking it apart makes output for others, which must not choose it as the
  // connection to be closed.
  ranking_.LetGo(connection->memory_);
  if (TakeApart(*connection)) {
    delete connection;
  } else {
    leaving_.PushBack(*connection);
  }
}

bool ServerEngine::OnTextLine(EngineConnection* connection,
                              const admin::CommandLine& line) {
  meter().Spend(cost::kPacket);
  const bool handled = RunTextCommand(*this, line, connection);
  NoteOutput(*connection);
  return handled;
}

// --- chores ------------------------------------------------------------------

void ServerEngine::Begin(EngineConnection* connection,
                         std::unique_ptr<EngineChore> chore) {
  // Allocate everything first: a chore that has begun must not be lost.
  auto& later = connection->later_;
  if (chore->replies()) {
    connection->reply_ = &connection->end_of_output();
    later.push_back(std::make_unique<wire::OutputBuffer>());
  }
  connection->chore_ = std::move(chore);
  Continue(connection);
  if (!connection->busy() && !later.empty() && later.back()->empty()) {
    later.pop_back();
  }
}

void ServerEngine::Continue(EngineConnection* connection) {
  if (connection->chore_->Run()) {
    connection->chore_ = nullptr;
    connection->reply_ = nullptr;
  }
  NoteOutput(*connection);
}

void ServerEngine::DoBackgroundWork() {
  if (timers_due_) DoTimers();
  workers_.WakeMore([this](EngineWorker& worker) { SendNoop(worker); });
  if (queue_.has_removed()) queue_.FreeRemoved();
  // Each element is finished, or moves to the end of its list.
  while (!leaving_.empty()) {
    if (!background_.empty() && meter().UsedUp()) break;
    EngineConnection& connection = leaving_.front();
    const bool done = TakeApart(connection);
    connection.ListLink<OutputTag>::Unlink();
    if (done) {
      delete &connection;
    } else {
      leaving_.PushBack(connection);
    }
    if (meter().UsedUp()) break;
  }
  if (background_.empty()) return;
  do {
    EngineChore& chore = background_.front();
    chore.ListLink<BackgroundTag>::Unlink();
    std::unique_ptr<EngineChore> owned(&chore);
    if (!chore.Run()) AddToBackground(std::move(owned));
  } while (!background_.empty() && !meter().UsedUp());
}

// --- time --------------------------------------------------------------------

void ServerEngine::OnTime(absl::Time now, absl::Time wall) {
  now_ = now;
  wall_ = wall;
  DoTimers();
}

void ServerEngine::DoTimers() {
  timers_due_ = false;
  for (;;) {
    const JobQueue::Due due = queue_.PopDue(now_, wall_);
    if (due.job == nullptr) return;
    if (due.was_delayed) {
      WakeFor(*due.job->function);
    } else {
      ++due.job->timeouts;
      Requeue(*due.job);
    }
    if (meter().UsedUp()) {
      timers_due_ = true;
      return;
    }
  }
}

// --- what becomes of jobs ----------------------------------------------------

void ServerEngine::Requeue(QueuedJob& job) {
  if (queue_.Requeue(job)) {
    WakeFor(*job.function);
    return;
  }
  Update failed;
  EndJob(nullptr, job, failed);
}

bool ServerEngine::Cancel(QueuedJob& job, EngineConnection* connection) {
  if (!FinishUpdate(job)) return false;
  queue_.Cancel(job);
  Update failed;
  UpdateJob(connection, job, failed);
  return true;
}

// Drops all spellings of a name. Replies with one line for each.
class ServerEngine::DropChore final : public EngineChore {
 public:
  DropChore(ServerEngine* engine, absl::string_view name,
            EngineConnection* connection)
      : engine_(*engine),
        name_(name.data(), name.size()),
        out_(&ReplyTo(connection)) {}

  bool Run() override {
    for (;;) {
      if (dropping_ == nullptr) {
        Function* const function = out_ == nullptr
                                       ? nullptr
                                       : engine_.queue_.SpellingAfter(
                                             name_, found_ ? &last_ : nullptr);
        if (function == nullptr) break;
        found_ = true;
        last_ = function->name;
        if (function->workers > 0 || function->running > 0) {
          Encode(admin::Refusal::kFunctionInUse, *out_);
        } else {
          engine_.queue_.DropFunction(*function);
          dropping_ = function;
        }
      }
      // gearmand keeps the jobs of a dropped function but never runs them.
      while (dropping_ != nullptr) {
        if (dropping_->jobs.empty()) {
          engine_.queue_.ForgetDropped(*std::exchange(dropping_, nullptr));
          if (out_ != nullptr) admin::EncodeOk(*out_);
          break;
        }
        Update failed;
        engine_.EndJob(nullptr, dropping_->jobs.front(), failed);
        if (engine_.meter().UsedUp()) return false;
      }
      engine_.meter().Spend(cost::kRow);
      if (engine_.meter().UsedUp()) return false;
    }
    if (!found_) {
      Encode(admin::Refusal::kFunctionNotFound, *out_);
    }
    return true;
  }
  bool replies() const override { return true; }
  bool OutlivesConnection() override {
    out_ = nullptr;
    return dropping_ != nullptr;
  }

 private:
  ServerEngine& engine_;
  const std::string name_;
  wire::OutputBuffer* out_;  // null: the connection has gone
  bool found_ = false;
  std::string last_;  // the last spelling looked at
  Function* dropping_ = nullptr;
};

void ServerEngine::Drop(absl::string_view name, EngineConnection* connection) {
  Begin(connection, std::make_unique<DropChore>(this, name, connection));
}

}  // namespace embedded
}  // namespace gearman
