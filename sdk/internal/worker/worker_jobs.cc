#include "gearman/sdk/internal/worker/worker_jobs.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/worker/handler_call.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

absl::Status LateStatus(const HeldJob& job) {
  return absl::DeadlineExceededError(absl::StrCat(
      "not done within ", absl::FormatDuration(job.task->options.time_limit),
      ", the time limit of task \"", SafeText(job.task->name), "\""));
}

}  // namespace

WorkerJobs::WorkerJobs(Options options, WorkerServers* servers,
                       std::shared_ptr<Mailbox> mailbox, Clock* clock,
                       HandlerHost* host, WorkerCounters* counters)
    : options_(std::move(options)),
      servers_(servers),
      mailbox_(std::move(mailbox)),
      clock_(clock),
      host_(host),
      counters_(counters),
      prefetch_(options_.prefetch, options_.concurrency),
      held_share_(options_.account) {
  if (options_.concurrency > 1) {
    pool_ = std::make_unique<HandlerPool>(options_.concurrency, mailbox_,
                                          clock_, options_.logger,
                                          /*start_thread=*/nullptr, host_);
  }
}

// --- coming ------------------------------------------------------------------

void WorkerJobs::OnAssigned(WorkerLink& link, const std::shared_ptr<Task>& task,
                            wire::JobAssign& assigned,
                            const wire::TooLargePacket* too_large,
                            absl::Time now) {
  HeldJobPtr job = records_.Take();
  const std::string& server = link.server->name;
  const size_t bytes = assigned.data.size();
  Access::Assign(server, assigned.handle, task->name, assigned.unique,
                 TakeData(std::move(assigned.data), job.get()), &job->job);
  // Most jobs have none.
  if (job->reducer != assigned.reducer) {
    job->reducer.assign(assigned.reducer.data(), assigned.reducer.size());
  }
  job->task = task;
  if (job->mailbox == nullptr) job->mailbox = mailbox_;
  job->connection = link.connection.key();
  job->link = &link;
  job->assigned = now;
  job->carries_updates = link.session->carries_updates();
  if (options_.interceptors != nullptr) {
    job->hooks = std::make_unique<JobHooks>();
    job->hooks->observer = options_.trace_observer;
    job->hooks->interceptors = options_.interceptors;
  }
  job->self = job;
  link.session->jobs.PushBack(*job);
  counters_->Add(&WorkerStats::jobs_assigned);
  if (too_large != nullptr) {
    // The job does not wait for its handler.
    job->state = HeldJob::State::kRunning;
    absl::StatusOr<std::string> why =
        absl::InvalidArgumentError(too_large->Describe());
    options_.logger.Log(LogLevel::kWarning, server, ": job ",
                        SafeText(job->job.handle()), " of task ",
                        SafeText(task->name),
                        " is failed: ", why.status().message());
    Answer(job, &why, /*forgotten=*/false, now);
    GiveBack(std::move(job), &link);
    return;
  }

  held_bytes_ += bytes;
  ShareBytes();
  if (task->control) {
    job->state = HeldJob::State::kRunning;
    job->started = now;
    absl::StatusOr<std::string> answer = task->control(job->job.data());
    Answer(job, &answer, /*forgotten=*/false, now);
    GiveBack(std::move(job), &link);
    return;
  }
  job->expected_ns = prefetch_.Expected(task->cost);
  prefetch_.OnAssigned(bytes);
  if (task->gate->Admits()) {
    Enqueue(std::move(job), now);
  } else {
    HoldBack(job.get());
  }
}

void WorkerJobs::Enqueue(HeldJobPtr job, absl::Time now) {
  job->task->gate->Begin(now);
  AwaitToken(job->task->gate);
  job->counted = true;
  CountMayPend(job.get(), static_cast<bool>(job->task->async_handler));
  if (pool_ != nullptr) {
    job->working = true;
    ++in_pool_;
    in_pool_ns_ += job->expected_ns;
    to_pool_.push_back(std::move(job));
    return;
  }
  ++waiting_;
  waiting_ns_ += job->expected_ns;
  queue_.PushBack(*job);
}

