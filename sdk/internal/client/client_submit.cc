// The part of ClientCore that submits requests and cancels submissions: it
// keeps to the limits, and makes threads wait for room.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/sdk/status.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

absl::Status ShutDownError() {
  return absl::CancelledError("not submitted: the client is being destroyed");
}

}  // namespace

bool ClientCore::Full() const {
  return engine_.in_flight() >= options_.limits.max_requests_in_flight ||
         engine_.output_bytes() >= options_.limits.max_output_bytes;
}

void ClientCore::TellRoom() {
  if (room_.waiters != nullptr && !Full()) {
    ReleaseWaiters(&room_, /*finished=*/true);
  }
}

absl::Status ClientCore::WaitForRoom(Blocked* blocked) {
  while (Full()) {
    if (inherited()) return InheritedError("client");
    if (shut_down_ || ending_) return ShutDownError();
    if (blocked->cancelled) {
      return absl::CancelledError("cancelled while it waited for room");
    }
    const absl::Time now = clock_->Now();
    if (now >= blocked->request->deadline) {
      blocked->request->late = true;
      return absl::DeadlineExceededError(
          "not submitted: the client was full until the request's timeout");
    }
    Waiter waiter(2, Waiter::Until::kAny);
    waiter.Add(&room_, /*for_accepted=*/false);
    waiter.Add(&blocked->cancellation, /*for_accepted=*/false);
    SendAndWait(&waiter, now, blocked->request->deadline);
  }
  return absl::OkStatus();
}

absl::Status ClientCore::MakeRoom(JobRequestState* request) {
  if (when_full(*request) == WhenFull::kBlock && !driver_.in_callback()) {
    // Other threads now see the request as in flight.
    request->finished.store(false, std::memory_order_relaxed);
    Blocked blocked{request};
    blocked_.push_back(&blocked);
    absl::Status status = WaitForRoom(&blocked);
    blocked_.erase(std::find(blocked_.begin(), blocked_.end(), &blocked));
    return status;
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      "not submitted: ", engine_.in_flight(), " requests in flight (limit ",
      options_.limits.max_requests_in_flight, "), ", engine_.output_bytes(),
      " bytes to write (limit ", options_.limits.max_output_bytes, ")"));
}

bool ClientCore::InFlight(const JobRequestState& request) const {
  if (!request.finished.load(std::memory_order_acquire)) return true;
  // A callback may submit its own request again, but must not take the request
  // away from threads that wait for it.
  return request.callbacks_pending > 0 && request.core.get() != this &&
         !driver_.in_last_callback_of(&request);
}

absl::Status ClientCore::WhyNot(const JobRequestState& request) const {
  absl::string_view why;
  if (InFlight(request)) {
    if (request.core.get() != this) {
      why = request.finished.load(std::memory_order_relaxed)
                ? "a callback of it has not returned in another client"
                : "the request is in flight in another client";
    } else if (!driver_.in_callback_of(&request)) {
      return absl::OkStatus();
    } else if (request.self == nullptr) {
      why =
          "hooks of interceptors may still change its end; submit it again "
          "in on_complete";
    } else {
      why = "the request is in flight";
    }
  } else if (request.state != JobState::kUnknown &&
             driver_.in_callback_of(&request)) {
    // Another thread may submit a batch in which some requests are complete,
    // and those are left alone. A callback of this request means this one.
    return absl::FailedPreconditionError(absl::StrCat(
        "task \"", SafeText(request.task), "\", ", JobName(request),
        ": the request is ", JobStateName(request.state),
        "; Reset() makes it one that can be submitted again"));
  }
  if (why.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "task \"", SafeText(request.task), "\", ", JobName(request), ": ", why));
}

void ClientCore::CallInterceptors(absl::Span<const JobRequest> batch) {
  for (const JobRequest& handle : batch) {
    JobRequestState* const request = Access::StateOf(handle).get();
    // Submission leaves such a request alone.
    if (InFlight(*request) || request->state != JobState::kUnknown) continue;
    hooks_.Begin(request);
  }
}

