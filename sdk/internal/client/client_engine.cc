#include "gearman/sdk/internal/client/client_engine.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gearman/codecs/wire/outgoing_body.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/net/common_options.h"
#include "gearman/sdk/internal/random_engine.h"
#include "gearman/sdk/status.h"

namespace gearman {
namespace internal {
namespace {

ClientLinkSession::Options SessionOptions(const ClientOptions& options,
                                          EffectSink* sink) {
  ClientLinkSession::Options session;
  session.sink = sink;
  session.task_prefix = options.task_prefix;
  session.exceptions = options.exceptions;
  session.reply_timeout = options.reply_timeout;
  session.heartbeat_interval = options.heartbeat_interval;
  return session;
}

JobRequestTracker::Options TrackerOptions(const ClientOptions& options,
                                          Metrics* metrics,
                                          std::mt19937_64* random,
                                          ByteAccount* account) {
  JobRequestTracker::Options tracker;
  tracker.retry_policy = options.retry_policy.get();
  tracker.backoff_policy = options.backoff_policy.get();
  tracker.idempotency_policy = options.idempotency_policy.get();
  tracker.random = random;
  tracker.question_interval = options.heartbeat_interval;
  tracker.max_update_bytes = options.limits.max_update_bytes;
  tracker.max_memory = options.limits.max_memory_bytes;
  tracker.account = account;
  tracker.metrics = metrics;
  tracker.logger = options.logger;
  return tracker;
}

// The link of a session. Each session of a client belongs to one.
ClientLink& LinkOf(ClientSession& session) {
  return static_cast<ClientLinkSession&>(session).link();
}

// Returns why the data of this operation could not be read from its source. OK:
// it could, or has no source.
const absl::Status& BodyErrorOf(Operation& operation) {
  static const auto* const ok = new absl::Status();
  if (operation.kind != Operation::Kind::kJob) return *ok;
  const JobRequestExtras* const extras = AsRequest(&operation)->extras.get();
  return extras == nullptr || extras->outgoing == nullptr
             ? *ok
             : extras->outgoing->error();
}

absl::Status NotSubmitted(const absl::Status& status,
                          const JobRequestState& request) {
  StatusFacts facts;
  facts.operation = "submit";
  facts.task = request.task;
  facts.bytes_sent = false;
  return Annotate(status, facts);
}

}  // namespace

ClientEngine::ClientEngine(const ClientOptions& options,
                           const std::vector<Address>& servers, Poller* poller,
                           Metrics* metrics, wire::SpareStrings* spares)
    : clock_(poller->clock()),
      metrics_(metrics),
      random_(MakeRandomEngine(options.random_seed)),
      defaults_(&options, metrics, &random_),
      tracker_(TrackerOptions(options, metrics, &random_, &memory_)),
      servers_(servers, ConnectionsOptions(options, metrics, &memory_, spares),
               SessionOptions(options, &tracker_), poller, &random_),
      choice_(&servers_, options.server_selector, options.logger, &random_) {
  OnServersChanged();
}

// --- submissions -------------------------------------------------------------

absl::Status ClientEngine::Prepare(JobRequestState* request, bool wants_result,
                                   absl::Time now) {
  return defaults_.FillIn(request, static_cast<int>(servers_.servers().size()),
                          wants_result, now);
}

void ClientEngine::Submit(const std::shared_ptr<JobRequestState>& request,
                          absl::Time now) {
  tracker_.Start(request, now);
  Dispatch(request.get(), now);
}

void ClientEngine::SubmitAnswered(
    const std::shared_ptr<JobRequestState>& request, absl::Time now) {
  tracker_.Start(request, now);
  tracker_.OnAnswered(request.get(), now);
}

void ClientEngine::Refuse(const std::shared_ptr<JobRequestState>& request,
                          absl::Status status, bool silently, absl::Time now) {
  tracker_.Start(request, now);
  status = NotSubmitted(status, *request);
  if (silently) {
    tracker_.DropSilently(request.get(), std::move(status), now);
  } else {
    tracker_.GiveUp(request.get(), std::move(status), now);
  }
}

void ClientEngine::Stop(const absl::Status& status, absl::Time now) {
  tracker_.GiveUpAll(status, now);
  servers_.CloseAll();
}

void ClientEngine::Abandon(Query* query, const absl::Status& status) {
  if (query->session != nullptr) query->session->Detach(query);
  tracker_.Withdraw(query);
  query->finished = true;
  query->status = status;
}

// --- to the servers ----------------------------------------------------------

void ClientEngine::DispatchAll() {
  // Dispatching may add operations. They are dispatched next time.
  tracker_.TakeDispatches(&dispatching_);
  for (Operation* const operation : dispatching_) {
    // Connecting may take time.
    const absl::Time now = clock_->Now();
    if (operation->kind != Operation::Kind::kJob) {
      Dispatch(static_cast<Query*>(operation), now);
    } else if (AsRequest(operation)->deadline <= now) {
      tracker_.OnLate(AsRequest(operation), now);
    } else {
      Dispatch(AsRequest(operation), now);
    }
  }
}

ClientServerPtr ClientEngine::ServerFor(const JobRequestState& request,
                                        absl::Time now) {
  TriedServers* tried = nullptr;
  if (JobRequestExtras* const extras = request.extras.get()) {
    if (extras->next_server != nullptr) {
      return extras->pinned ? extras->next_server
                            : std::exchange(extras->next_server, nullptr);
    }
    tried = extras->tried.get();
  }
  SelectionQuery query;
  query.task = request.task;
  query.unique = request.unique.view();
  query.attempt = request.attempts + 1;
  return choice_.Choose(query, tried, now);
}

void ClientEngine::Dispatch(JobRequestState* request, absl::Time now) {
  if (request->self == nullptr) return;
  request->server = ServerFor(*request, now);
  tracker_.OnDispatched(request, now);
  absl::Status status = Open(request->server, now);
  if (!status.ok()) {
    tracker_.OnFailed(
        request,
        {FailureReason::kConnect, std::move(status), /*bytes_sent=*/false},
        now);
    return;
  }
  ClientLink& link = *request->server->link;
  // The session may accept the request at once, and so change it.
  status = link.session->Submit(request);
  if (status.ok()) {
    servers_.Touch(link);
  } else {
    tracker_.GiveUp(request, NotSubmitted(status, *request), now);
  }
}

void ClientEngine::Dispatch(Query* query, absl::Time now) {
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
  if (!status.ok()) JobRequestTracker::Finish(query, std::move(status));
}

absl::Status ClientEngine::Open(const ClientServerPtr& server, absl::Time now) {
  Look(*server, now);
  return servers_.Open(server, now);
}

void ClientEngine::Look(const ClientServer& server, absl::Time now) {
  if (!ClientServers::NeedsLook(server, now)) return;
  Read(*server.link, now);
  servers_.OnTime(*server.link, now);
  HandleLost(now);
}

// --- from the servers --------------------------------------------------------

void ClientEngine::OnReady(Poller::Key key, absl::Time now) {
  ClientLink* const link = servers_.FindLink(key);
  if (link != nullptr) Read(*link, now);
}

void ClientEngine::Read(ClientLink& link, absl::Time now) {
  tracker_.set_now(now);
  servers_.Read(link, now, [](ClientLink& from, wire::ToClient& event) {
    return from.session->OnEvent(event);
  });
}

void ClientEngine::HandleLost(absl::Time now) {
  while (std::optional<ClientServers::Lost> lost = servers_.TakeLost()) {
    // Writing failed. Packets that the server sent before still count.
    if (lost->reason == ReconnectReason::kFailed) Read(*lost->link, now);
    if (metrics_ != nullptr &&
        lost->reason == ReconnectReason::kProtocolError) {
      metrics_->ProtocolError("DATA_LOSS");
    }
    const bool connecting = !lost->link->up();
    std::vector<Orphan> orphans;
    servers_.CloseLost(*lost, now, &orphans);
    for (const Orphan& orphan : orphans) {
      AttemptOutcome outcome;
      outcome.reason = orphan.accepted   ? FailureReason::kLostAfterAcceptance
                       : connecting      ? FailureReason::kConnect
                       : lost->timed_out ? FailureReason::kTimedOut
                                         : FailureReason::kLostBeforeAcceptance;
      outcome.bytes_sent = orphan.bytes_sent;
      outcome.cut_off = orphan.cut_off;
      outcome.status = lost->status;
      const absl::Status& own = BodyErrorOf(*orphan.operation);
      if (!own.ok()) {
        outcome.status = own;
        outcome.permanent = true;
      }
      outcome.timed_out = lost->timed_out;
      tracker_.OnFailed(orphan.operation, std::move(outcome), now);
    }
  }
}

// --- time --------------------------------------------------------------------

void ClientEngine::ReadBeforeLate(absl::Time now) {
  if (now < next_deadline()) return;
  std::vector<ClientLink*> late;
  const auto add = [&late](ClientLink& link) { late.push_back(&link); };
  servers_.ForEachDue(now, add);
  tracker_.ForEachDue(now, [&add](const JobRequestState& request) {
    if (request.session == nullptr) return;
    add(LinkOf(*request.session));
  });
  // In an order that is the same in each simulated run.
  std::sort(late.begin(), late.end(),
            [](const ClientLink* a, const ClientLink* b) {
              return a->connection.key() < b->connection.key();
            });
  late.erase(std::unique(late.begin(), late.end()), late.end());
  for (ClientLink* const link : late) Read(*link, now);
  Settle(now);
}

void ClientEngine::OnTrackerTime(absl::Time now) {
  tracker_.OnTime(now);
  for (const JobQuestion& question : tracker_.TakeQuestions()) {
    question.session->AskAfterJob(question.handle);
    servers_.Touch(LinkOf(*question.session));
  }
}

void ClientEngine::OnTime(absl::Time now) {
  // A question is a sign of life that is asked for, so it comes before the
  // heartbeat that is due at the same time, and takes its place.
  OnTrackerTime(now);
  servers_.OnTime(now);
}

void ClientEngine::Settle(absl::Time now) {
  for (;;) {
    HandleLost(now);
    DispatchAll();
    servers_.Flush(now);
    if (!servers_.has_lost() && !tracker_.wants_dispatch() &&
        !servers_.has_touched()) {
      return;
    }
    // A request may be tried at thousands of servers here. It must not outlive
    // its timeout.
    now = clock_->Now();
    if (tracker_.next_deadline() <= now) OnTrackerTime(now);
  }
}

// --- servers -----------------------------------------------------------------

ClientServerPtr ClientEngine::AddServer(const Address& address) {
  ClientServerPtr added = servers_.Add(address);
  OnServersChanged();
  return added;
}

void ClientEngine::RemoveServer(const ClientServerPtr& server) {
  servers_.Remove(server);
  OnServersChanged();
}

}  // namespace internal
}  // namespace gearman
