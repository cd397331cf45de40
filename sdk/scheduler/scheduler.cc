#include "gearman/sdk/scheduler.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/server_selection/unique_hash_selector.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/net/deadline_queue.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/scheduler/ticks.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace {

using internal::CallScope;
using internal::GuardedCall;
using internal::Ticks;

// A request is repeated until the tick is missed, so that its time limit ends
// it and not the number of its attempts.
constexpr int kAttempts = 1000000;

// The wall clock may be set, and a machine may sleep. So the thread looks at
// the wall clock at least this often.
constexpr absl::Duration kLongestSleep = absl::Seconds(10);

// A request ends by its own time limit. If it goes on for this long after, the
// wall clock has been set forward.
constexpr absl::Duration kOverrun = absl::Seconds(1);

// Why a tick is missed that was not submitted.
constexpr char kTooLate[] = "it was too late to submit it";

// The order of ticks of one moment.
struct ByName {
  bool operator()(const Ticks* a, const Ticks* b) const {
    return a->schedule().name < b->schedule().name;
  }
};

}  // namespace

class Scheduler::Core {
 public:
  Core(std::unique_ptr<Client> client, std::unique_ptr<EpollPoller> poller,
       const SchedulerOptions& options)
      : client_(std::move(client)),
        poller_(std::move(poller)),
        clock_(options.client.poller != nullptr ? options.client.poller->clock()
                                                : Clock::Real()),
        logger_(options.client.logger),
        only_callers_do_io_(options.client.drive_mode != DriveMode::kAuto),
        lead_(options.lead),
        margin_(options.margin) {}
  ~Core() {
    Stop();
    if (!thread_.joinable()) return;
    if (thread_.get_id() == std::this_thread::get_id()) {
      // Code that this thread has called has destroyed the scheduler.
      thread_.detach();
    } else {
      thread_.join();
    }
  }

  // True in a child made by fork, where the thread does not exist.
  bool inherited() const { return process_.inherited(); }

  // Ends the core when the current call on this thread has returned, because
  // code in that call destroys the scheduler. `core` is this object.
  void EndLater(std::shared_ptr<Core> core) {
    logger_.Log(LogLevel::kError,
                "a Scheduler was destroyed by code that it had called: it ends "
                "when that has returned; destroy it elsewhere");
    Stop();
    CallScope::AtEnd(this, [core = std::move(core)] {});
  }

  absl::Status Add(Schedule schedule) {
    absl::StatusOr<Ticks> ticks = Ticks::Of(std::move(schedule));
    if (!ticks.ok()) return ticks.status();
    ticks->MoveBehind(clock_->WallNow() + margin_);
    const std::string name = ticks->schedule().name;
    {
      absl::MutexLock lock(&mutex_);
      std::shared_ptr<Ticks>& added = schedules_[name];
      if (added != nullptr) {
        return absl::AlreadyExistsError(absl::StrCat(
            "schedule \"", SafeText(name), "\": there is one of this name"));
      }
      added = std::make_shared<Ticks>(*std::move(ticks));
      due_.Add(added->next(), added.get());
    }
    poller_->Wake();
    return absl::OkStatus();
  }

  absl::Status Remove(absl::string_view name) {
    absl::MutexLock lock(&mutex_);
    const auto found = schedules_.find(name);
    if (found == schedules_.end()) {
      return absl::NotFoundError(absl::StrCat(
          "schedule \"", SafeText(name), "\": there is none of this name"));
    }
    due_.Remove(found->second->next(), found->second.get());
    schedules_.erase(found);
    return absl::OkStatus();
  }

