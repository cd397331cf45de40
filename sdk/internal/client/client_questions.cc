// The part of ClientCore that waits for answers and tells the state of its
// servers.
#include <algorithm>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace internal {
namespace {

// Names the request, and says how far it has got.
std::string Whereabouts(const JobRequestState& request) {
  return absl::StrCat(
      "task \"", SafeText(request.task), "\", ", JobName(request), ", ",
      JobStateName(request.state), " at ",
      request.server != nullptr ? request.server->name : "no server yet",
      request.callbacks_pending > 0 ? ", and a callback of it has not returned"
                                    : "");
}

}  // namespace

// --- waiting -----------------------------------------------------------------

absl::Status ClientCore::MayWait() const {
  if (!driver_.in_callback()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a callback must not wait: it runs on the thread that drives the I/O; "
      "use on_complete, or another thread");
}

bool ClientCore::Ours(const JobRequestState& request) const {
  return request.core.get() == this ||
         (request.core == nullptr && request.callbacks_pending > 0);
}

absl::Status ClientCore::CheckOurs(const JobRequestState& request) const {
  if (Ours(request)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "task \"", SafeText(request.task), "\", unique \"",
      SafeText(request.unique.view()),
      request.core == nullptr ? "\": the request was not submitted"
                              : "\": the request belongs to another client"));
}

bool ClientCore::There(const JobRequestState& request, WaitFor what) {
  // The callbacks of a request come before its end is told to a wait.
  if (request.callbacks_pending > 0) return false;
  return request.finished.load(std::memory_order_acquire) ||
         (what == WaitFor::kAccepted && request.state == JobState::kCreated);
}

absl::Status ClientCore::WaitUntilThere(absl::Span<const JobRequest> batch,
                                        WaitFor what, absl::Time deadline) {
  // Waits for the last request first. When it has got there, most others have,
  // too.
  size_t left = batch.size();
  const auto next = [&]() -> Operation* {
    // The waiter calls this function with the lock held.
    mutex_.AssertHeld();
    for (; left > 0; --left) {
      JobRequestState* const request = Access::StateOf(batch[left - 1]).get();
      // The request had ended, and was then submitted to another client.
      if (!Ours(*request)) continue;
      if (what == WaitFor::kResult && request->background) continue;
      if (!There(*request, what)) return request;
    }
    return nullptr;
  };
  Waiter waiter(next, what == WaitFor::kAccepted);
  const bool done = driver_.Wait(&waiter, deadline);
  waiter.Abandon();
  return done ? absl::OkStatus() : Over();
}

absl::Status ClientCore::Wait(absl::Span<const JobRequest> batch, WaitFor what,
                              absl::Duration timeout) {
  absl::Status may_wait = MayWait();
  if (!may_wait.ok()) return may_wait;
  absl::MutexLock lock(&mutex_);
  const absl::Time deadline = clock_->Now() + timeout;
  for (const JobRequest& handle : batch) {
    absl::Status ours = CheckOurs(*Access::StateOf(handle));
    if (!ours.ok()) return ours;
  }
  absl::Status over = WaitUntilThere(batch, what, deadline);
  if (!over.ok()) return over;

  size_t late = 0;
  absl::Status first_error;
  const JobRequestState* first_late = nullptr;
  for (const JobRequest& handle : batch) {
    JobRequestState* const request = Access::StateOf(handle).get();
    if (request->core.get() != this) continue;
    request->wait_timed_out = !There(*request, what);
    if (request->wait_timed_out) {
      ++late;
      if (first_late == nullptr) first_late = request;
    } else if (request->finished.load(std::memory_order_acquire)) {
      if (first_error.ok()) first_error = request->status;
    }
  }
  if (first_late == nullptr) return first_error;
  return absl::DeadlineExceededError(absl::StrCat(
      late, " of ", batch.size(), " requests not ",
      what == WaitFor::kAccepted ? "accepted" : "finished", " within ",
      absl::FormatDuration(timeout), "; the first is ",
      Whereabouts(*first_late), "; they go on: wait again, or cancel them"));
}

void ClientCore::TakeResults(absl::Span<const JobRequest> batch,
                             absl::Duration timeout,
                             absl::StatusOr<std::string>* results) {
  const absl::Status may_wait = MayWait();
  if (!may_wait.ok()) {
    std::fill_n(results, batch.size(), may_wait);
    return;
  }
  absl::MutexLock lock(&mutex_);
  const absl::Status over =
      WaitUntilThere(batch, WaitFor::kResult, clock_->Now() + timeout);
  for (const JobRequest& handle : batch) {
    *results++ = TakeResult(Access::StateOf(handle).get(), over, timeout);
  }
}

