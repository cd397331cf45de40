#include "gearman/sdk/testing/fake_job_context.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/stop_state.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/internal/worker/handler_call.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace testing {
namespace {

using internal::Access;
using internal::Message;

// Updates are taken at once, so they never wait for room.
constexpr size_t kMaxMailboxBytes = std::numeric_limits<size_t>::max();

// A handler that waits more often than this waits in an endless loop.
constexpr int kMaxWaits = 1000000;

std::shared_ptr<internal::HeldJob> MakeHeldJob(FakeJob job, Simulation& time) {
  auto held = std::make_shared<internal::HeldJob>();
  held->started = time.now();
  held->deadline = time.now() + job.time_limit;
  held->task = std::make_shared<internal::Task>();
  held->task->function = job.task;
  held->task->name = job.task;
  held->task->options.time_limit = job.time_limit;
  held->mailbox = std::make_shared<internal::Mailbox>(
      time.MakePoller("handler"), kMaxMailboxBytes, job.max_packet_bytes);
  held->reducer = std::move(job.reducer);
  held->job =
      Job(std::move(job.task), std::move(job.unique),
          job.data.empty()
              ? nullptr
              : std::make_shared<const std::string>(std::move(job.data)),
          std::move(job.connection), std::move(job.handle));
  return held;
}

}  // namespace

// Stands in for the worker, on the handler's thread.
class FakeJobContext::Core final : public internal::HandlerHost {
 public:
  explicit Core(FakeJob job)
      : held_(MakeHeldJob(std::move(job), simulation_)),
        context_(Access::Make<JobContext>(held_)) {
    StopAt(held_->deadline, StopReason::kTimeLimit);
    held_->stop.set_host(this);
  }
  ~Core() {
    End();
    held_->stop.set_host(nullptr);
    held_->mailbox->Close();
  }

  // --- HandlerHost -----------------------------------------------------------

  void Look(absl::Time until) override {
    Collect();
    // Only a token that is asked does not wait.
    if (until == absl::InfinitePast() && checks_left_ > 0 &&
        --checks_left_ == 0) {
      held_->stop.Fire(check_reason_);
    }
    const absl::Time next = std::min(until, stop_at_);
    if (next > Now() && ++waits_ > kMaxWaits) stuck_ = true;
    if (next == absl::InfiniteFuture()) stuck_ = true;
    if (stuck_) {
      held_->stop.Fire(StopReason::kStopped);
      return;
    }
    simulation_.clock()->AdvanceTo(next);
    if (Now() >= stop_at_) held_->stop.Fire(stop_reason_);
  }
  absl::Time Now() override { return simulation_.now(); }
  bool gone() const override { return false; }
  absl::Status SendUpdate(Message message, bool may_wait) override {
    absl::Status status =
        held_->mailbox->PostUpdate(std::move(message), may_wait);
    Collect();
    return status;
  }

  // --- the test's side -------------------------------------------------------

  absl::StatusOr<std::string> Run(Handler handler) {
    absl::Status begun = Begin();
    if (!begun.ok()) return begun;
    held_->task->handler = std::move(handler);
    absl::StatusOr<std::string> result = internal::CallHandler(held_);
    Collect();
    End();
    if (stuck_) {
      result = absl::FailedPreconditionError(absl::StrCat(
          "the handler of job ", SafeText(held_->job.handle()),
          " waits for its stop token without an end, and nothing fires the "
          "token: give the job a time limit, or call StopAfter"));
    }
    answer_ = result;
    return result;
  }
  void RunAsync(AsyncHandler handler) {
    if (!Begin().ok()) return;
    held_->task->async_handler = std::move(handler);
    bool forgotten = false;
    absl::Status status = internal::CallAsyncHandler(held_, &forgotten);
    Collect();
    if (!status.ok()) Answer(std::move(status));
  }
  std::optional<absl::StatusOr<std::string>> answer() {
    Collect();
    return answer_;
  }
  std::shared_ptr<BodySource> result_body() {
    Collect();
    return held_->body;
  }
  JobContext& context() { return context_; }

  void Stop(StopReason reason) { held_->stop.Fire(reason); }
  // The earliest time counts.
  void StopAt(absl::Time time, StopReason reason) {
    if (time >= stop_at_) return;
    stop_at_ = time;
    stop_reason_ = reason;
  }
  void StopAtCheck(int count, StopReason reason) {
    checks_left_ = count;
    check_reason_ = reason;
  }
  void OnUpdate(Callback<void(const JobUpdate&)> hook) {
    hook_ = std::move(hook);
  }
  const std::vector<JobUpdate>& updates() {
    Collect();
    return updates_;
  }
  FakeClock& clock() { return *simulation_.clock(); }