void WorkerJobs::HandOut() {
  if (!to_pool_.empty()) pool_->Add(&to_pool_);
}

// --- running -----------------------------------------------------------------

void WorkerJobs::Unqueue(HeldJob* job) {
  job->ListLink<OfQueueTag>::Unlink();
  --waiting_;
  waiting_ns_ -= job->expected_ns;
}

void WorkerJobs::LeavePool(HeldJob* job) {
  --in_pool_;
  in_pool_ns_ -= job->expected_ns;
  StopWorking(job);
}

bool WorkerJobs::NextIsSlow() const {
  return queue_.front().expected_ns >= Prefetch::kSlowNs;
}

void WorkerJobs::Begin(const HeldJobPtr& job, absl::Time now) {
  job->state = HeldJob::State::kRunning;
  job->started = now;
  const absl::Duration limit = job->task->options.time_limit;
  if (limit == absl::InfiniteDuration()) return;
  job->deadline = now + limit;
  SetTimer(job.get());
}

void WorkerJobs::SetTimer(HeldJob* job) {
  job->timer = job->deadline;
  timers_.Add(job->timer, job);
}

absl::StatusOr<std::string> WorkerJobs::Call(const HeldJobPtr& job,
                                             bool* forgotten) {
  if (job->task->handler) return CallHandler(job);
  absl::Status status = CallAsyncHandler(job, forgotten);
  if (!status.ok()) return status;
  return std::string();
}

WorkerLink* WorkerJobs::RunNext(absl::Time* now) {
  HeldJobPtr job = queue_.front().self;
  Unqueue(job.get());
  if (job->task->gate->paused()) {
    HoldBack(job.get());
    return nullptr;
  }
  const absl::Time begun = *now;
  Begin(job, begun);
  handler_here_ = true;
  Publish();
  job->working = true;
  job->stop.set_host(host_);
  bool forgotten = false;
  absl::StatusOr<std::string> result = Call(job, &forgotten);
  // The handler has forked, and this is the child, which must not touch the
  // parent's objects.
  if (mailbox_->inherited()) return nullptr;
  job->stop.set_host(nullptr);
  handler_here_ = false;
  *now = clock_->Now();
  // Messages come before the handler's result: updates that its own threads
  // have sent, or an answer that its PendingJob gave before it threw. An
  // asynchronous job without an error has no result that could come too early.
  if ((job->task->handler || !result.ok()) &&
      job->posted.load(std::memory_order_acquire)) {
    TakeMail(*now);
  }
  // The time limit may have passed unnoticed. Answers that came before are not
  // late.
  if (*now >= job->timer) {
    TakeMail(*now);
    OnTime(*now);
  }
  WorkerLink* const link = job->link;
  StopWorking(job.get());
  Returned(job, &result, forgotten, absl::ToInt64Nanoseconds(*now - begun),
           *now);
  GiveBack(std::move(job), link);
  return link;
}

void WorkerJobs::GiveBack(HeldJobPtr job, WorkerLink* link) {
  std::string memory = records_.GiveBack(std::move(job));
  if (link != nullptr && !memory.empty()) {
    link->connection.Recycle(std::move(memory));
  }
}

void WorkerJobs::Returned(const HeldJobPtr& job,
                          absl::StatusOr<std::string>* result, bool forgotten,
                          int64_t busy_ns, absl::Time now) {
  prefetch_.OnDone(&job->task->cost, busy_ns);
  last_returned_ = now;
  if (job->hooks != nullptr) {
    job->hooks->returned = job->started + absl::Nanoseconds(busy_ns);
    if (job->hooks->ended != absl::InfinitePast()) ended_spans_.push_back(job);
  }
  const bool asynchronous = !job->task->handler;
  if (asynchronous && result->ok()) {
    // The handler's code has the PendingJob, unless the answer came first.
    if (job->state == HeldJob::State::kEnded) return;
    job->state = HeldJob::State::kRunning;
    job->pending = true;
    ++pending_;
    return;
  }
  Answer(job, result, forgotten, now);
}