absl::Status ClientCore::Submit(absl::Span<const JobRequest> batch,
                                bool will_wait) {
  if (inherited()) return Refuse(batch);
  const Call call(this);
  absl::Status result;
  // After the shutdown has begun, hooks hear of no request. A hook could
  // otherwise submit the next request, without end.
  const bool hooked = hooks_.hooked() && !shut_down_;
  if (hooked) {
    CallInterceptors(batch);
    // An interceptor has forked, and this is the child.
    if (inherited()) return Refuse(batch);
  }
  // Options that end without the lock, as their callbacks are the user's.
  std::vector<Ref<KeptOptions>> replaced;
  {
    submitters_.fetch_add(1, std::memory_order_relaxed);
    absl::MutexLock lock(&mutex_);
    submitters_.fetch_sub(1, std::memory_order_relaxed);
    absl::Time now = clock_->Now();
    const uint32_t number = ++batches_;
    for (const JobRequest& handle : batch) {
      const std::shared_ptr<JobRequestState>& request = Access::StateOf(handle);
      if (InFlight(*request) || request->state != JobState::kUnknown) {
        result.Update(WhyNot(*request));
        continue;
      }
      // The request is in the batch twice, and has ended since the first time.
      // A batch of one is not checked, so a batch number that comes round again
      // does no harm.
      if (batch.size() > 1 && request->batch == number &&
          request->core.get() == this) {
        continue;
      }
      request->batch = number;
      if (!hooked && request->extras != nullptr) {
        // Another client may have interceptors, which have changed the job.
        if (request->options) replaced.push_back(request->options);
        RestoreOriginal(request.get());
      }
      const absl::Status status = SubmitOne(request, will_wait, &now);
      if (result.ok()) result = status;
    }
    AfterChange(now, will_wait);
  }
  poller_->RunDeferred();
  return result;
}

absl::Status ClientCore::SubmitOne(
    const std::shared_ptr<JobRequestState>& request, bool wants_result,
    absl::Time* now) {
  if (request->core.get() != this) request->core = shared_from_this();
  absl::Status status = engine_.Prepare(request.get(), wants_result, *now);
  if (shut_down_ || ending_) {
    engine_.Refuse(request, ShutDownError(), /*silently=*/true, *now);
    return ShutDownError();
  }
  if (status.ok() && request->answered()) {
    engine_.SubmitAnswered(request, *now);
    return absl::OkStatus();
  }
  bool silently = false;
  if (status.ok() && Full()) {
    status = MakeRoom(request.get());
    *now = clock_->Now();
    silently = when_full(*request) == WhenFull::kDrop;
  }
  if (status.ok()) {
    engine_.Submit(request, *now);
  } else {
    engine_.Refuse(request, std::move(status), silently, *now);
  }
  return absl::OkStatus();
}

void ClientCore::AfterChange(absl::Time now, bool will_wait) {
  // A leader that is awake sends the output with its own.
  if (driver_.leader_busy()) return;
  // The next submitter, which waits for the lock, will also call Settle.
  if (submitters_.load(std::memory_order_relaxed) == 0) engine_.Settle(now);
  // The change may have ended requests of others, and made room.
  TellRoom();
  driver_.WakeDoneLeader();
  // A thread that is going to lead handles everything itself. A leader that
  // sleeps must hear of this thread's timers and callbacks.
  if (will_wait && !driver_.leading()) return;
  driver_.OnChange(NextDeadline());
}

void ClientCore::Cancel(JobRequestState* request) {
  if (inherited()) return;
  const Call call(this);
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    if (request->self != nullptr) {
      StatusFacts facts;
      facts.operation = "submit";
      facts.task = request->task;
      facts.server = request->server_name();
      facts.handle = std::string(request->handle.view());
      engine_.GiveUp(request,
                     Annotate(absl::CancelledError(
                                  absl::StrCat("cancelled: ", JobName(*request),
                                               "; the job itself may go on")),
                              facts),
                     now);
    } else {
      const auto blocked = std::find_if(
          blocked_.begin(), blocked_.end(),
          [request](const Blocked* b) { return b->request == request; });
      if (blocked == blocked_.end()) return;
      (*blocked)->cancelled = true;
      ReleaseWaiters(&(*blocked)->cancellation, /*finished=*/true);
    }
    AfterChange(now, /*will_wait=*/false);
  }
  poller_->RunDeferred();
}

}  // namespace internal
}  // namespace gearman
