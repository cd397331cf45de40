#include "gearman/sdk/job_retry/retry_core.h"

#include <algorithm>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/job/error_answer.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/job_hooks.h"
#include "gearman/sdk/internal/random_engine.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry/retry_envelope.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

constexpr absl::Duration kLongestDelay = absl::Hours(24 * 365);

ExponentialBackoffOptions DefaultDelays() {
  ExponentialBackoffOptions options;
  options.initial_delay = absl::Seconds(2);
  options.max_delay = absl::Minutes(5);
  options.jitter = 0.5;
  return options;
}

// Submits again, to the same server, whatever is no mistake in the job.
class PersistentRetryPolicy final : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& failure) override {
    ExponentialBackoffOptions delays;
    delays.max_delay = absl::Seconds(5);
    RetryDecision decision;
    decision.again = true;
    decision.delay = ExponentialDelay(delays, failure.attempt, failure.random);
    decision.next_server = NextServer::kSame;
    return decision;
  }
  absl::string_view name() const override { return "job_retry"; }
};

absl::Status Thrown(const char* what) { return absl::UnknownError(what); }

}  // namespace

bool IsLost(StopReason reason) {
  return reason != StopReason::kNone && reason != StopReason::kTimeLimit;
}

bool IsLost(const HeldJob& job, const StopToken& token) {
  // The token fires once, so that after the time limit it does not tell of the
  // loss.
  return IsLost(token.reason()) || job.ended.load(std::memory_order_acquire);
}

std::string SafeTextOf(const absl::Status& error) {
  return SafeMessage(TextOfError(error));
}

JobRetryCore::JobRetryCore(const JobRetryOptions& options)
    : clock_(options.client.poller != nullptr ? options.client.poller->clock()
                                              : Clock::Real()),
      logger_(options.client.logger),
      submit_limit_(options.submit_limit),
      submit_policy_(std::make_shared<PersistentRetryPolicy>()),
      default_backoff_(DefaultDelays()),
      random_(MakeRandomEngine(options.client.random_seed)) {}

// --- making it ---------------------------------------------------------------

absl::StatusOr<std::shared_ptr<JobRetryCore>> JobRetryCore::Create(
    JobRetryOptions options) {
  if (options.submit_limit <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "JobRetryOptions::submit_limit is ",
        absl::FormatDuration(options.submit_limit), ": it must be above zero"));
  }
  ClientOptions& client_options = options.client;
  if (client_options.server_selector != nullptr ||
      client_options.retry_policy != nullptr ||
      client_options.idempotency_policy != nullptr ||
      !client_options.interceptors.empty()) {
    return absl::InvalidArgumentError(
        "JobRetryOptions::client has a server_selector, retry_policy, "
        "idempotency_policy or interceptors: JobRetry submits to the server "
        "that gave the job, until that accepts it, and has its own");
  }
  std::shared_ptr<JobRetryCore> core(new JobRetryCore(options),
                                     DeleteInOwnProcess<JobRetryCore>());
  client_options.server_selector = core->book_;
  client_options.retry_policy = core->submit_policy_;
  client_options.interceptors.emplace_back(
      [core = core.get(), book = core->book_,
       gate = core->gate_](OutgoingJob& job) {
        const std::optional<std::string> unique = job.options().unique;
        SubmissionPtr submission =
            book->Find(job.task(), unique.value_or(std::string()));
        if (submission == nullptr) return;
        job.OnEnd([core, gate, submission = std::move(submission)](
                      const JobRequest&, absl::StatusOr<std::string>& result) {
          gate->Call([&] { core->Settle(submission, result.status()); });
        });
      });
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(client_options));
  if (!client.ok()) return client.status();
  core->client_ = *std::move(client);
  return core;
}

JobRetryStats JobRetryCore::stats() const {
  JobRetryStats stats;
  stats.submitted_again = submitted_again_.load(std::memory_order_relaxed);
  stats.run_again = run_again_.load(std::memory_order_relaxed);
  stats.dead_letters = dead_letters_.load(std::memory_order_relaxed);
  stats.given_up = given_up_.load(std::memory_order_relaxed);
  stats.given_back = given_back_.load(std::memory_order_relaxed);
  stats.waiting = book_->size();
  return stats;
}

// --- an attempt --------------------------------------------------------------

