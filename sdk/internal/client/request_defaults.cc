#include "gearman/sdk/internal/client/request_defaults.h"

#include <algorithm>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/internal/client/random_unique.h"
#include "gearman/sdk/internal/logged_call.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

absl::Status RequestDefaults::FillIn(JobRequestState* request, int servers,
                                     absl::Time now) {
  request->ForgetOutcome();
  if (!request->priority_set) request->priority = options_.priority;
  if (!request->idempotent_set) request->idempotent = options_.idempotent;
  request->resolved_max_attempts = MaxAttempts(*request, servers);
  request->deadline =
      now + (request->timeout == absl::ZeroDuration() ? options_.timeout
                                                      : request->timeout);
  if (!request->unique_set) MakeUnique(request);
  if (request->background && request->extras != nullptr &&
      request->extras->run_at.has_value()) {
    request->priority = Priority::kNone;
  }
  const absl::Status listable = CheckListable("the task", request->task);
  // A refused name does not take a label from names that are in use.
  request->metrics =
      metrics_ == nullptr
          ? nullptr
          : metrics_->ForTask(listable.ok() ? absl::string_view(request->task)
                                            : "other");
  absl::Status status = Check(*request);
  if (status.ok()) status = listable;
  return status.ok() ? CheckSize(*request) : status;
}

int RequestDefaults::MaxAttempts(const JobRequestState& request,
                                 int servers) const {
  if (request.max_attempts > 0) return request.max_attempts;
  if (options_.max_connection_attempts > 0) {
    return options_.max_connection_attempts;
  }
  const RetryPolicy& policy =
      request.extras != nullptr && request.extras->retry_policy != nullptr
          ? *request.extras->retry_policy
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
      WriteHexUnique(HashOfJob(request->task, request->data), text);
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

absl::Status RequestDefaults::Check(const JobRequestState& request) const {
  if (options_.drive_mode == DriveMode::kCallerOnly &&
      request.has_callbacks()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "task \"", SafeText(request.task),
        "\": callbacks need DriveMode::kAuto; this client is kCallerOnly"));
  }
  if (!request.invalid.ok()) return request.invalid;
  if (request.wants_result && request.background) {
    return absl::InvalidArgumentError(
        "Run waits for a result, and a job with CallOptions::run_at is a "
        "background job, which has none; use SubmitBackgroundJob");
  }
  return absl::OkStatus();
}

absl::Status RequestDefaults::CheckSize(const JobRequestState& request) const {
  // JOB_ASSIGN_UNIQ is larger than the submission by a handle, which has
  // wire::kMaxHandleBytes at most.
  const size_t bytes = wire::kHeaderBytes + wire::kMaxHandleBytes + 1 +
                       options_.task_prefix.size() + request.task.size() + 1 +
                       request.unique.view().size() + 1 + request.data.size();
  if (bytes <= options_.limits.max_packet_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the payload has ", request.data.size(),
      " bytes: a packet of this job can have ", bytes, " bytes, and at most ",
      options_.limits.max_packet_bytes,
      " are allowed (max_packet_bytes); raise it here and at the workers"));
}

}  // namespace internal
}  // namespace gearman
