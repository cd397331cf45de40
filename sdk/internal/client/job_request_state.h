// JobRequestState: the record behind a JobRequest, and its transitions.
//
// Before submission it is its user's; from then on everything is guarded by
// the lock of `core`, but that after `finished` has been set (release) the
// outcome may be read without (acquire).
//
// It is one allocation, and small (see JobRequestStateTest.IsSmall): a million
// in flight is a normal day. What few requests need is in JobRequestExtras.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_STATE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_STATE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/inline_bytes.h"
#include "gearman/sdk/internal/client/operation.h"
#include "gearman/sdk/internal/client/request_hooks.h"
#include "gearman/sdk/internal/client/tried_servers.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_status.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

class ClientCore;

// What happens to a request, as its state machine sees it.
enum class RequestInput : unsigned char {
  kSubmit,    // given to a client
  kAccepted,  // JOB_CREATED
  kRefused,   // ERROR in its place, and not tried again
  kComplete,  // WORK_COMPLETE
  kFail,      // WORK_FAIL or WORK_EXCEPTION
  kRetry,     // the attempt failed and another one follows
  kGiveUp,    // lost, timed out, cancelled or invalid: nothing more follows
};

struct RequestTransition {
  JobState from;
  RequestInput input;
  JobState to;
};

// Every legal transition. kFinished inputs end the submission.
inline constexpr RequestTransition kRequestTransitions[] = {
    {JobState::kUnknown, RequestInput::kSubmit, JobState::kPending},
    {JobState::kPending, RequestInput::kAccepted, JobState::kCreated},
    {JobState::kPending, RequestInput::kRefused, JobState::kFailed},
    {JobState::kPending, RequestInput::kRetry, JobState::kPending},
    {JobState::kPending, RequestInput::kGiveUp, JobState::kUnknown},
    // Answered by an interceptor.
    {JobState::kPending, RequestInput::kComplete, JobState::kComplete},
    {JobState::kPending, RequestInput::kFail, JobState::kFailed},
    {JobState::kCreated, RequestInput::kComplete, JobState::kComplete},
    {JobState::kCreated, RequestInput::kFail, JobState::kFailed},
    {JobState::kCreated, RequestInput::kRetry, JobState::kPending},
    {JobState::kCreated, RequestInput::kGiveUp, JobState::kUnknown},
};

// The state that `input` leads to from `from`; nullopt: not legal.
inline std::optional<JobState> NextState(JobState from, RequestInput input) {
  for (const RequestTransition& transition : kRequestTransitions) {
    if (transition.from == from && transition.input == input) {
      return transition.to;
    }
  }
  return std::nullopt;
}

// What only some requests have.
struct JobRequestExtras {
  JobCallbacks callbacks;
  std::shared_ptr<RetryPolicy> retry_policy;  // null: the client's
  std::optional<absl::Time> run_at;
  std::optional<std::string> exception;
  // The worker has said why it fails the job; its WORK_FAIL has not come yet.
  std::optional<std::string> failure_text;
  std::deque<std::string> data_updates;
  std::deque<std::string> warning_updates;
  size_t update_bytes = 0;  // in both queues
  // While in flight: the client's account, which counts the updates and their
  // records; else null.
  ByteAccount* update_account = nullptr;
  static size_t MemoryOf(const std::string& update) {
    return update.size() + sizeof(update);
  }
  // The newest, but for its handle.
  JobStatus job_status;
  std::vector<AttemptRecord> attempts;
  // Those servers, to find the next one. Null: none has failed.
  std::unique_ptr<TriedServers> tried;
  // How many servers have answered ERROR.
  int refusals = 0;
  // The server of the next attempt, by its number in the pool, for this one
  // (and, pinned, for all that follow); -1: what selection takes.
  int next_server = -1;
  bool pinned = false;
  // While it waits to be tried again; else InfiniteFuture.
  absl::Time retry_at = absl::InfiniteFuture();
  // Of the submission that goes on; null: nobody is to hear of it.
  std::shared_ptr<RequestHooks> hooks;
  std::unique_ptr<OriginalJob> original;  // null: it is unchanged
};

