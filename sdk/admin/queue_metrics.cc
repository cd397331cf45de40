#include "gearman/sdk/queue_metrics.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/admin/list_reply.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/internal/admin/admin_group.h"
#include "gearman/sdk/internal/admin/turn.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gearman/sdk/internal/metrics/measured.h"
#include "gearman/sdk/internal/metrics/metrics_exporter.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/start_thread.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace {

using internal::AdminGroup;
using internal::CallScope;
using internal::MakeFamily;
using internal::Turn;

// gearmand shows 2^32 - 1 if its count of running jobs has fallen below 0.
constexpr int64_t kBelowZero = 4294967295;

// The label for all tasks without a label of their own.
constexpr char kOther[] = "other";

// Sums of numbers from servers, which may be of any size; hence double.
struct Sizes {
  double jobs = 0;
  double running = 0;
  double workers = 0;

  void Add(const Sizes& more) {
    jobs += more.jobs;
    running += more.running;
    workers += more.workers;
  }
};
// The last answer of one server.
struct Answer {
  std::string server;
  bool asked = false;
  bool up = false;
  std::map<std::string, Sizes> tasks;  // the tasks with labels
  std::optional<Sizes> other;          // all other tasks, if there are any

  void AddOther(const Sizes& more) {
    if (!other.has_value()) other.emplace();
    other->Add(more);
  }
};

Sizes SizesOf(const FunctionStatus& row) {
  Sizes sizes;
  sizes.jobs = static_cast<double>(row.total);
  sizes.running =
      row.running == kBelowZero ? 0 : static_cast<double>(row.running);
  sizes.workers = static_cast<double>(row.workers);
  return sizes;
}

// The servers' last answers.
class Queues : public internal::Measured {
 public:
  Queues(size_t servers, size_t max_tasks)
      : source_(internal::NextMetricsSource()),
        max_tasks_(max_tasks),
        answers_(servers) {}

  // Stores the answer of one server. `up`: the server answered.
  void Set(size_t server, const std::string& name, bool up,
           const std::vector<FunctionStatus>& rows) {
    absl::MutexLock lock(&mutex_);
    Answer& answer = answers_[server];
    answer.server = name;
    answer.asked = true;
    answer.up = up;
    answer.tasks.clear();
    answer.other.reset();
    // Holds at most as many tasks of each kind as there are labels.
    std::vector<const FunctionStatus*> with_workers;
    std::vector<const FunctionStatus*> with_jobs;
    std::vector<const FunctionStatus*> idle;
    for (const FunctionStatus& row : rows) {
      auto& kind = row.workers > 0 ? with_workers
                   : row.total > 0 ? with_jobs
                                   : idle;
      if (labels_.count(row.function) > 0) {
        answer.tasks[row.function].Add(SizesOf(row));
      } else if (kind.size() < max_tasks_ && row.function != kOther) {
        kind.push_back(&row);
      } else {
        answer.AddOther(SizesOf(row));
      }
    }
    ForgetTasksGone();
    for (const FunctionStatus* const row : with_workers) {
      if (!labels_.count(row->function) && labels_.size() >= max_tasks_) {
        ForgetATaskWithoutWorkers();
      }
      AddTask(*row, &answer);
    }
    for (const auto* const rest : {&with_jobs, &idle}) {
      for (const FunctionStatus* const row : *rest) AddTask(*row, &answer);
    }
  }

  MetricsSnapshot Snapshot(absl::Time now) const override {
    MetricFamily jobs = MakeFamily(internal::kQueueJobs);
    MetricFamily running = MakeFamily(internal::kQueueJobsRunning);
    MetricFamily workers = MakeFamily(internal::kQueueWorkers);
    MetricFamily up = MakeFamily(internal::kServerUp);
    {
      absl::MutexLock lock(&mutex_);
      for (const Answer& answer : answers_) {
        if (!answer.asked) continue;
        Add({answer.server}, answer.up ? 1 : 0, &up);
        const auto add = [&](const std::string& task, const Sizes& sizes) {
          Add({task, answer.server}, sizes.jobs, &jobs);
          Add({task, answer.server}, sizes.running, &running);
          Add({task, answer.server}, sizes.workers, &workers);
        };
        for (const auto& [task, sizes] : answer.tasks) {
          add(task, sizes);
        }
        if (answer.other.has_value()) add(kOther, *answer.other);
      }
    }
    MetricsSnapshot snapshot;
    snapshot.time = now;
    snapshot.source = source_;
    for (MetricFamily* const family : {&jobs, &running, &workers, &up}) {
      if (family->samples.empty()) continue;
      snapshot.families.push_back(std::move(*family));
    }
    return snapshot;
  }

