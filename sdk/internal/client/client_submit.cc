// The part of ClientCore that submits requests: it fills in defaults, checks
// the limits, gives requests to servers, and cancels submissions.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/client/random_unique.h"
#include "gearman/sdk/internal/logged_call.h"
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

void ClientCore::MakeUnique(JobRequestState* request) {
  if (request->unique_set) return;
  switch (options_.unique_mode) {
    case UniqueMode::kRandom: {
      char text[kRandomUniqueSize];
      WriteHexUnique(absl::MakeUint128(random_(), random_()), text);
      request->unique.Assign(absl::string_view(text, sizeof(text)));
      request->explicit_unique = false;
      return;
    }
    case UniqueMode::kPayload: {
      char text[kRandomUniqueSize];
      WriteHexUnique(HashOfJob(request->task, request->data), text);
      request->unique.Assign(absl::string_view(text, sizeof(text)));
      request->explicit_unique = true;
      return;
    }
    case UniqueMode::kDash:
      request->unique.Assign("-");
      request->explicit_unique = true;
      return;
    case UniqueMode::kNone:
      request->unique.Clear();
      request->explicit_unique = false;
      return;
  }
}

absl::Status ClientCore::Prepare(JobRequestState* request, absl::Time now) {
  request->core = shared_from_this();
  request->ForgetOutcome();
  if (!request->priority_set) request->priority = options_.priority;
  if (!request->idempotent_set) request->idempotent = options_.idempotent;
  request->resolved_max_attempts = request->max_attempts > 0
                                       ? request->max_attempts
                                       : options_.max_connection_attempts;
  if (request->resolved_max_attempts == 0) {
    const RetryPolicy& policy =
        request->extras != nullptr && request->extras->retry_policy != nullptr
            ? *request->extras->retry_policy
            : *options_.retry_policy;
    const int servers = static_cast<int>(servers_.servers().size());
    int attempts = servers;
    CallLoggingThrow(options_.logger, "RetryPolicy::DefaultMaxAttempts",
                     [&] { attempts = policy.DefaultMaxAttempts(servers); });
    request->resolved_max_attempts = std::max(1, attempts);
  }
  const absl::Duration timeout = request->timeout == absl::ZeroDuration()
                                     ? options_.timeout
                                     : request->timeout;
  request->deadline = now + timeout;
  MakeUnique(request);
  absl::Status listable = CheckListable("the task", request->task);
  // A refused name does not take a label from names that are in use.
  request->metrics =
      metrics_ == nullptr
          ? nullptr
          : metrics_->ForTask(listable.ok() ? absl::string_view(request->task)
                                            : "other");
  if (request->background && request->extras != nullptr &&
      request->extras->run_at.has_value()) {
    request->priority = Priority::kNone;
  }
  if (options_.drive_mode == DriveMode::kCallerOnly &&
      request->has_callbacks()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "task \"", SafeText(request->task),
        "\": callbacks need DriveMode::kAuto; this client is kCallerOnly"));
  }
  if (!request->invalid.ok()) return request->invalid;
  if (!listable.ok()) return listable;
  if (request->wants_result && request->background) {
    return absl::InvalidArgumentError(
        "Run waits for a result, and a job with CallOptions::run_at is a "
        "background job, which has none; use SubmitBackgroundJob");
  }
  return CheckSize(*request);
}

