#include "gearman/sdk/internal/client/client_core.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/internal/client/default_plugins.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/sdk/internal/random_engine.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/process_memory.h"

namespace gearman {
namespace internal {
namespace {

ServerSetOptions ServersOptions(const ClientOptions& options, Metrics* metrics,
                                ByteAccount* account) {
  ServerSetOptions servers;
  servers.connect_timeout = options.connect_timeout;
  servers.reconnect = options.reconnect;
  servers.decoder.max_packet_bytes = options.limits.max_packet_bytes;
  servers.connection.account = account;
  servers.connection.max_memory = options.limits.max_memory_bytes;
  servers.transports = options.transports;
  servers.metrics = metrics;
  servers.logger = options.logger;
  return servers;
}

ClientLinkSession::Options SessionOptions(const ClientOptions& options) {
  ClientLinkSession::Options session;
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

std::shared_ptr<Metrics> MakeMetrics(const ClientOptions& options) {
  if (options.metrics_sinks.empty()) return nullptr;
  MetricsOptions metrics;
  metrics.tls = options.transports->tls_library();
  return std::make_shared<Metrics>(std::move(metrics));
}

// The link of a session. Each session of a client belongs to one.
ClientLink& LinkOf(ClientSession& session) {
  return static_cast<ClientLinkSession&>(session).link();
}

absl::Status CheckOptions(const ClientOptions& options) {
  struct Positive {
    const char* name;
    absl::Duration value;
  };
  for (const Positive& field :
       {Positive{"connect_timeout", options.connect_timeout},
        Positive{"reply_timeout", options.reply_timeout},
        Positive{"heartbeat_interval", options.heartbeat_interval},
        Positive{"timeout", options.timeout}}) {
    if (field.value <= absl::ZeroDuration()) {
      return absl::InvalidArgumentError(
          absl::StrCat("ClientOptions::", field.name, " is ",
                       absl::FormatDuration(field.value),
                       "; it must be more than zero (infinite: none)"));
    }
  }
  if (options.max_connection_attempts < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("ClientOptions::max_connection_attempts is ",
                     options.max_connection_attempts,
                     "; it must be at least 1, or 0 for each server once"));
  }
  if (options.limits.max_requests_in_flight == 0 ||
      options.limits.max_output_bytes == 0 ||
      options.limits.max_packet_bytes < 12) {
    return absl::InvalidArgumentError(
        "ClientOptions::limits: max_requests_in_flight and max_output_bytes "
        "must be at least 1, max_packet_bytes at least 12");
  }
  return CheckListable("ClientOptions::task_prefix", options.task_prefix);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ClientCore>> ClientCore::Create(
    ClientOptions options) {
  absl::Status status = CheckOptions(options);
  status.Update(MetricsExporter::Check(options.metrics_sinks));
  if (!status.ok()) return status;
  if (options.transports == nullptr) {
    options.transports = TransportRegistry::Default();
  }
  absl::StatusOr<std::vector<Address>> servers =
      ParseServers(options.servers, "ClientOptions", *options.transports);
  if (!servers.ok()) return servers.status();
  if (options.servers.empty()) LogEmbeddedServer(options.logger);
  if (servers->size() > ClientServers::kMaxServers) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ClientOptions::servers: ", servers->size(), " of them; at most ",
        ClientServers::kMaxServers, " can be"));
  }
  if (options.poller == nullptr) {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    if (!poller.ok()) return poller.status();
    options.poller = *std::move(poller);
  }
  if (options.limits.max_memory_bytes == kShareOfMemory) {
    options.limits.max_memory_bytes = ProcessMemory() / 4;
  }
  options.limits.max_packet_bytes = PacketLimit(
      options.limits.max_packet_bytes, options.limits.max_memory_bytes);
  if (options.retry_policy == nullptr) {
    options.retry_policy = DefaultRetryPolicy();
  }
  if (options.server_selector == nullptr) {
    options.server_selector = DefaultServerSelector();
  }
  return std::shared_ptr<ClientCore>(
      new ClientCore(std::move(options), *servers),
      DeleteInOwnProcess<ClientCore>());
}

ClientCore::ClientCore(ClientOptions options,
                       const std::vector<Address>& servers)
    : options_(std::move(options)),
      poller_(options_.poller),
      clock_(poller_->clock()),
      metrics_(MakeMetrics(options_)),
      hooked_(options_.trace_observer != nullptr ||
              !options_.interceptors.empty()),
      random_(MakeRandomEngine(options_.random_seed)),
      tracker_(TrackerOptions(options_, metrics_.get(), &random_, &memory_)),
      servers_(servers, ServersOptions(options_, metrics_.get(), &memory_),
               SessionOptions(options_), poller_.get(), &random_),
      choice_(&servers_, options_.server_selector, options_.logger, &random_),
      driver_(&mutex_, poller_.get(), this,
              options_.drive_mode == DriveMode::kAuto) {
  OnServersChanged();
  if (metrics_ != nullptr) {
    exporter_ = std::make_unique<MetricsExporter>(
        metrics_, options_.metrics_sinks, clock_);
  }
}

ClientCore::~ClientCore() { Shutdown(); }

void ClientCore::Shutdown() {
  {
    absl::MutexLock lock(&mutex_);
    if (shut_down_) return;
    // From now on nothing is begun, so the loop that runs the last notices
    // ends.
    shut_down_ = true;
  }
  // No thread drives after this.
  driver_.Stop();
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    tracker_.GiveUpAll(absl::CancelledError("the client was destroyed"), now);
    for (Query* query : std::exchange(queries_to_send_, {})) {
      query->status = absl::CancelledError("the client was destroyed");
      query->finished = true;
      ReleaseWaiters(query, /*finished=*/true);
    }
    servers_.CloseAll();
    while (RunNotices()) {
    }
    if (inherited()) return;
    ReleaseWaiters(&room_, /*finished=*/true);
  }
  poller_->RunDeferred();
  exporter_ = nullptr;
}