 private:
  static void Add(const std::vector<std::string>& labels, double value,
                  MetricFamily* family) {
    MetricSample& sample = family->samples.emplace_back();
    for (const std::string& label : labels) {
      sample.label_values.push_back(SafeText(label));
    }
    sample.value = value;
  }
  // Gives the task a label while there is room.
  void AddTask(const FunctionStatus& row, Answer* answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (labels_.size() < max_tasks_) labels_.insert(row.function);
    if (labels_.count(row.function) > 0) {
      answer->tasks[row.function].Add(SizesOf(row));
    } else {
      answer->AddOther(SizesOf(row));
    }
  }
  // Removes the labels of tasks that no server knows any more.
  void ForgetTasksGone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (auto it = labels_.begin(); it != labels_.end();) {
      const bool known =
          std::any_of(answers_.begin(), answers_.end(),
                      [&](const Answer& a) { return a.tasks.count(*it) > 0; });
      it = known ? std::next(it) : labels_.erase(it);
    }
  }
  // Removes the label of one task for which no server has a worker, if there is
  // one; of a task without jobs, if there is one.
  void ForgetATaskWithoutWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto found = labels_.end();
    for (auto it = labels_.begin(); it != labels_.end(); ++it) {
      Sizes all;
      for (const Answer& answer : answers_) {
        const auto task = answer.tasks.find(*it);
        if (task != answer.tasks.end()) all.Add(task->second);
      }
      if (all.workers > 0) continue;
      found = it;
      if (all.jobs == 0) break;
    }
    if (found == labels_.end()) return;
    for (Answer& answer : answers_) {
      const auto task = answer.tasks.find(*found);
      if (task == answer.tasks.end()) continue;
      answer.AddOther(task->second);
      answer.tasks.erase(task);
    }
    labels_.erase(found);
  }

  const uint64_t source_;
  const size_t max_tasks_;
  mutable absl::Mutex mutex_;
  std::set<std::string> labels_ ABSL_GUARDED_BY(mutex_);  // names of tasks
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

class QueueMetrics::Asker {
 public:
  Asker(QueueMetricsOptions options, AdminGroup::Options group,
        std::unique_ptr<EpollPoller> poller)
      : options_(std::move(options)),
        poller_(std::move(poller)),
        group_(std::move(group), poller_.get(),
               [this](const AdminGroup::Answer& answer)
                   ABSL_NO_THREAD_SAFETY_ANALYSIS { Take(answer); }),
        queues_(std::make_shared<Queues>(group_.size(), options_.max_tasks)),
        failing_(group_.size(), false),
        garbled_(group_.size(), false),
        exporter_(queues_, options_.metrics_sinks, poller_->clock()) {}
  ~Asker() {
    if (!thread_.joinable()) return;
    Stop();
    if (thread_.get_id() == std::this_thread::get_id()) {
      // A sink or the logger has destroyed the QueueMetrics on this thread.
      thread_.detach();
    } else {
      thread_.join();
    }
    group_.Close();
    poller_->RunDeferred();
  }

