#include "gearman/sdk/client_interceptor.h"

#include <memory>
#include <utility>

#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace {

internal::OriginalJob& Original(internal::JobRequestState* state) {
  std::unique_ptr<internal::OriginalJob>& original = state->extras->original;
  if (original == nullptr) original = std::make_unique<internal::OriginalJob>();
  return *original;
}

}  // namespace

const std::string& OutgoingJob::task() const { return state_->task; }
StringView OutgoingJob::data() const { return state_->data_bytes(); }
BodySource* OutgoingJob::body() const { return state_->body(); }
bool OutgoingJob::background() const { return state_->background; }
CallOptions OutgoingJob::options() const { return state_->call_options(); }

void OutgoingJob::set_task(std::string task) {
  // The first value is the caller's.
  std::optional<std::string>& original = Original(state_).task;
  if (!original.has_value()) original = std::move(state_->task);
  state_->task = std::move(task);
}

void OutgoingJob::set_data(std::string data) {
  std::optional<Payload>& original = Original(state_).data;
  if (!original.has_value()) original = state_->TakeData();
  state_->SetData(std::move(data));
}

void OutgoingJob::set_options(CallOptions options) {
  internal::OriginalJob& original = Original(state_);
  if (!original.options.has_value()) {
    original.options = state_->call_options();
    original.background = state_->background;
  }
  internal::SetOptions(std::move(options), state_);
}

void OutgoingJob::Answer(absl::StatusOr<std::string> result) {
  state_->hooks()->answer = std::move(result);
}

void OutgoingJob::OnEnd(EndHook hook) {
  if (hook) state_->hooks()->on_end.push_back(std::move(hook));
}

TraceSpan* OutgoingJob::span() const { return state_->hooks()->span.get(); }

}  // namespace gearman
