#include "gearman/sdk/reduce/mapper_core.h"

#include <utility>

#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/reduce/map_run.h"

namespace gearman {
namespace internal {

MapperCore::MapperCore(std::unique_ptr<Client> client, MapperOptions options)
    : options_(std::move(options)), client_(std::move(client)) {}

bool MapperCore::WithClient(absl::FunctionRef<void(Client&)> function) {
  Client* client = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    client = client_.get();
    if (client == nullptr) return false;
    ++client_users_;
  }
  function(*client);
  absl::MutexLock lock(&mutex_);
  --client_users_;
  return true;
}

void MapperCore::Close() {
  closed_.store(true, std::memory_order_release);
  // Destroyed when the lock is released, because the client's callbacks take
  // it.
  std::unique_ptr<Client> client;
  absl::MutexLock lock(&mutex_);
  client = std::move(client_);
  bool (*const none)(int*) = [](int* users) { return *users == 0; };
  mutex_.Await(absl::Condition(none, &client_users_));
}

void MapperCore::EndLater(std::shared_ptr<MapperCore> core) {
  options_.client.logger.Log(
      LogLevel::kError,
      "a Mapper was destroyed by code that it had called: it ends when that "
      "has returned; destroy it elsewhere");
  // No job begins meanwhile.
  closed_.store(true, std::memory_order_release);
  CallScope::AtEnd(this, [core = std::move(core)] { core->Close(); });
}

// --- room --------------------------------------------------------------------

bool MapperCore::TakeRoom(const std::shared_ptr<MapRun>& run,
                          bool whatever_the_limit) {
  absl::MutexLock lock(&mutex_);
  if (whatever_the_limit || HasRoom()) {
    ++stats_.parts;
    return true;
  }
  if (!std::exchange(run->in_line, true)) waiting_.push_back(run);
  return false;
}

void MapperCore::ChangeBytes(size_t before, size_t now) {
  absl::MutexLock lock(&mutex_);
  stats_.bytes = stats_.bytes - before + now;
}

void MapperCore::GiveBack(size_t parts, size_t bytes) {
  absl::MutexLock lock(&mutex_);
  stats_.parts -= parts;
  stats_.bytes -= bytes;
}

void MapperCore::TellWaiting() {
  {
    absl::MutexLock lock(&mutex_);
    // The thread that is telling looks again before it returns.
    if (telling_) return;
    telling_ = true;
  }
  for (;;) {
    std::shared_ptr<MapRun> next;
    {
      absl::MutexLock lock(&mutex_);
      while (next == nullptr) {
        if (waiting_.empty() || !HasRoom()) {
          telling_ = false;
          return;
        }
        next = waiting_.front().lock();
        waiting_.pop_front();
      }
      next->in_line = false;
    }
    next->Pump();
  }
}

// --- counts ------------------------------------------------------------------

void MapperCore::OnJobBegun() {
  absl::MutexLock lock(&mutex_);
  ++stats_.jobs;
}

void MapperCore::OnJobEnded(bool completed) {
  absl::MutexLock lock(&mutex_);
  --stats_.jobs;
  ++(completed ? stats_.jobs_completed : stats_.jobs_failed);
}

void MapperCore::OnPartEnded(bool completed) {
  absl::MutexLock lock(&mutex_);
  ++(completed ? stats_.parts_completed : stats_.parts_failed);
}

MapperStats MapperCore::stats() const {
  absl::MutexLock lock(&mutex_);
  return stats_;
}

}  // namespace internal
}  // namespace gearman
