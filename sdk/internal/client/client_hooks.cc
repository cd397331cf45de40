// The part of ClientCore for observers and interceptors. It calls them without
// the lock.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/sdk/internal/tracing.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

absl::Status Thrown(absl::string_view what) {
  return absl::UnknownError(
      absl::StrCat("an interceptor threw: ", SafeMessage(what)));
}

}  // namespace

void ClientCore::RunInterceptors(JobRequestState* request) {
  // Submit will leave this request alone.
  if (InFlight(*request) || request->state != JobState::kUnknown) return;
  JobRequestExtras& extras = request->MutableExtras();
  // The request is in the batch twice.
  if (extras.hooks != nullptr) return;
  RestoreOriginal(request);
  extras.hooks = std::make_shared<RequestHooks>();
  RequestHooks& hooks = *extras.hooks;
  hooks.observer = options_.trace_observer.get();
  TraceBegin begin;
  begin.operation = TraceOperation::kSubmit;
  begin.time = clock_->Now();
  begin.task = request->task;
  if (request->unique_set) begin.unique = request->unique.view();
  begin.data = request->data;
  begin.background = request->background;
  hooks.span = BeginSpan(hooks.observer, begin);
  // An invalid request is refused as it is.
  if (!request->invalid.ok()) return;
  for (const ClientInterceptor& interceptor : options_.interceptors) {
    OutgoingJob job(request);
    const absl::Status thrown = GuardedCall([&] { interceptor(job); }, Thrown);
    if (!thrown.ok()) hooks.answer = thrown;
    if (hooks.answer.has_value()) return;
  }
}

bool ClientCore::RunHooks(Notice* notice) {
  const RequestHooks& hooks = *notice->hooks;
  const JobRequestState& request = *notice->request;
  const HookFacts& facts = *notice->facts;
  const std::string server =
      facts.server == nullptr ? std::string() : facts.server->name;
  if (notice->kind == Notice::Kind::kRetryBegins) {
    TraceBegin begin;
    begin.operation = TraceOperation::kRetry;
    begin.time = facts.time;
    begin.task = request.task;
    begin.unique = request.unique.view();
    begin.server = server;
    begin.data = request.data;
    begin.background = request.background;
    begin.attempt = facts.attempt;
    begin.reason = facts.reason;
    begin.parent = hooks.span.get();
    notice->hooks->retry_span = BeginSpan(hooks.observer, begin);
    return false;
  }
  const auto end = [&](absl::string_view outcome) {
    return TraceEnd{facts.time,
                    outcome,
                    facts.status.ok() ? absl::string_view() : outcome,
                    facts.status,
                    request.task,
                    request.unique.view(),
                    facts.handle,
                    server,
                    facts.attempt};
  };
  if (notice->kind == Notice::Kind::kRetryEnds) {
    EndSpan(&notice->hooks->retry_span, end(facts.reason));
    return false;
  }
  if (notice->kind == Notice::Kind::kEnding) RunEndHooks(notice);
  const absl::string_view outcome = OutcomeName(facts.outcome);
  EndSpan(&notice->hooks->retry_span, end(outcome));
  EndSpan(&notice->hooks->span, end(outcome));
  return true;
}

void ClientCore::RunEndHooks(Notice* notice) {
  HookFacts* const facts = notice->facts.get();
  absl::StatusOr<std::string> result = std::string();
  if (facts->status.ok()) {
    *result = std::move(facts->result);
  } else {
    result = facts->status;
  }
  const JobRequest request(notice->request);
  auto& hooks = notice->hooks->on_end;
  while (!hooks.empty()) {
    const OutgoingJob::EndHook hook = std::move(hooks.back());
    hooks.pop_back();
    const absl::Status thrown =
        GuardedCall([&] { hook(request, result); }, Thrown);
    if (!thrown.ok()) result = thrown;
  }
  if (result.ok() != facts->status.ok()) {
    facts->input = !result.ok()           ? RequestInput::kFail
                   : request.background() ? RequestInput::kAccepted
                                          : RequestInput::kComplete;
  }
  facts->status = result.status();
  if (result.ok()) facts->result = *std::move(result);
  // A hook has forked, and this is the child.
  if (inherited()) return;
  absl::MutexLock lock(&mutex_);
  // The time of the hooks is part of the request's time.
  facts->time = clock_->Now();
  tracker_.Conclude(notice->request.get(), facts);
}

}  // namespace internal
}  // namespace gearman