absl::StatusOr<std::string> ClientCore::TakeResult(JobRequestState* request,
                                                   const absl::Status& over,
                                                   absl::Duration timeout) {
  const absl::Status ours = CheckOurs(*request);
  if (!ours.ok()) return ours;
  if (request->background) {
    return absl::InvalidArgumentError(absl::StrCat(
        "task \"", SafeText(request->task), "\", ", JobName(*request),
        ": a background job has no result; submit the job in the foreground, "
        "or wait without a result"));
  }
  const bool there = There(*request, WaitFor::kResult);
  if (!there && !over.ok()) return over;
  request->wait_timed_out = !there;
  if (!there) {
    return absl::DeadlineExceededError(
        absl::StrCat(Whereabouts(*request), ": not finished within ",
                     absl::FormatDuration(timeout),
                     "; it goes on: wait again, or cancel it"));
  }
  if (!request->status.ok()) return request->status;
  if (request->result_taken) {
    return absl::FailedPreconditionError(absl::StrCat(
        "task \"", SafeText(request->task), "\", ", JobName(*request),
        ": the result was taken before; take it once, or read result()"));
  }
  request->result_taken = true;
  return std::exchange(request->result, {});
}

void ClientCore::Ask(absl::Span<Query* const> queries, absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const absl::Status may_ask = MayAsk();
  if (!may_ask.ok()) {
    for (Query* query : queries) engine_.Abandon(query, may_ask);
    return;
  }
  const absl::Time now = clock_->Now();
  Waiter waiter(queries.size());
  for (Query* query : queries) {
    if (query->finished) continue;
    // The echo's answer has the same size.
    const size_t bytes = wire::kHeaderBytes + query->data.size();
    if (bytes > options_.limits.max_packet_bytes) {
      engine_.Abandon(
          query,
          absl::InvalidArgumentError(absl::StrCat(
              "the echo's packet of ", bytes, " bytes is larger than ",
              options_.limits.max_packet_bytes, " bytes (max_packet_bytes)")));
      continue;
    }
    waiter.Add(query, /*for_accepted=*/false);
    query->asked = now;
    engine_.Ask(query, now);
  }
  SendAndWait(&waiter, now, now + timeout);
  waiter.Abandon();
  const absl::Status over = Over();
  for (Query* query : queries) {
    EndQuery(query, over, timeout);
  }
}

void ClientCore::EndQuery(Query* query, const absl::Status& over,
                          absl::Duration timeout) {
  if (query->finished) return;
  if (!over.ok()) return engine_.Abandon(query, over);
  const ClientServer& server = *query->server;
  engine_.Abandon(
      query,
      absl::DeadlineExceededError(absl::StrCat(
          server.name, ": no answer within ", absl::FormatDuration(timeout),
          server.link != nullptr ? server.link->session->hint() : "")));
}

void ClientCore::SendAndWait(Waiter* waiter, absl::Time now,
                             absl::Time deadline) {
  AfterChange(now, /*will_wait=*/true);
  if (driver_.leading()) {
    // The leader may be asleep, and would not run the deferred work.
    mutex_.Unlock();
    poller_->RunDeferred();
    mutex_.Lock();
  }
  driver_.Wait(waiter, deadline);
}

absl::Status ClientCore::MayAsk() const {
  absl::Status over = Over();
  if (!over.ok()) return over;
  if (driver_.in_callback()) {
    return absl::FailedPreconditionError(
        "a callback must not ask a server: the question waits for the thread "
        "that runs the callback");
  }
  return absl::OkStatus();
}

// --- health ------------------------------------------------------------------

// The echoes of WaitForReady, one for each server.
struct ClientCore::ReadinessCheck {
  // Returns the echo for `server`. A new one is finished without an answer.
  Query* EchoOf(const ClientServerPtr& server) {
    Query*& echo = by_server[server];
    if (echo == nullptr) {
      echo = &echoes.emplace_back(Operation::Kind::kEcho);
      echo->server = server;
      echo->finished = true;
      echo->status = absl::UnavailableError("not asked yet");
    }
    return echo;
  }
  bool Answered() const {
    return std::any_of(echoes.begin(), echoes.end(), [](const Query& echo) {
      return echo.finished && echo.status.ok();
    });
  }

  std::list<Query> echoes;
  absl::flat_hash_map<ClientServerPtr, Query*> by_server;
  // Never finishes. It keeps the waiter from being done when no echo is open,
  // so that a wait lasts until its deadline.
  Operation never{Operation::Kind::kEcho};
};

absl::Status ClientCore::WaitForReady(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  absl::Status may_ask = MayAsk();
  if (!may_ask.ok()) return may_ask;
  ReadinessCheck check;
  const absl::Time deadline = clock_->Now() + timeout;
  absl::Status over;
  do {
    const absl::Time now = clock_->Now();
    const absl::Time next = std::min(deadline, AskServers(&check, now));
    Waiter waiter(check.echoes.size() + 1, Waiter::Until::kAny);
    waiter.Add(&check.never, /*for_accepted=*/false);
    for (Query& echo : check.echoes) {
      if (!echo.finished) waiter.Add(&echo, /*for_accepted=*/false);
    }
    SendAndWait(&waiter, now, next);
    waiter.Abandon();
    over = Over();
  } while (!check.Answered() && clock_->Now() < deadline && over.ok());
  const absl::Status unready = EndCheck(&check, timeout);
  if (check.Answered()) return absl::OkStatus();
  return over.ok() ? unready : over;
}