absl::Status ClientCore::CheckSize(const JobRequestState& request) const {
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

bool ClientCore::Full() const {
  return tracker_.in_flight() >= options_.limits.max_requests_in_flight ||
         servers_.output_bytes() >= options_.limits.max_output_bytes;
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
  const WhenFull when_full =
      request->when_full.value_or(options_.limits.when_full);
  if (when_full == WhenFull::kBlock && !driver_.in_callback()) {
    // Other threads now see the request as in flight.
    request->finished.store(false, std::memory_order_relaxed);
    Blocked blocked{request};
    blocked_.push_back(&blocked);
    absl::Status status = WaitForRoom(&blocked);
    blocked_.erase(std::find(blocked_.begin(), blocked_.end(), &blocked));
    return status;
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      "not submitted: ", tracker_.in_flight(), " requests in flight (limit ",
      options_.limits.max_requests_in_flight, "), ", servers_.output_bytes(),
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

absl::Status ClientCore::Submit(absl::Span<const JobRequest> batch,
                                bool will_wait) {
  if (inherited()) return Refuse(batch);
  const Call call(this);
  absl::Status result;
  // After the shutdown has begun, hooks hear of no request. A hook could
  // otherwise submit the next request, without end.
  if (hooked_ && !shut_down_) {
    for (const JobRequest& request : batch) {
      RunInterceptors(request.internal_state().get());
    }
    // An interceptor has forked, and this is the child.
    if (inherited()) return Refuse(batch);
  }
  {
    submitters_.fetch_add(1, std::memory_order_relaxed);
    absl::MutexLock lock(&mutex_);
    submitters_.fetch_sub(1, std::memory_order_relaxed);
    absl::Time now = clock_->Now();
    const uint32_t number = ++batches_;
    for (const JobRequest& handle : batch) {
      const std::shared_ptr<JobRequestState>& request = handle.internal_state();
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
      absl::Status status = Prepare(request.get(), now);
      bool silently = false;
      if (shut_down_ || ending_) {
        status = ShutDownError();
        silently = true;
        if (result.ok()) result = status;
      }
      const bool answered = status.ok() && request->answered();
      if (status.ok() && !answered && Full()) {
        status = MakeRoom(request.get());
        now = clock_->Now();
        silently = request->when_full.value_or(options_.limits.when_full) ==
                   WhenFull::kDrop;
      }
      tracker_.Start(request, now);
      if (answered) {
        tracker_.OnAnswered(request.get(), now);
        continue;
      }
      if (!status.ok()) {
        StatusFacts facts;
        facts.operation = "submit";
        facts.task = request->task;
        facts.bytes_sent = false;
        status = Annotate(status, facts);
        if (silently) {
          tracker_.DropSilently(request.get(), std::move(status), now);
        } else {
          tracker_.GiveUp(request.get(), std::move(status), now);
        }
        continue;
      }
      Dispatch(request.get(), now);
    }
    AfterChange(now, will_wait);
  }
  poller_->RunDeferred();
  return result;
}

void ClientCore::AfterChange(absl::Time now, bool will_wait) {
  // A leader that is awake sends the output with its own.
  if (driver_.leader_busy()) return;
  // The next submitter, which waits for the lock, will also call Settle.
  if (submitters_.load(std::memory_order_relaxed) == 0) Settle(now);
  // This may have ended requests of others, and made room.
  if (!Full()) ReleaseWaiters(&room_, /*finished=*/true);
  driver_.WakeDoneLeader();
  // A thread that is going to lead handles everything itself. A leader that
  // sleeps must hear of this thread's timers and callbacks.
  if (will_wait && !driver_.leading()) return;
  driver_.OnChange(tracker_.has_notices() ? absl::InfinitePast()
                                          : NextDeadline());
}

void ClientCore::DispatchAll() {
  // Dispatching may add requests. They are dispatched next time.
  tracker_.TakeDispatches(&dispatching_);
  for (JobRequestState* request : dispatching_) {
    // Connecting may take time.
    const absl::Time now = clock_->Now();
    if (request->deadline <= now) {
      tracker_.OnLate(request, now);
    } else {
      Dispatch(request, now);
    }
  }
}

void ClientCore::Dispatch(JobRequestState* request, absl::Time now) {
  if (request->self == nullptr) return;
  SelectionQuery query;
  query.task = request->task;
  query.unique = request->unique.view();
  query.attempt = request->attempts + 1;
  TriedServers* tried = nullptr;
  request->server = nullptr;
  if (request->extras != nullptr) {
    tried = request->extras->tried.get();
    request->server = request->extras->next_server;
    if (!request->extras->pinned) request->extras->next_server = nullptr;
  }
  if (request->server == nullptr) {
    request->server = choice_.Choose(query, tried, now);
  }
  tracker_.OnDispatched(request);
  if (request->attempts > 1) tracker_.OnRetryDispatched(request, now);
  absl::Status status = Open(request->server, now);
  const ClientServer& server = *request->server;
  if (!status.ok()) {
    tracker_.OnAttemptFailed(
        request, server.name,
        {FailureReason::kConnect, std::move(status), /*bytes_sent=*/false},
        now);
    return;
  }
  effects_.clear();
  ClientLink& link = *server.link;
  status = link.session->Submit(request, &effects_);
  if (!status.ok()) {
    StatusFacts facts;
    facts.operation = "submit";
    facts.task = request->task;
    facts.bytes_sent = false;
    tracker_.GiveUp(request, Annotate(status, facts), now);
    return;
  }
  servers_.Touch(link);
  if (!effects_.empty()) Apply(server.name, now);
}

void ClientCore::Look(const ClientServer& server, absl::Time now) {
  if (!ClientServers::NeedsLook(server, now)) return;
  Read(*server.link, now);
  servers_.OnTime(*server.link, now);
  HandleLost(now);
}

absl::Status ClientCore::Open(const ClientServerPtr& server, absl::Time now) {
  Look(*server, now);
  return servers_.Open(server, now);
}

void ClientCore::Dispatch(Query* query, absl::Time now) {
  const ClientServerPtr& server = query->server;
  absl::Status status;
  if (server->removed) {
    // A removed server is asked as long as its connection lives.
    Look(*server, now);
    if (server->link == nullptr) {
      status = ClientServers::RemovedError(server->name);
    }
  } else {
    status = Open(server, now);
  }
  if (status.ok()) {
    ClientLink& link = *server->link;
    status = link.session->Ask(query);
    servers_.Touch(link);
  }
  if (status.ok()) return;
  query->status = std::move(status);
  query->finished = true;
  ReleaseWaiters(query, /*finished=*/true);
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
      tracker_.GiveUp(request,
                      Annotate(absl::CancelledError(absl::StrCat(
                                   "cancelled: ", JobName(*request),
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
