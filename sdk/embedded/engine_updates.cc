// How the engine sends the updates of a job to its waiters. A job may have
// hundreds of thousands of waiters, so one update may take many turns. The next
// update of a job starts when the last one has reached all waiters, so each
// waiter gets the updates in order.
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/counted_payload.h"
#include "gearman/sdk/embedded/engine_output.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {

// Sends the rest of an update that does not end its job.
class ServerEngine::UpdateChore final : public EngineChore, public UpdateOfJob {
 public:
  UpdateChore(ServerEngine* engine, QueuedJob& updated, const Update& update)
      : engine_(*engine),
        update_{update.kind, ShareOf(update), update.numerator,
                update.denominator},
        numerator_(update_.numerator),
        denominator_(update_.denominator) {
    update_.numerator = numerator_;
    update_.denominator = denominator_;
    job = &updated;
    updated.update = this;
  }
  ~UpdateChore() override {
    if (job != nullptr) job->update = nullptr;
    if (ended != nullptr) engine_.queue_.FreeLater(std::move(ended));
  }
  bool Run() override {
    if (job == nullptr) return true;
    if (!engine_.TellWaiters(*job, update_)) return false;
    job->update = nullptr;
    job = nullptr;
    if (ended != nullptr) engine_.queue_.FreeLater(std::move(ended));
    return true;
  }
  bool OutlivesConnection() override { return true; }

 private:
  ServerEngine& engine_;
  Update update_;
  const std::string numerator_;
  const std::string denominator_;
};

// Sends the rest of a job's last update. The queue no longer knows the job.
class ServerEngine::EndChore final : public EngineChore {
 public:
  EndChore(ServerEngine* engine, const Update& update)
      : engine_(*engine), update_{update.kind, ShareOf(update), {}, {}} {}
  void Take(std::unique_ptr<QueuedJob> job) { job_ = std::move(job); }
  ~EndChore() override {
    if (job_ != nullptr) engine_.queue_.FreeLater(std::move(job_));
  }
  bool Run() override {
    if (job_ == nullptr) return true;
    if (!engine_.FinishUpdate(*job_) ||
        !engine_.TellAndFreeWaiters(*job_, update_)) {
      return false;
    }
    engine_.queue_.Recycle(std::move(job_));
    return true;
  }
  bool OutlivesConnection() override { return true; }

 private:
  ServerEngine& engine_;
  std::unique_ptr<QueuedJob> job_;
  Update update_;
};

void ServerEngine::Tell(Party& party, const QueuedJob& job,
                        const Update& update, Payload data) {
  EngineConnection& client = ConnectionOf(party);
  const absl::string_view handle = job.handle();
  switch (update.kind) {
    case wire::Command::kWorkData:
      return Forward(client, wire::WorkData{handle, std::move(data)});
    case wire::Command::kWorkWarning:
      return Forward(client, wire::WorkWarning{handle, std::move(data)});
    case wire::Command::kWorkStatus:
      return Forward(client, wire::WorkStatus{handle, update.numerator,
                                              update.denominator});
    case wire::Command::kWorkComplete:
      return Forward(client, wire::WorkComplete{handle, std::move(data)});
    case wire::Command::kWorkException:
      if (client.exceptions_ || options_.exceptions_for_all) {
        return Forward(client, wire::WorkException{handle, std::move(data)});
      }
      break;
    default:
      break;
  }
  Forward(client, wire::WorkFail{handle});
}

Payload ServerEngine::ShareOf(const Update& update) {
  return update.data.is_shared() ? Payload(update.data.shared())
                                 : Payload::View(update.data.view());
}

bool ServerEngine::TellWaiters(QueuedJob& job, const Update& update) {
  // A waiter that has been told moves behind those that have not.
  while (!job.waiters.empty() && job.waiters.front().told != job.updates) {
    JobWaiter& waiter = job.waiters.front();
    waiter.ListLink<OfJobTag>::Unlink();
    job.waiters.PushBack(waiter);
    waiter.told = job.updates;
    Tell(*waiter.party, job, update, ShareOf(update));
    if (meter().UsedUp()) {
      return job.waiters.front().told == job.updates;
    }
  }
  return true;
}

bool ServerEngine::TellAndFreeWaiters(QueuedJob& job, const Update& update) {
  while (!job.waiters.empty()) {
    JobWaiter& waiter = job.waiters.front();
    Tell(*waiter.party, job, update, ShareOf(update));
    queue_.Free(waiter);
    if (meter().UsedUp()) return job.waiters.empty();
  }
  return true;
}

bool ServerEngine::FinishUpdate(QueuedJob& job) {
  return job.update == nullptr || static_cast<UpdateChore*>(job.update)->Run();
}

Payload ServerEngine::Shared(Payload data) {
  return Payload(CountedPayload(std::move(data), ranking_.account()));
}

void ServerEngine::IgnoreTurn() {
  meter().StartTurn(std::numeric_limits<int64_t>::max());
}

void ServerEngine::UpdateJob(EngineConnection* from, QueuedJob& job,
                             Update& update) {
  if (job.waiter_count == 1) {
    return Tell(*job.waiters.front().party, job, update,
                std::move(update.data));
  }
  if (job.waiter_count == 0) return;
  if (update.data.size() >= wire::OutputBuffer::kExternalBytes) {
    update.data = Shared(std::move(update.data));
  }
  ++job.updates;
  if (TellWaiters(job, update)) return;
  try {
    update.data = Shared(std::move(update.data));
    from->chore_ = std::make_unique<UpdateChore>(this, job, update);
  } catch (const std::bad_alloc&) {
    IgnoreTurn();
    TellWaiters(job, update);
  }
}

void ServerEngine::EndJob(EngineConnection* from, QueuedJob& job,
                          Update& update) {
  if (job.update == nullptr) {
    if (job.waiter_count == 1) {
      Tell(*job.waiters.front().party, job, update, std::move(update.data));
    }
    if (job.waiter_count <= 1) return queue_.Remove(job);
  }
  if (update.data.size() >= wire::OutputBuffer::kExternalBytes) {
    update.data = Shared(std::move(update.data));
  }
  std::unique_ptr<QueuedJob> ended = queue_.End(job);
  if (ended->update == nullptr && TellAndFreeWaiters(*ended, update)) {
    return queue_.Recycle(std::move(ended));
  }
  std::unique_ptr<EndChore> chore;
  try {
    update.data = Shared(std::move(update.data));
    chore = std::make_unique<EndChore>(this, update);
  } catch (const std::bad_alloc&) {
    IgnoreTurn();
    FinishUpdate(*ended);
    TellAndFreeWaiters(*ended, update);
    return queue_.Recycle(std::move(ended));
  }
  chore->Take(std::move(ended));
  if (from == nullptr) {
    AddToBackground(std::move(chore));
  } else {
    from->chore_ = std::move(chore);
  }
}

}  // namespace embedded
}  // namespace gearman
