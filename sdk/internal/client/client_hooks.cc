#include "gearman/sdk/internal/client/client_hooks.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/base/ref.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/sdk/internal/tracing.h"
#include "gearman/sdk/job_request.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

absl::Status Thrown(absl::string_view what) {
  return absl::UnknownError(
      absl::StrCat("an interceptor threw: ", SafeMessage(what)));
}

std::string ServerName(const HookFacts& facts) {
  return facts.server == nullptr ? std::string() : facts.server->name;
}

TraceEnd EndOf(const Notice& notice, absl::string_view outcome,
               const std::string& server) {
  const HookFacts& facts = *notice.facts;
  return TraceEnd{facts.time,
                  outcome,
                  facts.status.ok() ? absl::string_view() : outcome,
                  facts.status,
                  notice.request->task,
                  notice.request->unique.view(),
                  facts.handle,
                  server,
                  facts.attempt};
}

}  // namespace

void ClientHooks::Begin(JobRequestState* request) const {
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
  const CallOptions& call_options = request->call_options();
  if (call_options.unique.has_value()) begin.unique = request->unique.view();
  begin.data = request->data_bytes();
  begin.background = request->background;
  hooks.span = BeginSpan(hooks.observer, begin);
  // An invalid request is refused as it is.
  if (!CheckOptions(call_options).ok()) return;
  for (const ClientInterceptor& interceptor : options_.interceptors) {
    auto job = Access::Make<OutgoingJob>(request);
    const absl::Status thrown = GuardedCall([&] { interceptor(job); }, Thrown);
    if (!thrown.ok()) hooks.answer = thrown;
    if (hooks.answer.has_value()) return;
  }
}

void ClientHooks::OnRetry(Notice* notice) const {
  const HookFacts& facts = *notice->facts;
  const std::string server = ServerName(facts);
  if (notice->kind == Notice::Kind::kRetryEnds) {
    EndSpan(&notice->hooks->retry_span, EndOf(*notice, facts.reason, server));
    return;
  }
  TraceBegin begin;
  begin.operation = TraceOperation::kRetry;
  begin.time = facts.time;
  begin.task = notice->request->task;
  begin.unique = notice->request->unique.view();
  begin.server = server;
  begin.data = notice->request->data_bytes();
  begin.background = notice->request->background;
  begin.attempt = facts.attempt;
  begin.reason = facts.reason;
  begin.parent = notice->hooks->span.get();
  notice->hooks->retry_span = BeginSpan(notice->hooks->observer, begin);
}

void ClientHooks::ChangeEnd(Notice* notice) {
  HookFacts* const facts = notice->facts.get();
  absl::StatusOr<std::string> result = std::string();
  if (facts->status.ok()) {
    *result = std::move(facts->result);
  } else {
    result = facts->status;
  }
  const auto request = Access::Make<JobRequest>(notice->request);
  auto& hooks = notice->hooks->on_end;
  while (!hooks.empty()) {
    OutgoingJob::EndHook hook = std::move(hooks.back());
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
}

void ClientHooks::OnEnd(Notice* notice) {
  const absl::string_view outcome = OutcomeName(notice->facts->outcome);
  const std::string server = ServerName(*notice->facts);
  EndSpan(&notice->hooks->retry_span, EndOf(*notice, outcome, server));
  EndSpan(&notice->hooks->span, EndOf(*notice, outcome, server));
}

void ClientHooks::Call(const Notice& notice) const {
  if (!notice.request->has_callbacks()) return;
  const auto request = Access::Make<JobRequest>(notice.request);
  // A callback may submit its request again, and interceptors may then replace
  // the options, which the callback is a part of.
  Ref<KeptOptions> kept;
  if (hooked()) kept = notice.request->options;
  const JobCallbacks& callbacks = notice.request->call_options().callbacks;
  const auto guarded = [this, &request](absl::string_view name,
                                        const auto& callback) {
    GuardedCall(callback, [&](absl::string_view what) {
      options_.logger.Log(LogLevel::kError, name, " of the task \"",
                          SafeText(request.task()), "\", unique \"",
                          SafeText(request.unique()),
                          "\", threw: ", SafeMessage(what));
      return absl::UnknownError(what);
    }).IgnoreError();
  };
  switch (notice.kind) {
    case Notice::Kind::kAccepted:
      guarded("on_accepted", [&] { callbacks.on_accepted(request); });
      break;
    case Notice::Kind::kData:
      guarded("on_data", [&] { callbacks.on_data(request, notice.data); });
      break;
    case Notice::Kind::kPiece: {
      DataPiece piece = notice.piece;
      piece.bytes = notice.data;
      guarded("on_piece", [&] { callbacks.on_piece(request, piece); });
      break;
    }
    case Notice::Kind::kWarning:
      guarded("on_warning",
              [&] { callbacks.on_warning(request, notice.data); });
      break;
    case Notice::Kind::kStatus:
      guarded("on_status",
              [&] { callbacks.on_status(request, notice.status); });
      break;
    case Notice::Kind::kRetryBegins:
    case Notice::Kind::kRetryEnds:
      break;
    case Notice::Kind::kEnding:
    case Notice::Kind::kComplete: {
      if (notice.silently) break;
      if (callbacks.on_complete) {
        guarded("on_complete", [&] { callbacks.on_complete(request); });
      }
      if (notice.request->listener) {
        notice.request->listener->OnSubmissionEnd(request);
      }
      break;
    }
  }
}

}  // namespace internal
}  // namespace gearman
