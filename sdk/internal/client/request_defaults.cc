#include "gearman/sdk/internal/client/request_defaults.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/internal/client/random_unique.h"
#include "gearman/sdk/internal/logged_call.h"
#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// gearmand checks this length in the place of the unique's.
constexpr size_t kMaxReducerBytes = 64;

// Jobs with other reducers are other jobs. A task has no line feed.
std::string HashedTask(const JobRequestState& request) {
  const std::string& reducer = request.call_options().reducer;
  return reducer.empty() ? request.task
                         : absl::StrCat(request.task, "\n", reducer);
}

}  // namespace

absl::Status RequestDefaults::FillIn(JobRequestState* request, int servers,
                                     bool wants_result, absl::Time now) {
  request->ForgetOutcome();
  const CallOptions& call = request->call_options();
  request->priority = call.run_at.has_value() || !call.reducer.empty()
                          ? Priority::kNone
                          : call.priority.value_or(options_.priority);
  request->idempotent = call.idempotent.value_or(options_.idempotent);
  request->resolved_max_attempts = MaxAttempts(call, servers);
  request->deadline = now + call.timeout.value_or(options_.timeout);
  if (call.unique.has_value()) {
    request->explicit_unique = !call.unique->empty();
  } else {
    MakeUnique(request);
  }
  const absl::Status listable = CheckListable("the task", request->task);
  // A refused name does not take a label from names that are in use.
  request->metrics =
      metrics_ == nullptr
          ? nullptr
          : metrics_->ForTask(listable.ok() ? absl::string_view(request->task)
                                            : "other");
  absl::Status status = Check(*request, wants_result);
  if (status.ok()) status = listable;
  return status.ok() ? CheckSize(*request) : status;
}

int RequestDefaults::MaxAttempts(const CallOptions& call, int servers) const {
  const int given =
      call.max_connection_attempts.value_or(options_.max_connection_attempts);
  if (given > 0) return given;
  const RetryPolicy& policy = call.retry_policy != nullptr
                                  ? *call.retry_policy
                                  : *options_.retry_policy;
  int attempts = servers;
  CallLoggingThrow(options_.logger, "RetryPolicy::DefaultMaxAttempts",
                   [&] { attempts = policy.DefaultMaxAttempts(servers); });
  return std::max(1, attempts);
}

void RequestDefaults::MakeUnique(JobRequestState* request) {
  request->explicit_unique = options_.unique_mode == UniqueMode::kPayload ||
                             options_.unique_mode == UniqueMode::kDash;
  char text[kRandomUniqueSize];
  switch (options_.unique_mode) {
    case UniqueMode::kRandom:
      WriteHexUnique(absl::MakeUint128(random_(), random_()), text);
      break;
    case UniqueMode::kPayload:
      WriteHexUnique(HashOfJob(HashedTask(*request), request->data_bytes()),
                     text);
      break;
    case UniqueMode::kDash:
      request->unique.Assign("-");
      return;
    case UniqueMode::kNone:
      request->unique.Clear();
      return;
  }
  request->unique.Assign(absl::string_view(text, sizeof(text)));
}

absl::Status RequestDefaults::Check(const JobRequestState& request,
                                    bool wants_result) const {
  if (options_.drive_mode == DriveMode::kCallerOnly &&
      request.has_callbacks()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "task \"", SafeText(request.task),
        "\": callbacks need DriveMode::kAuto or kEventLoop; this client is "
        "kCallerOnly"));
  }
  if (request.options) {
    absl::Status valid = CheckOptions(request.options->value);
    if (!valid.ok()) return valid;
    const std::string& reducer = request.options->value.reducer;
    const size_t bytes = options_.task_prefix.size() + reducer.size();
    if (!reducer.empty() && bytes > kMaxReducerBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the reducer \"", SafeText(reducer), "\" has ", bytes,
          " bytes with the task_prefix; a server takes ", kMaxReducerBytes));
    }
  }
  if (wants_result && request.background) {
    return absl::InvalidArgumentError(
        "Run waits for a result, and a background job (JobSpec::background, "
        "CallOptions::run_at) has none; use SubmitBackgroundJob");
  }
  return request.body() == nullptr ? absl::OkStatus() : CheckBody(request);
}

absl::Status RequestDefaults::CheckBody(const JobRequestState& request) const {
  if (!request.data_bytes().empty()) {
    return absl::InvalidArgumentError(
        "the job has data and a body from a source (JobSpec::body); an "
        "interceptor or the caller may set one of them");
  }
  if (options_.unique_mode == UniqueMode::kPayload &&
      !request.call_options().unique.has_value()) {
    return absl::InvalidArgumentError(
        "UniqueMode::kPayload makes a unique of the data, which is a body from "
        "a source and not in memory (JobSpec::body); give the call a unique");
  }
  if (request.body_used_up()) {
    return absl::FailedPreconditionError(
        "the body of the job was read before, and its source is not "
        "repeatable (JobSpec::body); submit a new request with a new source");
  }
  return absl::OkStatus();
}

absl::Status RequestDefaults::CheckSize(const JobRequestState& request) const {
  // JOB_ASSIGN_UNIQ, or JOB_ASSIGN_ALL for a reduce job, is larger than the
  // submission by a handle, which has wire::kMaxHandleBytes at most.
  const size_t reducer_bytes = request.call_options().reducer.size();
  const uint64_t head =
      wire::kHeaderBytes + wire::kMaxHandleBytes + 1 +
      options_.task_prefix.size() + request.task.size() + 1 +
      request.unique.view().size() + 1 +
      (reducer_bytes == 0 ? 0
                          : options_.task_prefix.size() + reducer_bytes + 1);
  const uint64_t data = request.data_size();
  const uint64_t bytes =
      data > std::numeric_limits<uint64_t>::max() - head ? data : head + data;
  if (bytes <= options_.limits.max_packet_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the payload has ", data, " bytes: a packet of this job can have ", bytes,
      " bytes, and at most ", options_.limits.max_packet_bytes,
      " are allowed (max_packet_bytes); raise it here and at the workers"));
}

}  // namespace internal
}  // namespace gearman
