// JobRequestState is the record behind a JobRequest, with its transitions.
//
// Before submission it belongs to the user. After that the lock of `core`
// guards everything. When `finished` has been set (release), the outcome may be
// read without the lock (acquire).
//
// It is one allocation, and small (JobRequestStateTest.IsSmall), because a
// million requests in flight must be affordable. JobRequestExtras has the
// fields that few requests need.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_JOB_REQUEST_STATE_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_JOB_REQUEST_STATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/base/ref.h"
#include "gearman/codecs/body_source.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/codecs/wire/outgoing_body.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/codecs/wire/spare_strings.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/request/end_listener.h"
#include "gearman/sdk/internal/request/inline_bytes.h"
#include "gearman/sdk/internal/request/job_updates.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/request_hooks.h"
#include "gearman/sdk/internal/request/request_owner.h"
#include "gearman/sdk/internal/request/tried_servers.h"
#include "gearman/sdk/job_state.h"
#include "gearman/sdk/job_status.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

// The inputs of a request's state machine.
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

// Every legal transition. kFinished is not an input: each kRefused, kComplete,
// kFail and kGiveUp ends the submission.
inline constexpr RequestTransition kRequestTransitions[] = {
    {JobState::kUnknown, RequestInput::kSubmit, JobState::kPending},
    {JobState::kPending, RequestInput::kAccepted, JobState::kCreated},
    {JobState::kPending, RequestInput::kRefused, JobState::kFailed},
    {JobState::kPending, RequestInput::kRetry, JobState::kPending},
    {JobState::kPending, RequestInput::kGiveUp, JobState::kUnknown},
    // An interceptor has answered.
    {JobState::kPending, RequestInput::kComplete, JobState::kComplete},
    {JobState::kPending, RequestInput::kFail, JobState::kFailed},
    {JobState::kCreated, RequestInput::kComplete, JobState::kComplete},
    {JobState::kCreated, RequestInput::kFail, JobState::kFailed},
    {JobState::kCreated, RequestInput::kRetry, JobState::kPending},
    {JobState::kCreated, RequestInput::kGiveUp, JobState::kUnknown},
};

// The state that `input` leads to from `from`; nullopt if that is not legal.
inline std::optional<JobState> NextState(JobState from, RequestInput input) {
  for (const RequestTransition& transition : kRequestTransitions) {
    if (transition.from == from && transition.input == input) {
      return transition.to;
    }
  }
  return std::nullopt;
}

// The fields that only some requests need.
struct JobRequestExtras {
  // The job's data if it is large; JobRequestState::data is empty then.
  std::shared_ptr<const std::string> large_data;
  // The source of the job's data; `data` and `large_data` are empty then. Null:
  // the data is in memory.
  std::shared_ptr<BodySource> body;
  // The passage of `body` that belongs to the last attempt that was sent, and
  // the end of its packet in the connection's stream. Null: no attempt has sent
  // it.
  std::shared_ptr<wire::OutgoingBody> outgoing;
  uint64_t packet_end = 0;
  std::optional<std::string> exception;
  // The worker has said why it fails the job. Its WORK_FAIL has not come yet.
  std::optional<std::string> failure_text;
  // The updates that nobody took. Null: there was none.
  std::unique_ptr<JobUpdates> updates;
  // The newest status. Its handle is not set.
  JobStatus job_status;
  std::vector<AttemptRecord> attempts;
  // The servers of these attempts, to find the next one. Null: no attempt
  // failed.
  std::unique_ptr<TriedServers> tried;
  // The number of servers that have answered ERROR.
  int refusals = 0;
  // The server of the next attempt. With `pinned` it is the server of all later
  // attempts, too. Null: selection takes one.
  ClientServerPtr next_server;
  bool pinned = false;
  // The time of the next attempt while the request waits for it; else
  // InfiniteFuture.
  absl::Time retry_at = absl::InfiniteFuture();
  // The hooks of the current submission. Null: nobody observes or intercepts
  // it.
  std::shared_ptr<RequestHooks> hooks;
  std::unique_ptr<OriginalJob> original;  // null: it is unchanged
};

// The options of a call. They have several owners, because an interceptor may
// give a request other options while one of its callbacks runs.
struct KeptOptions final : Counted {
  explicit KeptOptions(CallOptions&& options) : value(std::move(options)) {}
  const CallOptions value;
};

struct JobRequestState final : Operation {
  JobRequestState() : Operation(Kind::kJob) {}
  ~JobRequestState() {
    DropResult();
    DropData();
  }