// --- ending ------------------------------------------------------------------

void WorkerJobs::OnTime(absl::Time now) {
  OnTokens(now);
  bool fired = false;
  while (HeldJob* const due = timers_.Pop(now)) {
    const HeldJobPtr job = due->self;
    job->timer = absl::InfiniteFuture();
    fired = true;
    const absl::Status status = LateStatus(*job);
    WorkerSession& session = *job->link->session;
    switch (job->task->options.when_late) {
      case WhenLate::kFail:
        session.Fail(job->task.get(), job->job.handle());
        break;
      case WhenLate::kException:
        session.Exception(job->task.get(), job->job.handle(),
                          std::string(status.message()));
        break;
      case WhenLate::kWait:
        job->stop.Fire(StopReason::kTimeLimit);
        continue;
    }
    options_.logger.Log(LogLevel::kWarning, "job ", SafeText(job->job.handle()),
                        ": ", status.message());
    servers_->Touch(*job->link);
    NoteUnsent(now);
    // The job ends first: updates that callbacks send for it are refused, and a
    // connection that callbacks find lost has this job no more.
    StopState::Callbacks callbacks;
    job->stop.FireOnly(StopReason::kTimeLimit, &callbacks);
    End(job, JobOutcome::kTimedOut, status, now);
    StopState::CallAll(std::move(callbacks));
  }
  if (fired) mailbox_->Nudge();
}

void WorkerJobs::OnLost(WorkerLink& link, StopReason reason, bool given_back,
                        absl::Time now) {
  JobsOfLink& jobs = link.session->jobs;
  if (jobs.empty()) return;
  const absl::Status status = absl::UnavailableError(
      absl::StrCat("not answered: ", StopReasonName(reason)));
  // All jobs end before the first callback runs, because a callback may act on
  // any of them.
  StopState::Callbacks callbacks;
  while (!jobs.empty()) {
    const HeldJobPtr job = jobs.front().self;
    if (given_back) counters_->Add(&WorkerStats::jobs_given_back);
    job->ended.store(true, std::memory_order_release);
    job->stop.FireOnly(reason, &callbacks);
    End(job, JobOutcome::kLost, status, now);
  }
  mailbox_->Nudge();
  StopState::CallAll(std::move(callbacks));
}

void WorkerJobs::LetGo(const HeldJobPtr& job, absl::Time now) {
  if (job->state == HeldJob::State::kEnded) return;
  WorkerLink& link = *job->link;
  link.session->LetGo(job->task.get());
  // A link that leaves already may end with this job.
  servers_->Touch(link);
  servers_->Renew(link);
  counters_->Add(&WorkerStats::jobs_given_back);
  End(job, JobOutcome::kLost,
      absl::UnavailableError("not answered: given back to its server"), now);
}

// --- mail --------------------------------------------------------------------