 private:
  absl::Status Begin() {
    if (begun_) {
      return absl::FailedPreconditionError(
          absl::StrCat("job ", SafeText(held_->job.handle()),
                       " was given to a handler before: each call of a handler "
                       "needs a FakeJobContext of its own"));
    }
    begun_ = true;
    // This thread is the handler's.
    held_->stop.set_host(this);
    return absl::OkStatus();
  }
  void End() {
    held_->ended.store(true, std::memory_order_release);
    held_->stop.End();
  }
  void Answer(absl::StatusOr<std::string> result) {
    if (!answer_.has_value()) answer_ = std::move(result);
    End();
  }
  // Takes what was posted since the last call.
  void Collect() {
    std::vector<Message> messages;
    held_->mailbox->Take(&messages);
    for (Message& message : messages) {
      JobUpdate update;
      switch (message.kind) {
        case Message::Kind::kFinished:
          Answer(std::move(message.result));
          continue;
        case Message::Kind::kLetGo:
          Answer(absl::UnavailableError("given back to its server"));
          continue;
        case Message::Kind::kData:
          update.kind = JobUpdate::Kind::kData;
          break;
        case Message::Kind::kWarning:
          update.kind = JobUpdate::Kind::kWarning;
          break;
        case Message::Kind::kStatus:
          update.kind = JobUpdate::Kind::kStatus;
          break;
        default:
          continue;
      }
      update.data = std::move(message.bytes);
      update.numerator = message.numerator;
      update.denominator = message.denominator;
      update.time_received = Now();
      updates_.push_back(update);
      // The hook may fire the token, send and look at the updates.
      if (hook_) hook_(update);
    }
  }

  // Time, and the poller that the mailbox wakes. There are no participants.
  Simulation simulation_{1};
  const internal::HeldJobPtr held_;
  JobContext context_;
  bool begun_ = false;
  int waits_ = 0;
  // Nothing will ever end the handler's waits.
  bool stuck_ = false;
  absl::Time stop_at_ = absl::InfiniteFuture();
  StopReason stop_reason_ = StopReason::kNone;
  int checks_left_ = 0;
  StopReason check_reason_ = StopReason::kNone;
  Callback<void(const JobUpdate&)> hook_;
  std::vector<JobUpdate> updates_;
  std::optional<absl::StatusOr<std::string>> answer_;
};

FakeJobContext::FakeJobContext(FakeJob job)
    : core_(std::make_unique<Core>(std::move(job))) {}

FakeJobContext::FakeJobContext(std::string data)
    : FakeJobContext([&data] {
        FakeJob job;
        job.data = std::move(data);
        return job;
      }()) {}

FakeJobContext::~FakeJobContext() = default;

absl::StatusOr<std::string> FakeJobContext::Run(Handler handler) {
  return core_->Run(std::move(handler));
}

void FakeJobContext::RunAsync(AsyncHandler handler) {
  core_->RunAsync(std::move(handler));
}

std::optional<absl::StatusOr<std::string>> FakeJobContext::answer() {
  return core_->answer();
}

std::shared_ptr<BodySource> FakeJobContext::result_body() {
  return core_->result_body();
}

JobContext& FakeJobContext::context() { return core_->context(); }

void FakeJobContext::Stop(StopReason reason) { core_->Stop(reason); }

void FakeJobContext::StopAfter(Duration time, StopReason reason) {
  core_->StopAt(core_->Now() + time, reason);
}

void FakeJobContext::StopAtCheck(int count, StopReason reason) {
  core_->StopAtCheck(count, reason);
}

void FakeJobContext::OnUpdate(Callback<void(const JobUpdate&)> hook) {
  core_->OnUpdate(std::move(hook));
}

const std::vector<JobUpdate>& FakeJobContext::updates() {
  return core_->updates();
}

std::vector<std::string> FakeJobContext::data() {
  std::vector<std::string> found;
  for (const JobUpdate& update : updates()) {
    if (update.kind == JobUpdate::Kind::kData) found.push_back(update.data);
  }
  return found;
}

std::vector<std::string> FakeJobContext::warnings() {
  std::vector<std::string> found;
  for (const JobUpdate& update : updates()) {
    if (update.kind == JobUpdate::Kind::kWarning) found.push_back(update.data);
  }
  return found;
}

std::vector<std::pair<int64_t, int64_t>> FakeJobContext::statuses() {
  std::vector<std::pair<int64_t, int64_t>> found;
  for (const JobUpdate& update : updates()) {
    if (update.kind == JobUpdate::Kind::kStatus) {
      found.emplace_back(update.numerator, update.denominator);
    }
  }
  return found;
}

FakeClock& FakeJobContext::clock() { return core_->clock(); }

}  // namespace testing
}  // namespace gearman
