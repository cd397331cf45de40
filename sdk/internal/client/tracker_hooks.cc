// The part of JobRequestTracker that makes notices for observers and
// interceptors.
#include <memory>
#include <string>
#include <utility>

#include "gearman/sdk/internal/client/job_request_tracker.h"

namespace gearman {
namespace internal {
namespace {

std::unique_ptr<HookFacts> FactsOfNow(const JobRequestState& request,
                                      absl::Time now) {
  auto facts = std::make_unique<HookFacts>();
  facts->time = now;
  facts->attempt = request.attempts;
  facts->server = request.server;
  facts->handle = std::string(request.handle.view());
  return facts;
}

}  // namespace

void JobRequestTracker::OnRetryDispatched(JobRequestState* request,
                                          absl::Time now) {
  RequestHooks* const hooks = request->hooks();
  if (hooks == nullptr || hooks->span == nullptr) return;
  hooks->retrying = true;
  Notice notice;
  notice.kind = Notice::Kind::kRetryBegins;
  notice.request = request->self;
  notice.hooks = request->extras->hooks;
  notice.facts = FactsOfNow(*request, now);
  if (!request->extras->attempts.empty()) {
    notice.facts->reason =
        FailureReasonName(request->extras->attempts.back().reason);
  }
  notices_.push_back(std::move(notice));
}

void JobRequestTracker::EndRetry(JobRequestState* request,
                                 const absl::Status& status,
                                 absl::string_view reason) {
  RequestHooks* const hooks = request->hooks();
  if (!hooks->retrying) return;
  hooks->retrying = false;
  Notice notice;
  notice.kind = Notice::Kind::kRetryEnds;
  notice.request = request->self;
  notice.hooks = request->extras->hooks;
  notice.facts = FactsOfNow(*request, now_);
  notice.facts->status = status;
  notice.facts->reason = reason;
  notices_.push_back(std::move(notice));
}

void JobRequestTracker::OnAnswered(JobRequestState* request, absl::Time now) {
  now_ = now;
  absl::StatusOr<std::string> answer = *std::move(request->hooks()->answer);
  request->hooks()->answer.reset();
  if (!answer.ok()) {
    Finish(request, RequestInput::kFail, answer.status());
    return;
  }
  if (request->background) {
    Finish(request, RequestInput::kAccepted, absl::OkStatus());
    return;
  }
  request->result = *std::move(answer);
  request->has_result = true;
  Finish(request, RequestInput::kComplete, absl::OkStatus());
}

void JobRequestTracker::FinishHooked(std::shared_ptr<JobRequestState> request,
                                     RequestInput input, absl::Status status,
                                     bool silently) {
  Notice notice;
  notice.silently = silently;
  notice.facts = FactsOfNow(*request, now_);
  notice.facts->input = input;
  notice.facts->status = status;
  notice.hooks = std::move(request->extras->hooks);
  if (notice.hooks->on_end.empty()) {
    notice.kind = Notice::Kind::kComplete;
    notice.facts->outcome =
        MarkFinished(request.get(), input, std::move(status), now_,
                     /*told=*/true);
  } else {
    // The request has not finished yet. No thread may see a result that may
    // still be changed.
    notice.kind = Notice::Kind::kEnding;
    notice.facts->result = std::move(request->result);
    request->result.clear();
    request->has_result = false;
  }
  notice.request = std::move(request);
  notices_.push_back(std::move(notice));
}

void JobRequestTracker::Conclude(JobRequestState* request, HookFacts* facts) {
  if (facts->status.ok()) {
    request->extras->exception.reset();
    if (!request->background) {
      request->result = std::move(facts->result);
      request->has_result = true;
    }
  }
  facts->outcome = MarkFinished(request, facts->input, facts->status,
                                facts->time, /*told=*/true);
}

}  // namespace internal
}  // namespace gearman