absl::Time ClientCore::AskServers(ReadinessCheck* check, absl::Time now) {
  absl::Time next = absl::InfiniteFuture();
  // User code may change the servers while nobody has the lock.
  const std::vector<ClientServerPtr> servers(
      engine_.servers().servers().begin(), engine_.servers().servers().end());
  for (const ClientServerPtr& server : servers) {
    Query* const echo = check->EchoOf(server);
    if (!echo->finished) continue;
    if (now >= server->retry_at) {
      echo->finished = false;
      echo->asked_again = false;
      echo->asked = now;
      echo->status = absl::OkStatus();
      engine_.Ask(echo, now);
      if (!echo->finished) continue;
      // The connection was refused at once.
    }
    next = std::min(next, server->retry_at);
  }
  return next;
}

absl::Status ClientCore::EndCheck(ReadinessCheck* check,
                                  absl::Duration timeout) {
  std::vector<std::string> reasons;
  bool untrusted = true;
  for (Query& echo : check->echoes) {
    if (!echo.finished) {
      engine_.Abandon(&echo, absl::DeadlineExceededError(absl::StrCat(
                                 echo.server->name, ": no answer so far")));
    }
    untrusted = untrusted && absl::IsUnauthenticated(echo.status);
    reasons.push_back(std::string(echo.status.message()));
  }
  return absl::Status(
      untrusted ? absl::StatusCode::kUnauthenticated
                : absl::StatusCode::kDeadlineExceeded,
      absl::StrCat("no server answered within ", absl::FormatDuration(timeout),
                   ": ", absl::StrJoin(reasons, "; ")));
}

Health ClientCore::health() {
  absl::MutexLock lock(&mutex_);
  return MakeHealth(engine_.servers().health());
}

Health ClientCore::CheckHealth(absl::Duration timeout) {
  const std::vector<ClientServerPtr> servers = AllServers();
  std::vector<std::unique_ptr<Query>> queries;
  std::vector<Query*> asked;
  for (const ClientServerPtr& server : servers) {
    queries.push_back(std::make_unique<Query>(Operation::Kind::kEcho));
    queries.back()->server = server;
    asked.push_back(queries.back().get());
  }
  Ask(asked, timeout);
  absl::MutexLock lock(&mutex_);
  std::vector<ServerHealth> all = engine_.servers().health();
  absl::flat_hash_map<std::string, const Query*> answers;
  for (const Query* query : asked) {
    answers.emplace(query->server->name, query);
  }
  for (ServerHealth& health : all) {
    const auto answer = answers.find(health.server);
    if (answer == answers.end()) continue;
    const Query& query = *answer->second;
    health.last_error = query.status;
    health.state = query.status.ok() ? ServerState::kUp : ServerState::kFailing;
    if (query.status.ok()) {
      health.round_trip_time = query.answered - query.asked;
    }
  }
  return MakeHealth(std::move(all));
}

// --- servers -----------------------------------------------------------------

absl::Status ClientCore::AddServer(absl::string_view text) {
  absl::StatusOr<Address> address = ParseServer(text, *options_.transports);
  if (!address.ok()) return address.status();
  absl::MutexLock lock(&mutex_);
  const ClientServerPtr known = engine_.servers().Find(address->ToString());
  if (known != nullptr && !known->removed) {
    return absl::AlreadyExistsError(absl::StrCat(
        address->ToString(), " is one of the client's servers already"));
  }
  if (engine_.AddServer(*address) == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat(address->ToString(), " was not added: the client has ",
                     kMaxServers, " servers"));
  }
  return absl::OkStatus();
}

absl::Status ClientCore::RemoveServer(absl::string_view text) {
  const absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return address.status();
  const std::string name = address->ToString();
  {
    absl::MutexLock lock(&mutex_);
    const ClientServerPtr server = engine_.servers().Find(name);
    if (server == nullptr || server->removed) {
      return absl::NotFoundError(
          absl::StrCat(name, " is none of the client's servers"));
    }
    if (engine_.servers().servers().size() == 1) {
      return absl::FailedPreconditionError(absl::StrCat(
          name, " is the client's only server; add another one first"));
    }
    engine_.RemoveServer(server);
    AfterChange(clock_->Now(), /*will_wait=*/false);
  }
  poller_->RunDeferred();
  return absl::OkStatus();
}

std::vector<std::string> ClientCore::servers() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> names;
  for (const ClientServerPtr& server : engine_.servers().servers()) {
    names.push_back(server->name);
  }
  return names;
}

std::vector<ClientServerPtr> ClientCore::AllServers() {
  absl::MutexLock lock(&mutex_);
  const absl::Span<const ClientServerPtr> servers = engine_.servers().servers();
  return std::vector<ClientServerPtr>(servers.begin(), servers.end());
}

absl::StatusOr<ClientServerPtr> ClientCore::FindToAsk(
    absl::string_view address) {
  absl::MutexLock lock(&mutex_);
  return engine_.servers().FindToAsk(address);
}

ClientServerPtr ClientCore::ChooseServer() {
  absl::MutexLock lock(&mutex_);
  return engine_.ChooseServer(clock_->Now());
}

}  // namespace internal
}  // namespace gearman
