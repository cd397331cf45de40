#include "gearman/sdk/internal/request/call_options.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/internal/request/inline_bytes.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// True if each option is unset, so that a request need not keep them.
bool AllUnset(const CallOptions& options) {
  return !options.timeout.has_value() && !options.priority.has_value() &&
         !options.unique.has_value() && !options.run_at.has_value() &&
         options.reducer.empty() &&
         !options.max_connection_attempts.has_value() &&
         !options.idempotent.has_value() && options.retry_policy == nullptr &&
         !options.when_full.has_value() && options.callbacks.empty();
}

absl::Status CheckRunAt(const CallOptions& options) {
  if (*options.run_at == absl::InfiniteFuture() ||
      *options.run_at < absl::UnixEpoch()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "CallOptions::run_at is ", absl::FormatTime(*options.run_at),
        "; it must be a time that can come"));
  }
  if (options.priority.value_or(Priority::kNone) != Priority::kNone) {
    return absl::InvalidArgumentError(
        "CallOptions::run_at: a delayed job has normal priority "
        "(SUBMIT_JOB_EPOCH has no other); leave the priority unset");
  }
  return absl::OkStatus();
}

absl::Status CheckReducer(const CallOptions& options) {
  if (options.run_at.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "CallOptions::reducer is \"", SafeText(options.reducer),
        "\": no packet has both a reducer and a run_at; leave one of them "
        "unset"));
  }
  if (options.priority.value_or(Priority::kNone) != Priority::kNone) {
    return absl::InvalidArgumentError(absl::StrCat(
        "CallOptions::reducer is \"", SafeText(options.reducer),
        "\": a reduce job has normal priority (SUBMIT_REDUCE_JOB has no "
        "other); leave the priority unset"));
  }
  return CheckListable("the reducer", options.reducer);
}

}  // namespace

void SetOptions(CallOptions&& options, JobRequestState* state) {
  state->background = state->background || options.run_at.has_value();
  state->priority = options.priority.value_or(Priority::kNone);
  state->unique.Clear();
  // A unique that is too long is not kept, and CheckOptions refuses it.
  if (options.unique.has_value()) state->unique.Assign(*options.unique);
  state->options =
      AllUnset(options) ? nullptr : Ref<KeptOptions>::Make(std::move(options));
}

absl::Status CheckOptions(const CallOptions& options) {
  if (options.timeout.has_value() && *options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "CallOptions::timeout is ", absl::FormatDuration(*options.timeout),
        "; it must be more than zero"));
  }
  if (options.max_connection_attempts.value_or(1) < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "CallOptions::max_connection_attempts is ",
        *options.max_connection_attempts, "; it must be at least 1"));
  }
  if (options.unique.has_value() &&
      options.unique->size() > InlineBytes::kMaxSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("the unique \"", SafeText(*options.unique), "\" has ",
                     options.unique->size(), " bytes; gearmand keeps 63"));
  }
  if (!options.reducer.empty()) return CheckReducer(options);
  return options.run_at.has_value() ? CheckRunAt(options) : absl::OkStatus();
}

void RestoreOriginal(JobRequestState* state) {
  if (state->extras->original == nullptr) return;
  OriginalJob& original = *state->extras->original;
  if (original.task.has_value()) state->task = *std::move(original.task);
  if (original.data.has_value()) state->PutBackData(*std::move(original.data));
  if (original.options.has_value()) {
    state->background = original.background;
    SetOptions(*std::move(original.options), state);
  }
  state->extras->original = nullptr;
}

}  // namespace internal
}  // namespace gearman
