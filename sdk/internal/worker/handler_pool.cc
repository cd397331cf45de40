#include "gearman/sdk/internal/worker/handler_pool.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/worker/handler_call.h"
#include "gearman/sdk/internal/worker/prefetch.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace internal {
namespace {

// A thread keeps the answers of quick jobs until it has so many, or the first
// is so old, or no other job waits.
constexpr size_t kMaxBatch = 32;
constexpr absl::Duration kMaxBatchAge = absl::Microseconds(200);

// Whether the end of a job must be told at once. The next handler may take
// longer than expected: meanwhile a job with a time limit would become late,
// and one of a task with a limit would keep others from beginning.
bool IsAwaited(const HeldJob& job) {
  const TaskOptions& options = job.task->options;
  return options.time_limit != absl::InfiniteDuration() ||
         options.max_running > 0;
}

}  // namespace

HandlerPool::HandlerPool(int threads, std::shared_ptr<Mailbox> mailbox,
                         Clock* clock, Logger logger, StartThread start_thread,
                         const void* owner)
    : max_threads_(static_cast<size_t>(threads)),
      mailbox_(std::move(mailbox)),
      clock_(clock),
      logger_(std::move(logger)),
      start_thread_(std::move(start_thread)),
      owner_(owner) {}

HandlerPool::~HandlerPool() { Stop(); }

absl::Status HandlerPool::AddThread() {
  std::thread thread;
  absl::Status status = MakeThread(
      "a thread for handlers",
      [this] {
        const auto work = [this] {
          // A handler may destroy the worker.
          const CallScope call(owner_);
          Work();
        };
        return start_thread_ ? start_thread_(work) : std::thread(work);
      },
      &thread);
  if (!status.ok()) return status;
  // The new thread counts as idle until it has looked for a job.
  ++idle_;
  threads_.push_back(std::move(thread));
  return absl::OkStatus();
}

absl::Status HandlerPool::Start() {
  absl::MutexLock lock(&mutex_);
  return stopping_ || !threads_.empty() ? absl::OkStatus() : AddThread();
}

void HandlerPool::Add(std::vector<HeldJobPtr>* jobs) {
  std::string refusal;
  {
    absl::MutexLock lock(&mutex_);
    for (HeldJobPtr& job : *jobs) jobs_.push_back(std::move(job));
    jobs->clear();
    if (stopping_) return;
    while (threads_.size() < max_threads_ && idle_ < jobs_.size()) {
      const absl::Status status = AddThread();
      const bool was_refused = std::exchange(refused_, !status.ok());
      if (!refused_) continue;
      if (!was_refused) {
        refusal = absl::StrCat(status.message(), "; ", threads_.size(), " of ",
                               max_threads_, " run");
      }
      break;
    }
  }
  if (!refusal.empty()) logger_.Log(LogLevel::kWarning, refusal);
}

std::deque<HeldJobPtr> HandlerPool::Stop() {
  std::vector<std::thread> threads;
  std::deque<HeldJobPtr> dropped;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    dropped.swap(jobs_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) {
    if (thread.get_id() == std::this_thread::get_id()) {
      // The last handler on this thread has destroyed the worker.
      thread.detach();
    } else {
      thread.join();
    }
  }
  return dropped;
}

void HandlerPool::Leave() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

void HandlerPool::Work() {
  std::vector<Message> batch;
  absl::Time batch_began;
  bool busy = false;
  while (true) {
    HeldJobPtr job;
    {
      absl::MutexLock lock(&mutex_);
      if (busy) ++idle_;
      if (!batch.empty() && !WorkOrEnd()) {
        mutex_.Unlock();
        mailbox_->PostAll(&batch);
        mutex_.Lock();
      }
      mutex_.Await(absl::Condition(this, &HandlerPool::WorkOrEnd));
      if (stopping_) break;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      --idle_;
      busy = true;
    }
    const bool ended = job->ended.load(std::memory_order_acquire);
    if (ended || job->task->gate->paused()) {
      Message not_begun;
      not_begun.kind = ended ? Message::Kind::kSkipped : Message::Kind::kPaused;
      not_begun.job = std::move(job);
      batch.push_back(std::move(not_begun));
    } else {
      if (!batch.empty() &&
          (job->expected_ns >= Prefetch::kSlowNs || batch.size() >= kMaxBatch ||
           clock_->Now() - batch_began >= kMaxBatchAge)) {
        mailbox_->PostAll(&batch);
      }
      Message done = Do(std::move(job));
      // The handler has forked, and this is the child, which has no worker to
      // go back to.
      if (mailbox_->inherited()) return;
      if (batch.empty()) batch_began = clock_->Now();
      batch.push_back(std::move(done));
      if (IsAwaited(*batch.back().job)) mailbox_->PostAll(&batch);
    }
  }
  mailbox_->PostAll(&batch);
}

Message HandlerPool::Do(HeldJobPtr job) {
  job->started = clock_->Now();
  const absl::Duration limit = job->task->options.time_limit;
  if (limit != absl::InfiniteDuration()) {
    job->deadline = job->started + limit;
    Message started;
    started.kind = Message::Kind::kStarted;
    started.job = job;
    mailbox_->Post(std::move(started));
  }
  Message done;
  done.kind = Message::Kind::kReturned;
  if (job->task->handler) {
    done.result = CallHandler(job);
  } else {
    const absl::Status status = CallAsyncHandler(job, &done.forgotten);
    if (!status.ok()) done.result = status;
  }
  done.busy_ns = absl::ToInt64Nanoseconds(clock_->Now() - job->started);
  done.job = std::move(job);
  return done;
}

}  // namespace internal
}  // namespace gearman