  // Returns RESOURCE_EXHAUSTED if the system can't start the thread.
  absl::Status Start() {
    return StartThread(
        "the thread of QueueMetrics",
        [this] {
          const CallScope call(this);
          Run();
        },
        &thread_);
  }
  // Ends the asker when the current call on this thread has returned, because a
  // sink or the logger in that call destroys the QueueMetrics. `asker` is this
  // object.
  void EndLater(std::shared_ptr<Asker> asker) {
    options_.logger.Log(
        LogLevel::kError,
        "a QueueMetrics was destroyed by a sink or logger that it had called: "
        "it ends when that has returned; destroy it elsewhere");
    Stop();
    CallScope::AtEnd(this, [asker = std::move(asker)] {});
  }
  // True in a child made by fork, where the thread does not exist.
  bool inherited() const { return process_.inherited(); }
  absl::Status AskNow() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (inherited()) return InheritedError("QueueMetrics");
    const CallScope call(this);
    turn_.TakeFirst(poller_.get());
    const TurnEnd end{*this};
    return AskNowInTurn();
  }

  MetricsSnapshot Snapshot() const {
    if (inherited()) return {};
    return queues_->Snapshot(poller_->clock()->Now());
  }

 private:
  // Ends the turn, also if the user's logger throws, but not in a child of a
  // logger that forks.
  struct TurnEnd {
    ~TurnEnd() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      if (!asker.inherited()) asker.turn_.End();
    }
    Asker& asker;
  };

  void Stop() {
    stop_.store(true);
    poller_->Wake();
  }
  // A sink or logger may fork and return in the child, which must not go on.
  bool ended() const { return stop_.load() || inherited(); }
  void Run() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (!ended()) {
      const absl::Time now = poller_->clock()->Now();
      exporter_.OnTime(now);
      // Threads in AskNow come first. They ask for this thread, too, which
      // exports meanwhile.
      if (!turn_.TryTake(exporter_.next() - now)) continue;
      const TurnEnd end{*this};
      if (!ended()) WaitInTurn();
    }
  }
  absl::Status AskNowInTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_) {
    first_error_ = absl::OkStatus();
    group_.AskAll();
    for (;;) {
      const absl::Time next = group_.GoOn(ready_);
      if (ended() || group_.answered()) return first_error_;
      poller_->Wait(next, &ready_);
    }
  }
  void WaitInTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_) {
    const absl::Time next = group_.GoOn(ready_);
    if (ended()) return;
    poller_->Wait(std::min(next, exporter_.next()), &ready_);
  }
  // Takes the end of a question.
  void Take(const AdminGroup::Answer& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_) {
    // A question that is not waited for says nothing about its server.
    if (ended()) return;
    const size_t i = answer.server;
    const std::string& server = group_.server(i);
    std::vector<FunctionStatus> rows;
    UnreadableRows unreadable;
    absl::Status status = answer.reply.status();
    if (status.ok()) {
      status = internal::VisitRows<FunctionStatus>(
          server, "status", *answer.reply, admin::ParseStatusRow,
          [&rows](FunctionStatus&& row) { rows.push_back(std::move(row)); },
          &unreadable);
    }
    const bool up = status.ok();
    queues_->Set(i, server, up, up ? rows : std::vector<FunctionStatus>());
    if (answer.asked_now) first_error_.Update(status);
    const bool garbled = up && unreadable.count > 0;
    if (garbled && !garbled_[i]) {
      options_.logger.Log(LogLevel::kWarning, Describe(server, unreadable),
                          "; no more is said of it until all can be read");
    }
    garbled_[i] = garbled;
    if (failing_[i] == !up) return;
    failing_[i] = !up;
    if (up) {
      options_.logger.Log(LogLevel::kInfo, server,
                          " tells its queue sizes again");
    } else {
      options_.logger.Log(LogLevel::kWarning,
                          "no queue sizes: ", status.message());
    }
  }

  const ProcessMark process_;
  const QueueMetricsOptions options_;
  const std::unique_ptr<EpollPoller> poller_;
  std::atomic<bool> stop_{false};
  Turn turn_;         // the right to use the poller and what it watches
  AdminGroup group_;  // its calls need the turn
  std::vector<Poller::Key> ready_ ABSL_GUARDED_BY(turn_);
  absl::Status first_error_ ABSL_GUARDED_BY(turn_);  // since AskAll
  const std::shared_ptr<Queues> queues_;
  std::vector<bool> failing_ ABSL_GUARDED_BY(turn_);
  // Whether the last answer of each server had unreadable rows.
  std::vector<bool> garbled_ ABSL_GUARDED_BY(turn_);
  internal::MetricsExporter exporter_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<QueueMetrics>> QueueMetrics::Create(
    QueueMetricsOptions options) {
  if (options.interval < absl::Milliseconds(1)) {
    return absl::InvalidArgumentError(
        "QueueMetricsOptions: interval must be at least 1ms");
  }
  if (options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        "QueueMetricsOptions: timeout must be more than zero");
  }
  absl::Status sinks = internal::MetricsExporter::Check(options.metrics_sinks);
  if (!sinks.ok()) return sinks;
  if (options.servers.empty()) {
    internal::LogEmbeddedServer(options.logger);
    options.servers.emplace_back();
  }
  AdminGroup::Options group;
  group.question = admin::ShowStatus();
  group.transports = options.transports != nullptr
                         ? options.transports
                         : TransportRegistry::Default();
  group.logger = DefaultLogger();
  group.timeout = options.timeout;
  group.interval = options.interval;
  std::set<std::string> known;
  for (const std::string& server : options.servers) {
    auto address = internal::ParseServers(
        server.empty() ? std::vector<std::string>()
                       : std::vector<std::string>{server},
        "QueueMetricsOptions", *group.transports);
    if (!address.ok()) return address.status();
    if (known.insert(address->front().ToString()).second) {
      group.servers.push_back(std::move(address->front()));
    }
  }
  absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
  if (!poller.ok()) return poller.status();
  std::shared_ptr<Asker> asker(
      new Asker(std::move(options), std::move(group), *std::move(poller)),
      DeleteInOwnProcess<Asker>());
  absl::Status started = asker->Start();
  if (!started.ok()) return started;
  return std::unique_ptr<QueueMetrics>(new QueueMetrics(std::move(asker)));
}

QueueMetrics::QueueMetrics(std::shared_ptr<Asker> asker)
    : asker_(std::move(asker)) {}

QueueMetrics::~QueueMetrics() {
  Asker& asker = *asker_;
  if (asker.inherited() || !CallScope::IsInside(&asker)) return;
  asker.EndLater(std::move(asker_));
}

absl::Status QueueMetrics::AskNow() { return asker_->AskNow(); }

MetricsSnapshot QueueMetrics::metrics() const { return asker_->Snapshot(); }

}  // namespace gearman
