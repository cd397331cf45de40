#include "gearman/sdk/internal/worker/worker_core.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/logged_call.h"
#include "gearman/sdk/internal/net/common_options.h"
#include "gearman/sdk/internal/random_engine.h"
#include "gearman/sdk/internal/worker/check_options.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

static_assert(std::atomic<int64_t>::is_always_lock_free &&
                  std::atomic<bool>::is_always_lock_free,
              "signal handlers store to them");

// Handlers on the I/O thread may run one after another for so long before I/O
// has its turn.
constexpr absl::Duration kSlice = absl::Milliseconds(5);
// Nanoseconds. Grabs are sent before the waiting jobs have run only if these
// jobs take so long that a server can answer in that time. With tiny jobs
// another write costs more than it brings: 64 instead of 128 jobs in each write
// cost a fifth of the rate.
constexpr int64_t kWorthAWrite = 100000;
// Answers of so many bytes are worth a write. With 64 KiB in each job, a
// quarter of this or twice as much costs a tenth of the rate and more: either
// there are more writes, or the handlers' results no longer fit into the cache.
constexpr size_t kManyBytes = 512 << 10;
// When a handler asks its stop token, the worker looks at the I/O at most this
// often.
constexpr absl::Duration kLookInterval = absl::Milliseconds(1);

WorkerServers::Options ServersOptions(const WorkerOptions& options,
                                      Metrics* metrics, ByteAccount* account) {
  WorkerServers::Options servers;
  servers.session.client_id = options.client_id;
  servers.session.server_options = options.server_options;
  servers.session.reply_timeout = options.reply_timeout;
  servers.session.heartbeat_interval = options.heartbeat_interval;
  servers.session.regrab_interval = options.regrab_interval;
  servers.session.exceptions = options.exceptions;
  servers.session.native_exceptions = options.native_exceptions;
  servers.set = ConnectionsOptions(options, metrics, account,
                                   /*spares=*/nullptr);
  servers.max_output_bytes = options.limits.max_output_bytes;
  return servers;
}

WorkerJobs::Options JobsOptions(const WorkerOptions& options, Metrics* metrics,
                                ByteAccount* account) {
  WorkerJobs::Options jobs;
  jobs.concurrency = options.concurrency;
  jobs.prefetch = options.prefetch;
  jobs.max_pending_jobs = options.limits.max_pending_jobs;
  jobs.max_memory = options.limits.max_memory_bytes;
  jobs.max_output_bytes = options.limits.max_output_bytes;
  jobs.exceptions = options.exceptions;
  jobs.reports = static_cast<bool>(options.after_job);
  jobs.metrics = metrics;
  jobs.account = account;
  if (options.trace_observer != nullptr || !options.interceptors.empty()) {
    jobs.trace_observer = options.trace_observer.get();
    jobs.interceptors = &options.interceptors;
  }
  jobs.logger = options.logger;
  return jobs;
}

}  // namespace

absl::StatusOr<std::shared_ptr<WorkerCore>> WorkerCore::Create(
    WorkerOptions options) {
  absl::Status status = CheckWorkerOptions(options);
  status.Update(MetricsExporter::Check(options.metrics_sinks));
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<Address>> servers =
      CompleteOptions("WorkerOptions", &options);
  if (!servers.ok()) return servers.status();
  return std::shared_ptr<WorkerCore>(
      new WorkerCore(std::move(options), *std::move(servers)),
      DeleteInOwnProcess<WorkerCore>());
}

WorkerCore::WorkerCore(WorkerOptions options, std::vector<Address> servers)
    : options_(std::move(options)),
      poller_(options_.poller),
      clock_(poller_->clock()),
      metrics_(MetricsFor(options_, MetricOwner::kWorker)),
      mailbox_(std::make_shared<Mailbox>(poller_,
                                         options_.limits.max_output_bytes,
                                         options_.limits.max_packet_bytes)),
      drain_deadline_ns_(kNotDraining),
      wanted_servers_(servers),
      random_(MakeRandomEngine(options_.random_seed)),
      servers_(servers, ServersOptions(options_, metrics_.get(), &memory_),
               &offered_, mailbox_.get(), poller_.get(), &random_, &counters_),
      jobs_(JobsOptions(options_, metrics_.get(), &memory_), &servers_,
            mailbox_, clock_, this, &counters_) {
  {
    absl::MutexLock lock(&mutex_);
    published_health_ = servers_.health();
  }
  RegisterControl();
  if (metrics_ != nullptr) {
    exporter_ = std::make_unique<MetricsExporter>(
        metrics_, options_.metrics_sinks, clock_);
  }
}

