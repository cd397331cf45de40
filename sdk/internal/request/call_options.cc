#include "gearman/sdk/internal/request/call_options.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

void PutOptions(CallOptions&& options, JobRequestState* request) {
  JobRequestState& state = *request;
  state.background = state.background || options.run_at.has_value();
  if (options.priority.has_value()) {
    state.priority = *options.priority;
    state.priority_set = true;
  }
  if (options.idempotent.has_value()) {
    state.idempotent = *options.idempotent;
    state.idempotent_set = true;
  }
  state.when_full = options.when_full;
  if (options.timeout.has_value()) {
    state.timeout = *options.timeout;
    if (state.timeout <= absl::ZeroDuration()) {
      state.invalid = absl::InvalidArgumentError(absl::StrCat(
          "CallOptions::timeout is ", absl::FormatDuration(state.timeout),
          "; it must be more than zero"));
    }
  }
  if (options.max_connection_attempts.has_value()) {
    state.max_attempts = *options.max_connection_attempts;
    if (state.max_attempts < 1) {
      state.invalid = absl::InvalidArgumentError(
          absl::StrCat("CallOptions::max_connection_attempts is ",
                       state.max_attempts, "; it must be at least 1"));
    }
  }
  if (options.unique.has_value()) {
    state.unique_set = true;
    state.explicit_unique = !options.unique->empty();
    if (!state.unique.Assign(*options.unique)) {
      state.invalid = absl::InvalidArgumentError(
          absl::StrCat("the unique \"", SafeText(*options.unique), "\" has ",
                       options.unique->size(), " bytes; gearmand keeps 63"));
    }
  }
  if (options.run_at.has_value()) {
    if (*options.run_at == absl::InfiniteFuture() ||
        *options.run_at < absl::UnixEpoch()) {
      state.invalid = absl::InvalidArgumentError(absl::StrCat(
          "CallOptions::run_at is ", absl::FormatTime(*options.run_at),
          "; it must be a time that can come"));
    } else if (options.priority.has_value() &&
               *options.priority != Priority::kNone) {
      state.invalid = absl::InvalidArgumentError(
          "CallOptions::run_at: a delayed job has normal priority "
          "(SUBMIT_JOB_EPOCH has no other); leave the priority unset");
    }
    state.MutableExtras().run_at = options.run_at;
  }
  if (!options.callbacks.empty()) {
    state.MutableExtras().callbacks = std::move(options.callbacks);
  }
  if (options.retry_policy != nullptr) {
    state.MutableExtras().retry_policy = std::move(options.retry_policy);
  }
}

CallOptions OptionsOf(const JobRequestState& state) {
  CallOptions options;
  if (state.timeout != absl::ZeroDuration()) options.timeout = state.timeout;
  if (state.priority_set) options.priority = state.priority;
  if (state.unique_set) options.unique = std::string(state.unique.view());
  if (state.max_attempts > 0) {
    options.max_connection_attempts = state.max_attempts;
  }
  if (state.idempotent_set) options.idempotent = state.idempotent;
  options.when_full = state.when_full;
  if (state.extras != nullptr) {
    options.run_at = state.extras->run_at;
    options.retry_policy = state.extras->retry_policy;
    options.callbacks = state.extras->callbacks;
  }
  return options;
}

CallOptions TakeOptions(JobRequestState* state) {
  CallOptions options = OptionsOf(*state);
  state->timeout = absl::ZeroDuration();
  state->priority_set = false;
  state->unique_set = false;
  state->explicit_unique = false;
  state->unique.Clear();
  state->max_attempts = 0;
  state->idempotent_set = false;
  state->when_full.reset();
  state->invalid = absl::OkStatus();
  if (state->extras != nullptr) {
    state->extras->run_at.reset();
    state->extras->retry_policy = nullptr;
    state->extras->callbacks = {};
  }
  return options;
}

void RestoreOriginal(JobRequestState* state) {
  if (state->extras->original == nullptr) return;
  OriginalJob& original = *state->extras->original;
  if (original.task.has_value()) state->task = *std::move(original.task);
  if (original.data.has_value()) state->data = *std::move(original.data);
  if (original.options.has_value()) {
    TakeOptions(state);
    state->background = original.background;
    PutOptions(*std::move(original.options), state);
  }
  state->extras->original = nullptr;
}

}  // namespace internal
}  // namespace gearman
