#include "gearman/sdk/job_request.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/request_owner.h"
#include "gearman/sdk/internal/request/thread_cache.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

using internal::JobRequestState;

// In a child made by fork: finishes a request that the parent submitted,
// because nothing more happens to it in this process.
void LeaveBehind(const JobRequestState& state) {
  if (state.core == nullptr || !state.core->inherited() ||
      state.finished.load(std::memory_order_acquire)) {
    return;
  }
  internal::RequestOwner::LeaveBehind(const_cast<JobRequestState*>(&state));
}

// Holds the lock of the request's client, if it has one. Its holder may read
// the guarded fields and take from the queues.
class StateLock {
 public:
  explicit StateLock(const JobRequestState& state)
      : StateLock(state, state.core == nullptr ? nullptr
                                               : state.core->request_mutex()) {}
  ~StateLock() {
    if (mutex_ != nullptr) mutex_->Unlock();
  }
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 protected:
  StateLock(const JobRequestState& state, absl::Mutex* mutex) : mutex_(mutex) {
    if (mutex_ == nullptr) return;
    mutex_->Lock();
    LeaveBehind(state);
  }

 private:
  absl::Mutex* const mutex_;
};

// Like StateLock, but holds no lock if the request has finished.
class ReadLock : public StateLock {
 public:
  explicit ReadLock(const JobRequestState& state)
      : StateLock(state, state.finished.load(std::memory_order_acquire) ||
                                 state.core == nullptr
                             ? nullptr
                             : state.core->request_mutex()) {}
};

// Returns the updates that nobody took; null: there was none. The caller holds
// the lock.
internal::JobUpdates* UpdatesOf(const JobRequestState& state) {
  return state.extras == nullptr ? nullptr : state.extras->updates.get();
}

// Takes the oldest update of the kind.
std::optional<std::string> TakeData(const JobRequestState& state,
                                    JobUpdate::Kind kind) {
  const StateLock lock(state);
  internal::JobUpdates* const updates = UpdatesOf(state);
  if (updates == nullptr) return std::nullopt;
  std::optional<JobUpdate> update = updates->Take(kind);
  if (!update.has_value()) return std::nullopt;
  return std::move(update->data);
}

std::vector<std::string> CopyData(const JobRequestState& state,
                                  JobUpdate::Kind kind) {
  const StateLock lock(state);
  std::vector<std::string> copies;
  if (internal::JobUpdates* const updates = UpdatesOf(state)) {
    updates->ForEach(kind, [&copies](const JobUpdate& update) {
      copies.push_back(update.data);
    });
  }
  return copies;
}

JobStatus StatusOf(const JobRequestState& state) {
  JobStatus status;
  if (state.extras != nullptr) status = state.extras->job_status;
  status.handle = std::string(state.handle.view());
  return status;
}

}  // namespace

JobRequest::JobRequest(JobSpec&& spec)
    : state_(std::allocate_shared<JobRequestState>(
          internal::ThreadCacheAllocator<JobRequestState>())) {
  JobRequestState& state = *state_;
  state.task = std::move(spec.task);
  state.SetData(std::move(spec.data));
  if (spec.body != nullptr) {
    state.MutableExtras().body = std::move(spec.body);
  }
  state.background = spec.background;
  internal::SetOptions(std::move(spec.options), &state);
}

Job JobRequest::job() const {
  const std::string& data = state_->data_bytes();
  JobId now = id();
  return Job(state_->task, std::move(now.unique),
             data.empty() ? nullptr
                          : std::shared_ptr<const std::string>(state_, &data),
             std::move(now.server), std::move(now.handle));
}

const std::string& JobRequest::task() const { return state_->task; }

StringView JobRequest::unique() const { return state_->unique.view(); }

StringView JobRequest::data() const { return state_->data_bytes(); }

BodySource* JobRequest::body() const {
  const StateLock lock(*state_);
  return state_->body();
}

std::string JobRequest::handle() const {
  const ReadLock lock(*state_);
  return std::string(state_->handle.view());
}

std::string JobRequest::connection() const {
  const ReadLock lock(*state_);
  return state_->server_name();
}

JobId JobRequest::id() const {
  // Another attempt changes server and handle, so both are of one moment.
  const ReadLock lock(*state_);
  return {state_->server_name(), std::string(state_->handle.view()),
          std::string(state_->unique.view())};
}

Priority JobRequest::priority() const { return state_->priority; }

bool JobRequest::background() const { return state_->background; }

int JobRequest::connection_attempts() const {
  const ReadLock lock(*state_);
  return state_->attempts;
}

int JobRequest::max_connection_attempts() const {
  const ReadLock lock(*state_);
  if (state_->resolved_max_attempts != 0) return state_->resolved_max_attempts;
  return state_->call_options().max_connection_attempts.value_or(0);
}