WorkerCore::~WorkerCore() {
  if (!stopped()) {
    End(absl::OkStatus(), StopReason::kStopped, clock_->Now());
  }
  jobs_.StopHandlers();
  if (options_.trace_observer != nullptr) {
    jobs_.TakeMail(clock_->Now());
    jobs_.EndSpans();
  }
  mailbox_->Close();
}

// --- the loop ----------------------------------------------------------------

absl::Status WorkerCore::Run() {
  const absl::Status claimed = Claim("Worker::Run");
  return claimed.ok() ? RunClaimed() : claimed;
}

absl::Status WorkerCore::Claim(absl::string_view caller) {
  if (running_.exchange(true)) {
    return absl::FailedPreconditionError(
        absl::StrCat(caller,
                     ": the worker runs on another thread, or a handler made "
                     "the call"));
  }
  absl::Status started = jobs_.StartHandlers();
  if (!started.ok()) Unclaim();
  return started;
}

absl::Status WorkerCore::RunClaimed() {
  Advance(clock_->Now());
  while (!stopped()) Turn(absl::InfiniteFuture());
  if (inherited()) return InheritedError("worker");
  jobs_.StopHandlers();
  jobs_.TakeMail(clock_->Now());
  RunHooks(/*after_poll=*/false, /*any_activity=*/false);
  Publish();
  // Another thread may claim it at once.
  absl::Status status = end_status_;
  Unclaim();
  return status;
}

absl::Time WorkerCore::RunOnce(absl::Time deadline) {
  if (running_.exchange(true)) return absl::InfiniteFuture();
  absl::Time next = absl::InfiniteFuture();
  if (!stopped()) {
    if (!jobs_.StartHandlers().ok()) {
      running_.store(false);
      return next;
    }
    Advance(clock_->Now());
    Turn(deadline);
    if (inherited()) return next;
    if (!stopped()) {
      next = jobs_.HasNext() ? absl::InfinitePast()
                             : std::min(NextDeadline(), poller_->NextWait());
    }
  } else {
    // A wake-up since the end must not keep a loop awake.
    poller_->Wait(absl::InfinitePast(), &ready_);
    // Handlers may have ended late.
    jobs_.TakeMail(clock_->Now());
    RunHooks(/*after_poll=*/false, /*any_activity=*/false);
    Publish();
  }
  running_.store(false);
  return next;
}

void WorkerCore::Turn(absl::Time deadline) {
  bool any_activity = false;
  if (!stopped()) {
    absl::Time now = Pass(jobs_.HasNext() ? absl::InfinitePast() : deadline);
    any_activity = !ready_.empty();
    RunJobs(&now);
    // A handler has forked, and this is the child.
    if (inherited()) return;
    Advance(now);
  }
  RunHooks(/*after_poll=*/!stopped(), any_activity);
  if (inherited()) return;
  ExportMetrics();
}

void WorkerCore::ExportMetrics() {
  if (exporter_ != nullptr && exporter_->next() != absl::InfiniteFuture()) {
    exporter_->OnTime(clock_->Now());
  }
}

absl::Time WorkerCore::Pass(absl::Time until) {
  poller_->Wait(std::min(until, NextDeadline()), &ready_);
  counters_.Add(&WorkerStats::polls);
  const absl::Time now = clock_->Now();
  if (!GoesOn(now)) return now;
  for (const Poller::Key key : ready_) {
    servers_.OnReady(key, now,
                     [this, now](WorkerLink& link, wire::ToWorker& event) {
                       return OnEvent(link, event, now);
                     });
  }
  jobs_.HandOut();
  jobs_.TakeMail(now);
  // Deadlines are looked at after reading: packets that came in time must not
  // count as late because a handler kept this thread busy.
  servers_.OnTime(now);
  jobs_.OnTime(now);
  HandleLost(now);
  jobs_.LetBegin(now);
  return now;
}