  JobRequestExtras& MutableExtras() {
    if (extras == nullptr) extras = std::make_unique<JobRequestExtras>();
    return *extras;
  }
  // Clears the outcome of the last submission. `state` stays as it is.
  void ForgetOutcome() {
    wait_timed_out = false;
    late = false;
    has_result = false;
    result_taken = false;
    DropResult();
    handle.Clear();
    may_have_joined = false;
    status = absl::OkStatus();
    attempts = 0;
    server = nullptr;
    if (extras == nullptr) return;
    extras->outgoing = nullptr;
    extras->exception.reset();
    extras->failure_text.reset();
    extras->updates = nullptr;
    extras->job_status = JobStatus();
    extras->attempts.clear();
    extras->tried = nullptr;
    extras->refusals = 0;
    extras->next_server = nullptr;
    extras->pinned = false;
    extras->retry_at = absl::InfiniteFuture();
  }
  // Clears the result. Its memory, if it is large, goes to the client.
  void DropResult() {
    if (core != nullptr && result.capacity() >= wire::SpareStrings::kMinBytes) {
      core->Recycle(std::move(result));
    }
    result.clear();
  }
  // Drops large data. If nobody else has it, its memory goes to the client,
  // which frees it later.
  void DropData() {
    if (!data_is_large) return;
    data_is_large = false;
    const std::shared_ptr<std::string> only =
        WritableIfOnly(std::move(extras->large_data));
    if (core != nullptr && only != nullptr) core->Hold(std::move(*only));
  }
  // The job's data. Large data is a string of its own, which packets share: it
  // may outlive the request, and pass to a server in this process as it is.
  static constexpr size_t kLargeData = wire::OutputBuffer::kExternalBytes;
  void SetData(std::string bytes) {
    const bool large = bytes.size() >= kLargeData;
    if (large || extras != nullptr) {
      MutableExtras().large_data =
          large ? std::make_shared<std::string>(std::move(bytes)) : nullptr;
    }
    data = large ? std::string() : std::move(bytes);
    data_is_large = large;
  }
  // Takes the data out, and puts data back, without a copy.
  Payload TakeData() {
    if (data_is_large) {
      data_is_large = false;
      return Payload(std::move(extras->large_data));
    }
    return Payload(std::move(data));
  }
  void PutBackData(Payload payload) {
    if (!payload.is_shared()) return SetData(std::move(payload).TakeString());
    MutableExtras().large_data = std::move(payload).TakeShared();
    data.clear();
    data_is_large = true;
  }
  // The source of the job's data. Null: the data is data_bytes().
  BodySource* body() const {
    return extras == nullptr ? nullptr : extras->body.get();
  }
  // True if a further attempt can't send the job's data, because its source can
  // be read only once and was.
  bool body_used_up() const {
    return body() != nullptr && body()->used() && !body()->repeatable();
  }
  uint64_t data_size() const {
    return data_bytes().size() + (body() == nullptr ? 0 : body()->size());
  }
  // Any thread, also in flight: a failed attempt may make `extras` meanwhile,
  // so small data is read without a look at them.
  const std::string& data_bytes() const {
    return data_is_large ? *extras->large_data : data;
  }
  // The options of the call. What they leave unset is the client's.
  const CallOptions& call_options() const {
    static const auto* const none = new CallOptions();
    return options ? options->value : *none;
  }
  // True if code of the user may be called for this request.
  bool has_callbacks() const {
    return listener || !call_options().callbacks.empty();
  }
  // The time since the submission began.
  absl::Duration Elapsed(absl::Time now) const {
    return now - absl::FromUnixNanos(submitted);
  }
  RequestHooks* hooks() const {
    return extras == nullptr ? nullptr : extras->hooks.get();
  }
  // An interceptor has answered in place of a server.
  bool answered() const {
    return hooks() != nullptr && hooks()->answer.has_value();
  }

  // --- what was asked for; fixed while in flight ---
  int resolved_max_attempts = 0;  // stands where Operation ends: no padding
  std::string task;
  std::string data;
  InlineBytes unique;
  // The user gave the unique, or it was made from the payload, so the job may
  // be joined. False: the SDK made it from random numbers.
  bool explicit_unique = false;
  bool background = false;
  Priority priority = Priority::kNone;
  bool idempotent = false;
  // The data is extras->large_data.
  bool data_is_large = false;
  // The request's own timeout has passed.
  bool late = false;
  // The result was moved out. It stands here for the padding.
  bool result_taken = false;
  // An attempt before this one may have left a job on a server. A server joins
  // a later attempt to such a job by its unique, and gearmand then drops the
  // job without a word (docs/protocol.md, trap 18).
  bool may_have_joined = false;
  Ref<KeptOptions> options;  // null: none is set
  std::unique_ptr<JobRequestExtras> extras;
  // Hears of the ends of the submissions. Null: only callbacks do. Fixed before
  // the first submission.
  Ref<EndListener> listener;

  // --- what became of it ---
  JobState state = JobState::kUnknown;
  // The last wait for it ended before it was complete.
  bool wait_timed_out = false;
  bool has_result = false;
  std::atomic<bool> finished{true};
  // The number of ends whose callbacks have not returned yet. A callback may
  // submit the request again.
  uint32_t callbacks_pending = 0;
  int attempts = 0;
  InlineBytes handle;
  // The number, in that client, of the batch that it was last submitted in.
  uint32_t batch = 0;
  std::string result;
  absl::Status status;

  // --- while in flight ---
  // Keeps the record alive while its client works for it. It is set exactly
  // while the tracker has the request in flight.
  std::shared_ptr<JobRequestState> self;
  JobRequestState* next_in_flight = nullptr;
  JobRequestState* previous_in_flight = nullptr;
  // Unix time in nanoseconds, which takes half of the room of an absl::Time.
  int64_t submitted = 0;
  absl::Time deadline = absl::InfiniteFuture();
  // The time when the tracker looks at it next: the deadline, or an earlier
  // retry.
  absl::Time timer = absl::InfiniteFuture();
  TaskMetrics* metrics = nullptr;

  // The client that it was last submitted to; null: none yet.
  std::shared_ptr<RequestOwner> core;
};

// The request behind an operation of the kind kJob.
inline JobRequestState* AsRequest(Operation* operation) {
  return static_cast<JobRequestState*>(operation);
}

// The job's name for a message: its handle, if there is one, and its unique.
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

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_JOB_REQUEST_STATE_H_