struct JobRequestState final : Operation {
  JobRequestState() : Operation(Kind::kJob) {}

  JobRequestExtras& MutableExtras() {
    if (extras == nullptr) extras = std::make_unique<JobRequestExtras>();
    return *extras;
  }
  // Nothing is left of what became of it, but for its state.
  void ForgetOutcome() {
    timed_out = false;
    has_result = false;
    result.clear();
    handle.Clear();
    status = absl::OkStatus();
    attempts = 0;
    server = -1;
    if (extras == nullptr) return;
    extras->exception.reset();
    extras->failure_text.reset();
    extras->data_updates.clear();
    extras->warning_updates.clear();
    extras->update_bytes = 0;
    extras->job_status = JobStatus();
    extras->attempts.clear();
    extras->tried = nullptr;
    extras->refusals = 0;
    extras->next_server = -1;
    extras->pinned = false;
    extras->retry_at = absl::InfiniteFuture();
  }
  bool has_callbacks() const {
    return extras != nullptr && !extras->callbacks.empty();
  }
  RequestHooks* hooks() const {
    return extras == nullptr ? nullptr : extras->hooks.get();
  }
  // An interceptor has answered in the place of a server.
  bool answered() const {
    return hooks() != nullptr && hooks()->answer.has_value();
  }

  // --- what was asked for; fixed while in flight ---
  std::string task;
  std::string data;
  InlineBytes unique;
  // Given by the user (or made from the payload), so that the job may be
  // joined; not by the SDK's random numbers.
  bool explicit_unique = false;
  bool unique_set = false;  // CallOptions said so, even if it is empty
  bool background = false;
  Priority priority = Priority::kNone;
  bool priority_set = false;
  bool idempotent = false;
  bool idempotent_set = false;
  // Its result is waited for, so that it can't be a background job.
  bool wants_result = false;
  std::optional<WhenFull> when_full;
  int max_attempts = 0;                           // 0: the client's
  absl::Duration timeout = absl::ZeroDuration();  // zero: the client's
  // What was wrong with the job's description, told when it is submitted.
  absl::Status invalid;
  std::unique_ptr<JobRequestExtras> extras;

  // --- what became of it ---
  JobState state = JobState::kUnknown;
  bool timed_out = false;
  bool has_result = false;
  std::atomic<bool> finished{true};
  // Ends of it whose callbacks have not returned yet: one may submit it again.
  uint32_t callbacks_pending = 0;
  int attempts = 0;
  InlineBytes handle;
  std::string result;
  absl::Status status;

  // --- while in flight ---
  // Keeps it alive while its client works for it; also what tells that it is
  // in flight.
  std::shared_ptr<JobRequestState> self;
  JobRequestState* next_in_flight = nullptr;
  JobRequestState* previous_in_flight = nullptr;
  absl::Time submitted;
  absl::Time deadline = absl::InfiniteFuture();
  // When the tracker looks at it again: the deadline, or an earlier retry.
  absl::Time timer = absl::InfiniteFuture();
  TaskMetrics* metrics = nullptr;

  // The client that it was last submitted to; null: none yet.
  std::shared_ptr<ClientCore> core;
  int resolved_max_attempts = 0;
  // The number, in that client, of the batch that it was last submitted in.
  uint32_t batch = 0;
};

// The job's name in a message: its handle, once there is one, and its
// unique.
inline std::string JobName(const JobRequestState& request) {
  std::string name;
  if (!request.handle.view().empty()) {
    name = absl::StrCat("handle \"", SafeText(request.handle.view()), "\"");
  }
  if (!request.unique.view().empty()) {
    absl::StrAppend(&name, name.empty() ? "" : ", ", "unique \"",
                    SafeText(request.unique.view()), "\"");
  }
  if (name.empty()) name = "no unique";
  return name;
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_JOB_REQUEST_STATE_H_