void WorkerCore::RunJobs(absl::Time* now) {
  if (!jobs_.HasNext()) return;
  // The time of reading must not count for the first job. Each other handler
  // begins when the last one has returned.
  *now = clock_->Now();
  const absl::Time slice_end = *now + kSlice;
  while (GoesOn(*now) && jobs_.HasNext()) {
    // No answer may wait for a slow handler.
    if (jobs_.has_unsent() &&
        (jobs_.NextIsSlow() || *now >= jobs_.unsent_due())) {
      Advance(*now);
      poller_->RunDeferred();
      if (stopped() || !jobs_.HasNext()) return;
      *now = clock_->Now();
    }
    const WorkerLink* const link = jobs_.RunNext(now);
    if (stopped()) return;
    const bool many_bytes =
        link != nullptr && link->connection.output().held() >= kManyBytes;
    if (jobs_.has_reports()) {
      RunHooks(/*after_poll=*/false, false);
      // The time of the hooks must not count for the next job.
      *now = clock_->Now();
    }
    if (many_bytes || *now >= slice_end) return;
    if (jobs_.waiting_ns() >= kWorthAWrite && servers_.want_grabs() &&
        jobs_.Room(/*alone=*/true) > 0) {
      return;
    }
  }
}

void WorkerCore::Grab(absl::Time now) {
  const int room = jobs_.Room(/*alone=*/!jobs_.has_unsent());
  servers_.Grab(room, room > 0 && jobs_.quick(), now);
}

void WorkerCore::Advance(absl::Time now) {
  if (!GoesOn(now)) return;
  jobs_.LetBegin(now);
  if (!servers_.draining()) {
    servers_.Open(now);
    jobs_.NotePause(now);
    Grab(now);
  }
  if (jobs_.holds_back()) GiveBackPaused(now);
  // A client that has an answer must not find the job among those that run.
  if (jobs_.has_unsent()) jobs_.Publish();
  servers_.Flush(now);
  jobs_.OnFlushed();
  if (servers_.TakeRelief() && !servers_.draining()) {
    Grab(now);
    servers_.Flush(now);
  }
  HandleLost(now);
  if (servers_.draining() && servers_.links().empty() && !stopped()) {
    End(answer_lost_, StopReason::kStopped, now);
  }
  Publish();
}

absl::Status WorkerCore::OnEvent(WorkerLink& link, wire::ToWorker& event,
                                 absl::Time now) {
  SessionEvent result;
  const Server& server = *link.server;
  absl::Status status = link.session->OnEvent(event, now, &result);
  if (!status.ok()) return status;
  switch (result.kind) {
    case SessionEvent::Kind::kNothing:
      break;
    case SessionEvent::Kind::kJob:
      counters_.Add(&WorkerStats::grabs_job);
      if (metrics_ != nullptr) metrics_->Grabbed(GrabResult::kJob);
      jobs_.OnAssigned(link, *result.task, *result.assigned, result.too_large,
                       now);
      return link.connection.CheckMemory();
    case SessionEvent::Kind::kNoJob:
      counters_.Add(&WorkerStats::grabs_no_job);
      if (metrics_ != nullptr) metrics_->Grabbed(GrabResult::kNoJob);
      break;
    case SessionEvent::Kind::kWokenTooLate:
      servers_.WakeSuccessor(link);
      break;
    case SessionEvent::Kind::kHeartbeat:
      if (server.metrics != nullptr) {
        server.metrics->heartbeat_rtt.Observe(result.round_trip);
      }
      break;
    case SessionEvent::Kind::kAnswerRefused:
      counters_.Add(&WorkerStats::answers_refused);
      options_.logger.Log(
          LogLevel::kInfo, server.name,
          " had given a job to somebody else: ", SafeMessage(result.text));
      break;
    case SessionEvent::Kind::kTaskRefused:
      servers_.HealthChanged();
      options_.logger.Log(
          LogLevel::kWarning, server.name, " refuses the task \"",
          SafeText(result.refused_task.empty() ? "any of them"
                                               : result.refused_task),
          "\", which is offered again from time to time: ",
          SafeText(result.code), ": ", SafeMessage(result.text));
      break;
    case SessionEvent::Kind::kTasksTaken:
      servers_.HealthChanged();
      options_.logger.Log(LogLevel::kInfo, server.name,
                          " has taken the tasks that it had refused");
      break;
    case SessionEvent::Kind::kError:
      options_.logger.Log(LogLevel::kWarning, server.name, ": ",
                          SafeText(result.code), ": ",
                          SafeMessage(result.text));
      break;
  }
  return absl::OkStatus();
}