// --- the pass ----------------------------------------------------------------

void ClientCore::Apply(const std::string& server, absl::Time now) {
  for (Effect& effect : effects_) tracker_.OnEffect(effect, server, now);
  effects_.clear();
}

void ClientCore::OnReady(Poller::Key key, absl::Time now) {
  ClientLink* const link = servers_.FindLink(key);
  if (link != nullptr) Read(*link, now);
}

void ClientCore::Read(ClientLink& link, absl::Time now) {
  servers_.Read(link, now,
                [this, now](ClientLink& from, wire::ToClient& event)
                    ABSL_NO_THREAD_SAFETY_ANALYSIS {
                      effects_.clear();
                      absl::Status status =
                          from.session->OnEvent(event, &effects_);
                      if (!effects_.empty()) Apply(from.server->name, now);
                      return status;
                    });
}

void ClientCore::FailQuery(Query* query, const ClientServers::Lost& lost,
                           bool connecting) {
  // A question changes nothing, so it is asked once more if it was lost with an
  // old connection. A server that refuses the client's certificate in TLS 1.3
  // reports this only now, and would do so again.
  if (!connecting && !query->asked_again &&
      !absl::IsUnauthenticated(lost.status)) {
    query->asked_again = true;
    if (metrics_ != nullptr) {
      metrics_->Retried(query->kind == Operation::Kind::kEcho
                            ? RetriedOperation::kEcho
                            : RetriedOperation::kStatus,
                        FailureReason::kLostBeforeAcceptance);
    }
    queries_to_send_.push_back(query);
    return;
  }
  query->status = lost.status;
  query->finished = true;
  ReleaseWaiters(query, /*finished=*/true);
}

void ClientCore::HandleLost(absl::Time now) {
  while (std::optional<ClientServers::Lost> lost = servers_.TakeLost()) {
    // Writing failed. Packets that the server sent before still count.
    if (lost->reason == ReconnectReason::kFailed) Read(*lost->link, now);
    if (metrics_ != nullptr &&
        lost->reason == ReconnectReason::kProtocolError) {
      metrics_->ProtocolError("DATA_LOSS");
    }
    const ClientServerPtr server = lost->link->server;
    const bool connecting = !lost->link->up();
    std::vector<Orphan> orphans;
    servers_.CloseLost(*lost, now, &orphans);
    for (const Orphan& orphan : orphans) {
      if (orphan.operation->kind != Operation::Kind::kJob) {
        FailQuery(static_cast<Query*>(orphan.operation), *lost, connecting);
        continue;
      }
      AttemptOutcome outcome;
      outcome.reason = orphan.accepted   ? FailureReason::kLostAfterAcceptance
                       : connecting      ? FailureReason::kConnect
                       : lost->timed_out ? FailureReason::kTimedOut
                                         : FailureReason::kLostBeforeAcceptance;
      outcome.bytes_sent = orphan.bytes_sent;
      outcome.status = lost->status;
      outcome.timed_out = lost->timed_out;
      tracker_.OnAttemptFailed(static_cast<JobRequestState*>(orphan.operation),
                               server->name, std::move(outcome), now);
    }
  }
}