JobState JobRequest::state() const {
  const ReadLock lock(*state_);
  return state_->state;
}

bool JobRequest::complete() const {
  const JobState now = state();
  return background() ? now == JobState::kCreated
                      : now == JobState::kFailed || now == JobState::kComplete;
}

bool JobRequest::finished() const {
  return state_->core != nullptr &&
         (state_->finished.load(std::memory_order_acquire) ||
          state_->core->inherited());
}

bool JobRequest::timed_out() const {
  const StateLock lock(*state_);
  return state_->wait_timed_out || state_->late;
}

absl::Status JobRequest::status() const {
  const ReadLock lock(*state_);
  return state_->status;
}

std::optional<std::string> JobRequest::result() const {
  const StateLock lock(*state_);
  if (!state_->has_result) return std::nullopt;
  return state_->result;
}

std::optional<std::string> JobRequest::TakeResult() const {
  const StateLock lock(*state_);
  if (!state_->has_result) return std::nullopt;
  state_->result_taken = true;
  return std::exchange(state_->result, {});
}

StringView JobRequest::result_view() const {
  if (!finished()) return StringView();
  const ReadLock lock(*state_);
  return state_->result;
}

std::optional<std::string> JobRequest::exception() const {
  const StateLock lock(*state_);
  if (state_->extras == nullptr) return std::nullopt;
  return state_->extras->exception;
}

std::vector<AttemptRecord> JobRequest::attempts() const {
  const StateLock lock(*state_);
  if (state_->extras == nullptr) return {};
  return state_->extras->attempts;
}

std::optional<JobUpdate> JobRequest::TakeUpdate() const {
  const StateLock lock(*state_);
  internal::JobUpdates* const updates = UpdatesOf(*state_);
  return updates == nullptr ? std::nullopt : updates->Take();
}

std::vector<JobUpdate> JobRequest::updates() const {
  const StateLock lock(*state_);
  std::vector<JobUpdate> copies;
  if (internal::JobUpdates* const updates = UpdatesOf(*state_)) {
    updates->ForEach(
        [&copies](const JobUpdate& update) { copies.push_back(update); });
  }
  return copies;
}

std::optional<std::string> JobRequest::TakeDataUpdate() const {
  return TakeData(*state_, JobUpdate::Kind::kData);
}

std::optional<std::string> JobRequest::TakeWarningUpdate() const {
  return TakeData(*state_, JobUpdate::Kind::kWarning);
}

std::vector<std::string> JobRequest::data_updates() const {
  return CopyData(*state_, JobUpdate::Kind::kData);
}

std::vector<std::string> JobRequest::warning_updates() const {
  return CopyData(*state_, JobUpdate::Kind::kWarning);
}

JobStatus JobRequest::job_status() const {
  const StateLock lock(*state_);
  return StatusOf(*state_);
}

std::vector<std::pair<int64_t, int64_t>> JobRequest::status_updates() const {
  const StateLock lock(*state_);
  std::vector<std::pair<int64_t, int64_t>> reports;
  if (internal::JobUpdates* const updates = UpdatesOf(*state_)) {
    updates->ForEach(
        JobUpdate::Kind::kStatus, [&reports](const JobUpdate& update) {
          reports.emplace_back(update.numerator, update.denominator);
        });
  }
  return reports;
}

JobStatus JobRequest::server_status() const { return job_status(); }

void JobRequest::Cancel() const {
  if (state_->core != nullptr) state_->core->Cancel(state_.get());
}

absl::Status JobRequest::Reset() {
  // Keeps the client's core, which owns the lock; the request may hold the last
  // other reference.
  const std::shared_ptr<internal::RequestOwner> core = state_->core;
  JobRequestState& state = *state_;
  // The options of an interceptor may end here. The callbacks in them are the
  // user's, and their destructors may call the client.
  const internal::Ref<internal::KeptOptions> options = state.options;
  const StateLock lock(state);
  absl::string_view why;
  if (!state.finished.load(std::memory_order_acquire)) {
    why = "a request in flight can't be reset; cancel it first";
  } else if (core != nullptr && state.callbacks_pending > 0 &&
             (state.callbacks_pending > 1 || !core->InLastCallbackOf(&state))) {
    why =
        "a callback of it is due or has not returned; until then only its own "
        "on_complete can reset it";
  }
  if (!why.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("task \"", SafeText(state.task), "\", ",
                     internal::JobName(state), ": ", why));
  }
  state.state = JobState::kUnknown;
  state.ForgetOutcome();
  state.resolved_max_attempts = 0;
  if (!state.call_options().unique.has_value()) state.unique.Clear();
  if (state.extras != nullptr) internal::RestoreOriginal(&state);
  // A wait on another thread reads this field with the lock held.
  state.core = nullptr;
  return absl::OkStatus();
}

}  // namespace gearman