void WorkerJobs::TakeMail(absl::Time now) {
  mailbox_->Take(&mail_);
  // Handling Returned in its place keeps the order: the answer comes after the
  // handler's updates.
  for (Message& message : mail_) {
    const HeldJobPtr& job = message.job;
    switch (message.kind) {
      case Message::Kind::kStarted:
        if (job->state == HeldJob::State::kWaiting) {
          job->state = HeldJob::State::kRunning;
          SetTimer(job.get());
        }
        break;
      case Message::Kind::kReturned: {
        WorkerLink* const link = job->link;
        LeavePool(job.get());
        Returned(job, &message.result, message.forgotten, message.busy_ns, now);
        GiveBack(std::move(message.job), link);
        break;
      }
      case Message::Kind::kSkipped:
        LeavePool(job.get());
        break;
      case Message::Kind::kPaused:
        LeavePool(job.get());
        if (job->state != HeldJob::State::kEnded) HoldBack(job.get());
        break;
      case Message::Kind::kFinished:
        Answer(job, &message.result, message.forgotten, now);
        break;
      case Message::Kind::kLetGo:
        LetGo(job, now);
        break;
      case Message::Kind::kData:
      case Message::Kind::kWarning:
      case Message::Kind::kStatus:
        AppendUpdate(std::move(message)).IgnoreError();
        NoteUnsent(now);
        break;
    }
  }
  mail_.clear();
}

// --- how many ----------------------------------------------------------------

void WorkerJobs::CountMayPend(HeldJob* job, bool may_pend) {
  if (may_pend == std::exchange(job->may_pend, may_pend)) return;
  may_pend_ += may_pend ? 1 : -1;
}

Prefetch::Load WorkerJobs::load() const {
  Prefetch::Load load;
  load.outstanding = servers_->outstanding();
  load.held_bytes = held_bytes_;
  if (pool_ == nullptr) {
    load.waiting = waiting_;
    load.waiting_ns = waiting_ns_;
    load.running = handler_here_ ? 1 : 0;
    return load;
  }
  // Only the pool knows which jobs wait. On average they cost the same.
  load.running = std::min(in_pool_, options_.concurrency);
  load.waiting = in_pool_ - load.running;
  if (in_pool_ > 0) load.waiting_ns = in_pool_ns_ / in_pool_ * load.waiting;
  return load;
}

void WorkerJobs::NotePause(absl::Time now) {
  if (waiting_ + in_pool_ == 0 && !handler_here_ && now > last_returned_) {
    prefetch_.OnPause(now - last_returned_);
  }
}

int WorkerJobs::Room(bool alone) const {
  if (pending_ >= options_.max_pending_jobs) return 0;
  const Prefetch::Load now = load();
  int room = prefetch_.Room(now, alone);
  // Each grab may bring a job that will be pending.
  if (has_asynchronous_) {
    room = std::min(room, std::max(0, options_.max_pending_jobs - may_pend_ -
                                          now.outstanding));
  }
  // The other half is for packets that are being read.
  return options_.max_memory == 0
             ? room
             : std::min(room,
                        prefetch_.RoomInMemory(now, options_.max_memory / 2));
}

void WorkerJobs::Publish() {
  const Prefetch::Load now = load();
  counters_->Set(&WorkerStats::jobs_running,
                 static_cast<uint64_t>(now.running + pending_));
  counters_->Set(&WorkerStats::jobs_waiting,
                 static_cast<uint64_t>(now.waiting + held_back_));
  counters_->Set(&WorkerStats::jobs_held_back,
                 static_cast<uint64_t>(held_back_));
  counters_->Set(&WorkerStats::grabs_outstanding,
                 static_cast<uint64_t>(now.outstanding));
  if (options_.metrics == nullptr) return;
  options_.metrics->slots_used.Set(now.running);
  options_.metrics->slots_available.Set(options_.concurrency - now.running);
}

void WorkerJobs::EndSpans() {
  for (const HeldJobPtr& job : std::exchange(ended_spans_, {})) {
    EndJobSpan(job.get());
  }
}

absl::Status WorkerJobs::StartHandlers() {
  return pool_ == nullptr ? absl::OkStatus() : pool_->Start();
}

void WorkerJobs::StopHandlers() {
  if (pool_ == nullptr) return;
  // These jobs do not come back.
  for (const HeldJobPtr& job : pool_->Stop()) LeavePool(job.get());
}

void WorkerJobs::LeaveHandlers() {
  if (pool_ != nullptr) pool_->Leave();
}

}  // namespace internal
}  // namespace gearman