void ClientCore::ReadBeforeLate(absl::Time now) {
  if (now < std::min(tracker_.next_deadline(), servers_.next_deadline())) {
    return;
  }
  // No thread may have driven for a while. Packets that have come count, and a
  // server whose answer can be read is not dead.
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

void ClientCore::Settle(absl::Time now) {
  for (;;) {
    HandleLost(now);
    DispatchAll();
    for (Query* query : std::exchange(queries_to_send_, {})) {
      Dispatch(query, now);
    }
    servers_.Flush(now);
    if (!servers_.has_lost() && !tracker_.wants_dispatch() &&
        queries_to_send_.empty() && !servers_.has_touched()) {
      return;
    }
    // A request may be tried at thousands of servers here. It must not outlive
    // its timeout.
    now = clock_->Now();
    if (tracker_.next_deadline() <= now) OnTrackerTime(now);
  }
}

void ClientCore::OnTrackerTime(absl::Time now) {
  tracker_.OnTime(now);
  for (const JobQuestion& question : tracker_.TakeQuestions()) {
    question.session->AskAfterJob(question.handle);
    servers_.Touch(LinkOf(*question.session));
  }
}

void ClientCore::Export(absl::Time now) {
  mutex_.Unlock();
  exporter_->OnTime(now);
  Relock();
}

absl::Time ClientCore::Work(const std::vector<Poller::Key>& ready) {
  mutex_.AssertHeld();
  absl::Time now = clock_->Now();
  for (const Poller::Key key : ready) OnReady(key, now);
  ReadBeforeLate(now);
  for (;;) {
    // A question is a sign of life that is asked for, so it comes before the
    // heartbeat that is due at the same time, and takes its place.
    OnTrackerTime(now);
    servers_.OnTime(now);
    Settle(now);
    if (!Full()) ReleaseWaiters(&room_, /*finished=*/true);
    if (!RunNotices()) break;
    now = clock_->Now();
  }
  if (inherited()) return absl::InfiniteFuture();
  if (exporter_ != nullptr && exporter_->next() <= now) {
    Export(now);
    if (inherited()) return absl::InfiniteFuture();
    Settle(clock_->Now());
    // Submitters may have made room since, and left its handling to this
    // thread.
    if (!Full()) ReleaseWaiters(&room_, /*finished=*/true);
  }
  return tracker_.has_notices() ? absl::InfinitePast() : NextDeadline();
}

absl::Time ClientCore::NextDeadline() const {
  absl::Time next =
      std::min(tracker_.next_deadline(), servers_.next_deadline());
  if (exporter_ != nullptr) next = std::min(next, exporter_->next());
  return next;
}

bool ClientCore::NeedsBackground() const {
  mutex_.AssertHeld();
  return tracker_.in_flight() > 0 || tracker_.has_notices() ||
         servers_.output_bytes() > 0 ||
         (exporter_ != nullptr && exporter_->next() != absl::InfiniteFuture());
}

void ClientCore::OnNoThread(const absl::Status& status) {
  options_.logger.Log(LogLevel::kError, status.message(),
                      ": callbacks, retries and what nobody waits for stand "
                      "still until it can, or a thread waits");
}

bool ClientCore::RunNotices() {
  if (!tracker_.has_notices()) return false;
  std::vector<Notice> notices = tracker_.TakeNotices();
  std::vector<std::shared_ptr<JobRequestState>> ended;
  mutex_.Unlock();
  {
    IoDriver::CallbackScope scope(&driver_);
    for (Notice& notice : notices) {
      scope.SetSubject(notice.request.get(), /*last=*/false);
      if (notice.hooks != nullptr && !RunHooks(&notice)) continue;
      scope.SetSubject(notice.request.get(),
                       notice.kind == Notice::Kind::kEnding ||
                           notice.kind == Notice::Kind::kComplete);
      RunCallbacks(notice);
      // The callback has forked, and this is the child.
      if (inherited()) break;
      if (notice.kind == Notice::Kind::kEnding ||
          notice.kind == Notice::Kind::kComplete) {
        ended.push_back(std::move(notice.request));
      }
    }
    notices.clear();
  }
  Relock();
  if (inherited()) return false;
  if (ended.empty()) return true;
  for (const std::shared_ptr<JobRequestState>& request : ended) {
    // A callback may have submitted the request again. Then the waiters go on
    // waiting.
    if (--request->callbacks_pending == 0 &&
        request->finished.load(std::memory_order_relaxed)) {
      ReleaseWaiters(request.get(), /*finished=*/true);
    }
  }
  // These may be the last handles. The callbacks that they hold are the user's,
  // and their destructors may call the client.
  mutex_.Unlock();
  {
    IoDriver::CallbackScope scope(&driver_);
    ended.clear();
  }
  Relock();
  return !inherited();
}

void ClientCore::RunCallbacks(const Notice& notice) {
  if (notice.request->extras == nullptr) return;
  const JobRequest request(notice.request);
  const JobCallbacks& callbacks = notice.request->extras->callbacks;
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
    case Notice::Kind::kData:
      guarded("on_data", [&] { callbacks.on_data(request, notice.data); });
      break;
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
      if (!callbacks.on_complete || notice.silently) break;
      // The callback may submit the request again, and interceptors may then
      // replace this request's callbacks.
      const bool replaceable =
          hooked_ || notice.request->extras->original != nullptr;
      const JobCallbacks copy = replaceable ? callbacks : JobCallbacks();
      const JobCallbacks& kept = replaceable ? copy : callbacks;
      guarded("on_complete", [&] { kept.on_complete(request); });
      break;
    }
  }
}

absl::Time ClientCore::RunOnce(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return driver_.RunOnce(deadline);
}

}  // namespace internal
}  // namespace gearman