  std::vector<NextTick> next_ticks() const {
    std::vector<NextTick> next;
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, ticks] : schedules_) {
      next.push_back({name, ticks->next()});
    }
    return next;
  }

  absl::Status Start() {
    absl::MutexLock lock(&mutex_);
    if (thread_.joinable()) {
      return absl::FailedPreconditionError("the scheduler has been started");
    }
    if (only_callers_do_io_) {
      return absl::FailedPreconditionError(
          "the scheduler's thread would not do its client's I/O, which needs "
          "DriveMode::kAuto for that: set it, or call RunOnce");
    }
    return StartThread(
        "the scheduler's thread",
        [this] {
          const CallScope call(this);
          Run();
        },
        &thread_);
  }
  bool started() const {
    absl::MutexLock lock(&mutex_);
    return thread_.joinable();
  }

  absl::Time RunOnce(absl::Time deadline) {
    const CallScope call(this);
    const absl::Time next = SubmitDue();
    const absl::Time timer = client_->RunOnce(std::min(deadline, next));
    Settle();
    return std::min(timer, next);
  }

  SchedulerStats stats() {
    const CallScope call(this);
    Settle();
    absl::MutexLock lock(&mutex_);
    return stats_;
  }

 private:
  // A tick that was submitted.
  struct Tick {
    std::shared_ptr<Ticks> ticks;
    JobRequest request;
    bool overrun;  // EndOverruns has ended the request
  };
  struct Missed {
    std::string schedule;
    absl::Time tick;
    std::string why;
  };

  void Run() {
    std::vector<Poller::Key> ready;
    while (!stop_.load()) {
      const absl::Time next = SubmitDue();
      // The client's clock may be another one than this poller's.
      const absl::Duration sleep =
          std::min(next - clock_->Now(), kLongestSleep);
      poller_->Wait(poller_->clock()->Now() + sleep, &ready);
      Settle();
    }
  }

  void Stop() {
    stop_.store(true);
    poller_->Wake();
  }

  // Submits the ticks that are due. Returns the time, on Clock::Now, of the
  // next thing to do.
  absl::Time SubmitDue() {
    std::vector<Missed> missed;
    std::vector<std::pair<std::shared_ptr<Ticks>, absl::Time>> ticks =
        TakeDue(clock_->WallNow(), &missed);
    Report(missed);
    for (auto& [schedule, tick] : ticks) Submit(std::move(schedule), tick);
    const absl::Time wall = clock_->WallNow();
    absl::MutexLock lock(&mutex_);
    absl::Time next = due_.next() - lead_;
    if (!in_flight_.empty()) {
      // The last moment at which the request ends by itself, and then the one
      // at which Settle ends it.
      absl::Time end = in_flight_.begin()->first - margin_;
      if (end <= wall) end += kOverrun;
      next = std::min(next, end);
    }
    return clock_->Now() + (next - wall);
  }

  std::vector<std::pair<std::shared_ptr<Ticks>, absl::Time>> TakeDue(
      absl::Time wall, std::vector<Missed>* missed) {
    std::vector<std::pair<std::shared_ptr<Ticks>, absl::Time>> taken;
    absl::MutexLock lock(&mutex_);
    while (Ticks* const ticks = due_.Pop(wall + lead_)) {
      const absl::Time tick = ticks->next();
      const std::string& name = ticks->schedule().name;
      if (tick - margin_ > wall) {
        taken.emplace_back(schedules_[name], tick);
        ticks->MoveBehind(tick);
        ++stats_.unknown;
      } else {
        ++stats_.missed;
        missed->push_back({name, tick, kTooLate});
        ticks->MoveBehind(wall + margin_);
      }
      due_.Add(ticks->next(), ticks);
    }
    return taken;
  }

  void Submit(std::shared_ptr<Ticks> ticks, absl::Time tick) {
    const Schedule& schedule = ticks->schedule();
    std::string data = schedule.data;
    if (schedule.data_of) {
      const absl::Status made = GuardedCall(
          [&] { data = schedule.data_of(tick); },
          [](const char* what) { return absl::UnknownError(what); });
      if (!made.ok()) {
        CountUnsubmitted();
        return Report({{schedule.name, tick,
                        absl::StrCat("data_of threw: ", made.message())}});
      }
    }
    // Calls of data_of, also for the ticks before this one, take their time.
    const absl::Duration limit = tick - margin_ - clock_->WallNow();
    if (limit <= absl::ZeroDuration()) {
      CountUnsubmitted();
      return Report({{schedule.name, tick, kTooLate}});
    }
    JobSpec spec(schedule.task, std::move(data));
    spec.background = true;
    spec.options.run_at = tick;
    spec.options.unique =
        absl::StrCat(schedule.name, "@", absl::ToUnixSeconds(tick));
    spec.options.timeout = limit;
    spec.options.max_connection_attempts = kAttempts;
    JobRequest request = client_->SubmitJob(std::move(spec));
    absl::MutexLock lock(&mutex_);
    in_flight_.emplace(tick, Tick{std::move(ticks), std::move(request), false});
  }

  // Counts a tick that was taken from `due_` and has no request.
  void CountUnsubmitted() {
    absl::MutexLock lock(&mutex_);
    --stats_.unknown;
    ++stats_.missed;
  }

  // Ends the requests of ticks that are missed by the wall clock. Their time
  // limits go by the other clock, which nobody sets.
  void EndOverruns() {
    const absl::Time missed = clock_->WallNow() + margin_ - kOverrun;
    std::vector<JobRequest> requests;
    {
      absl::MutexLock lock(&mutex_);
      for (auto& [tick, submitted] : in_flight_) {
        if (tick > missed) break;
        if (submitted.request.finished()) continue;
        submitted.overrun = true;
        requests.push_back(submitted.request);
      }
    }
    for (const JobRequest& request : requests) request.Cancel();
  }

  // Counts the requests that have ended.
  void Settle() {
    EndOverruns();
    std::vector<Missed> missed;
    {
      absl::MutexLock lock(&mutex_);
      for (auto it = in_flight_.begin(); it != in_flight_.end();) {
        const JobRequest& request = it->second.request;
        if (!request.finished()) {
          ++it;
          continue;
        }
        if (request.complete()) {
          ++stats_.accepted;
        } else {
          ++stats_.missed;
          missed.push_back({it->second.ticks->schedule().name, it->first,
                            it->second.overrun
                                ? "the clock was set forward before a server "
                                  "had accepted it"
                                : std::string(request.status().message())});
        }
        --stats_.unknown;
        it = in_flight_.erase(it);
      }
    }
    Report(missed);
  }

  void Report(const std::vector<Missed>& missed) {
    for (const Missed& one : missed) {
      logger_.Log(
          LogLevel::kWarning, "schedule \"", SafeText(one.schedule),
          "\": the tick of ",
          absl::FormatTime(absl::RFC3339_sec, one.tick, absl::UTCTimeZone()),
          " is missed: ", one.why);
    }
  }

  const ProcessMark process_;
  const std::unique_ptr<Client> client_;
  const std::unique_ptr<EpollPoller> poller_;  // only waits
  Clock* const clock_;
  const Logger logger_;
  const bool only_callers_do_io_;
  const absl::Duration lead_;
  const absl::Duration margin_;
  std::atomic<bool> stop_{false};
  mutable absl::Mutex mutex_;
  // Each tick that was taken from `due_` counts once at any moment.
  SchedulerStats stats_ ABSL_GUARDED_BY(mutex_);
  // By name. Shared with ticks that are in flight.
  std::map<std::string, std::shared_ptr<Ticks>, std::less<>> schedules_
      ABSL_GUARDED_BY(mutex_);
  internal::DeadlineQueue<Ticks, ByName> due_ ABSL_GUARDED_BY(mutex_);
  // The submitted ticks whose requests go on, by their times.
  std::multimap<absl::Time, Tick> in_flight_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<Scheduler>> Scheduler::Create(
    SchedulerOptions options) {
  if (options.margin < absl::ZeroDuration() || options.lead <= options.margin ||
      options.lead > absl::Hours(24)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "SchedulerOptions: margin (", absl::FormatDuration(options.margin),
        ") must be zero or more and less than lead (",
        absl::FormatDuration(options.lead), "), and lead at most a day"));
  }
  ClientOptions& client_options = options.client;
  if (client_options.server_selector == nullptr) {
    client_options.server_selector =
        std::make_shared<UniqueHashServerSelector>();
  }
  if (client_options.idempotency_policy == nullptr) {
    // The server joins a tick that it has to a submission that is repeated.
    client_options.idempotency_policy =
        std::make_shared<StandardIdempotencyPolicy>();
  }
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(client_options);
  if (!client.ok()) return client.status();
  absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
  if (!poller.ok()) return poller.status();
  return std::unique_ptr<Scheduler>(new Scheduler(std::shared_ptr<Core>(
      new Core(*std::move(client), *std::move(poller), options),
      DeleteInOwnProcess<Core>())));
}

Scheduler::Scheduler(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Scheduler::~Scheduler() {
  Core& core = *core_;
  if (core.inherited() || !CallScope::IsInside(&core)) return;
  core.EndLater(std::move(core_));
}

absl::Status Scheduler::Add(Schedule schedule) {
  if (core_->inherited()) return InheritedError("scheduler");
  return core_->Add(std::move(schedule));
}

absl::Status Scheduler::Remove(StringView name) {
  if (core_->inherited()) return InheritedError("scheduler");
  return core_->Remove(name);
}

std::vector<Scheduler::NextTick> Scheduler::next_ticks() const {
  if (core_->inherited()) return {};
  return core_->next_ticks();
}

absl::Status Scheduler::Start() {
  if (core_->inherited()) return InheritedError("scheduler");
  return core_->Start();
}

absl::Time Scheduler::RunOnce(absl::Time deadline) {
  if (core_->inherited() || core_->started()) return absl::InfiniteFuture();
  return core_->RunOnce(deadline);
}

SchedulerStats Scheduler::stats() const {
  if (core_->inherited()) return {};
  return core_->stats();
}

}  // namespace gearman