void WorkerCore::RunHooks(bool after_poll, bool any_activity) {
  jobs_.EndSpans();
  if (jobs_.has_reports()) {
    for (const WorkerJobs::Report& report : jobs_.TakeReports()) {
      CallLoggingThrow(options_.logger, "after_job", [this, &report] {
        Obey(options_.after_job(
            {report.job->job, report.outcome, report.status, report.duration}));
      });
      if (inherited()) return;
    }
  }
  if (after_poll && options_.after_poll) {
    CallLoggingThrow(options_.logger, "after_poll", [this, any_activity] {
      Obey(options_.after_poll(any_activity));
    });
  }
}

void WorkerCore::Obey(Proceed proceed) {
  if (proceed == Proceed::kDrain) Drain(absl::InfiniteDuration());
  if (proceed == Proceed::kStop) Stop();
}

absl::Time WorkerCore::NextDeadline() const {
  absl::Time next = std::min(servers_.next_deadline(), jobs_.next_deadline());
  if (exporter_ != nullptr) next = std::min(next, exporter_->next());
  const int64_t drain_ns = drain_deadline_ns_.load(std::memory_order_acquire);
  if (drain_ns < kNotDraining - 1) {
    next = std::min(next, absl::FromUnixNanos(drain_ns));
  }
  return next;
}

void WorkerCore::Publish() {
  jobs_.Publish();
  if (health_version_ == servers_.health_version()) return;
  health_version_ = servers_.health_version();
  counters_.Set(&WorkerStats::servers_connected, servers_.connected());
  absl::MutexLock lock(&mutex_);
  published_health_ = servers_.health();
}

// --- a handler on this thread ------------------------------------------------

void WorkerCore::Look(absl::Time until) {
  LookFor(until, [] { return false; });
}

void WorkerCore::LookFor(absl::Time until, absl::FunctionRef<bool()> found) {
  const absl::Time now = clock_->Now();
  if (looking_ || inherited()) return;
  if (stopped()) {
    // The handler has answered its job, and waits all the same.
    if (until > now) poller_->Wait(until, &ready_);
    return;
  }
  if (until <= now && now - last_look_ < kLookInterval) return;
  looking_ = true;
  // Nothing may wait to be sent while this thread waits.
  Advance(now);
  if (found()) until = absl::InfinitePast();
  if (!stopped()) last_look_ = Pass(until);
  Advance(last_look_);
  poller_->RunDeferred();
  // An export that is due and not done would end each wait at once.
  ExportMetrics();
  looking_ = false;
}

absl::Status WorkerCore::SendUpdate(Message message, bool may_wait) {
  if (inherited()) return InheritedError("worker");
  const HeldJobPtr job = message.job;
  const auto has_room = [this, &job] {
    return job->state == HeldJob::State::kEnded || job->stop.fired() ||
           job->link->connection.output().held() <
               options_.limits.max_output_bytes;
  };
  if (!has_room()) {
    // Answers of other jobs may only wait for their write.
    servers_.Write(*job->link);
    poller_->RunDeferred();
    HandleLost(clock_->Now());
  }
  while (!has_room()) {
    // A callback that a look has called can't wait for another one.
    if (!may_wait || looking_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the server takes bytes too slowly: an update of job ",
                       SafeText(job->job.handle()), " was not sent"));
    }
    LookFor(absl::InfiniteFuture(), has_room);
  }
  if (job->stop.fired()) {
    return absl::CancelledError(
        absl::StrCat("nothing is sent for job ", SafeText(job->job.handle()),
                     " any more: ", StopReasonName(job->stop.reason())));
  }
  absl::Status status = jobs_.AppendUpdate(std::move(message));
  if (!status.ok()) return status;
  // The update leaves now, because the handler may go on for long.
  servers_.Write(*job->link);
  poller_->RunDeferred();
  HandleLost(clock_->Now());
  Look(absl::InfinitePast());
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace gearman