void JobRetryCore::Do(const std::shared_ptr<RetriedTask>& task,
                      PendingJob job) {
  const std::shared_ptr<HeldJob> held = Access::HeldOf(job);
  absl::StatusOr<OpenedJob> opened = OpenJob(held->job);
  if (!opened.ok()) {
    return GiveUp(task, std::move(job), /*attempt=*/1, opened.status());
  }
  // An interceptor that has changed the data knows best.
  if (opened->data.size() != held->job.data().size() && held->seen == nullptr) {
    ChangeData(held.get(), std::string(opened->data));
  }
  JobAttempt attempt;
  attempt.number = opened->attempt;
  attempt.max_attempts = task->policy.max_attempts;
  attempt.unique = std::move(opened->unique);
  // A job with a delay carries no reducer.
  const bool at_server =
      task->policy.place == RetryPlace::kServer && held->reducer.empty();
  const StopToken token = job.stop_token();
  JobContext context = Access::Make<JobContext>(held);
  while (true) {
    // A failed attempt may have set one (JobContext::SetBody).
    held->body = nullptr;
    absl::StatusOr<std::string> result = Call(task.get(), &context, attempt);
    // The handler has forked, and this is the child.
    if (inherited()) return;
    if (result.ok() || IsLost(*held, token)) {
      return job.Finish(std::move(result));
    }
    absl::Status error = result.status();
    if (attempt.number >= attempt.max_attempts || !Repeats(*task, error)) {
      return GiveUp(task, std::move(job), attempt.number, std::move(error));
    }
    const absl::Duration delay = DelayAfter(*task, context, attempt, error);
    if (at_server) {
      return SubmitAgain(task, std::move(job), attempt.number, std::move(error),
                         delay);
    }
    // The error's text is not for every client (WorkerOptions::exceptions).
    context
        .SendWarning(absl::StrCat("attempt ", attempt.number, " of ",
                                  attempt.max_attempts, " failed; again in ",
                                  absl::FormatDuration(delay)))
        .IgnoreError();
    logger_.Log(LogLevel::kInfo, "job ", SafeText(held->job.handle()),
                " of task \"", SafeText(held->job.task()), "\" at ",
                held->job.connection(), ": attempt ", attempt.number, " of ",
                attempt.max_attempts, " failed: ", SafeTextOf(error),
                "; again in ", absl::FormatDuration(delay));
    if (token.WaitFor(delay)) {
      if (IsLost(*held, token)) return job.Finish(std::move(error));
      return GiveUp(task, std::move(job), attempt.number, std::move(error));
    }
    ++attempt.number;
    Count(&run_again_);
  }
}

absl::StatusOr<std::string> JobRetryCore::Call(
    RetriedTask* task, JobContext* context, const JobAttempt& attempt) const {
  return GuardedResult([&] { return task->handler(*context, attempt); },
                       JobException);
}

bool JobRetryCore::Repeats(const RetriedTask& task,
                           const absl::Status& error) const {
  if (!task.policy.repeats) return MayPass(error);
  bool repeats = true;
  const absl::Status thrown =
      GuardedCall([&] { repeats = task.policy.repeats(error); }, Thrown);
  if (!thrown.ok()) {
    logger_.Log(LogLevel::kError, "JobRetryPolicy::repeats threw: ",
                SafeMessage(thrown.message()), "; the job is tried again");
  }
  return repeats;
}

absl::Duration JobRetryCore::DelayAfter(const RetriedTask& task,
                                        const JobContext& context,
                                        const JobAttempt& attempt,
                                        const absl::Status& error) {
  AttemptFailure failure;
  failure.attempt = attempt.number;
  failure.max_attempts = attempt.max_attempts;
  failure.reason = AnswerOf(error).answer == ErrorAnswer::kFail
                       ? FailureReason::kJobFailed
                       : FailureReason::kException;
  failure.bytes_sent = true;
  failure.has_explicit_unique = !attempt.unique.empty();
  failure.elapsed = clock_->Now() - context.started();
  failure.server = context.job().connection();
  failure.task = context.job().task();
  failure.status = &error;
  {
    absl::MutexLock lock(&mutex_);
    failure.random = absl::Uniform(random_, 0.0, 1.0);
  }
  absl::Duration delay = default_backoff_.OnCompletion(failure);
  if (task.policy.backoff != nullptr) {
    const absl::Status thrown = GuardedCall(
        [&] { delay = task.policy.backoff->OnCompletion(failure); }, Thrown);
    if (!thrown.ok()) {
      logger_.Log(LogLevel::kError, "BackoffPolicy::OnCompletion threw: ",
                  SafeMessage(thrown.message()), "; the delay is ",
                  absl::FormatDuration(delay));
    }
  }
  return std::min(std::max(delay, absl::ZeroDuration()), kLongestDelay);
}

}  // namespace internal
}  // namespace gearman
