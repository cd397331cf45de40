#include "gearman/sdk/reduce/map_run.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// A failure names at most so many failed parts, each with at most so many bytes
// of its reason.
constexpr size_t kMaxNamedFailures = 5;
constexpr size_t kMaxReasonBytes = 1024;

absl::Status ClosedError() {
  return absl::CancelledError("the mapper of this task was destroyed");
}

}  // namespace

// A part that has not been delivered. The run's lock guards all but `run`,
// which OnEnd alone uses.
class MapRun::Part final : public CallListener {
 public:
  Part(std::shared_ptr<MapRun> of, size_t number, size_t size)
      : run(std::move(of)), index(number), bytes(size) {}

  void OnEnd(absl::StatusOr<std::string> told) override {
    const std::shared_ptr<MapRun> kept = std::move(run);
    kept->OnPartEnded(this, std::move(told));
  }

  std::shared_ptr<MapRun> run;  // null when it has ended
  const size_t index;
  size_t bytes;
  bool ended = false;
  absl::StatusOr<std::string> end;
  std::optional<JobRequest> request;  // while it is in flight
};

// --- the beginning -----------------------------------------------------------

void MapRun::Begin(std::shared_ptr<MapperCore> core, MapHandler& handler,
                   PendingJob job) {
  const CallScope scope(core.get());
  core->OnJobBegun();
  std::make_shared<MapRun>(core, std::move(job))->Start(handler);
}

MapRun::MapRun(std::shared_ptr<MapperCore> core, PendingJob job)
    : core_(std::move(core)), job_(std::move(job)) {}

void MapRun::Start(MapHandler& handler) {
  std::string named;
  {
    absl::MutexLock lock(&mutex_);
    stepping_ = true;
    input_.job = job_.job();
    input_.stop_token = job_.stop_token();
    named = job_.reducer();
  }
  described_ = absl::StrCat("task \"", SafeText(input_.job.task()), "\"");
  absl::StatusOr<std::string> reducer = ReducerOf(named);
  if (!reducer.ok()) return End(reducer.status());
  input_.reducer = *std::move(reducer);
  if (!input_.reducer.empty()) {
    absl::StrAppend(&described_, ", reducer \"", SafeText(input_.reducer),
                    "\"");
  }
  if (core_->closed()) return End(ClosedError());
  absl::StatusOr<MapPlan> plan = GuardedResult(
      [&]() -> absl::StatusOr<MapPlan> { return handler(input_); },
      JobException);
  if (!plan.ok()) return End(plan.status());
  plan_ = *std::move(plan);
  if (!plan_.next_part || plan_.aggregator == nullptr) {
    return End(absl::InternalError(
        absl::StrCat(described_,
                     ": its handler has returned a plan without next_part or "
                     "without an aggregator")));
  }
  input_.stop_token.OnStop([run = weak_from_this()] {
    if (const std::shared_ptr<MapRun> alive = run.lock()) alive->OnStop();
  });
  {
    absl::MutexLock lock(&mutex_);
    stepping_ = false;
  }
  Pump();
}

absl::StatusOr<std::string> MapRun::ReducerOf(const std::string& named) const {
  if (named.empty()) return core_->options().default_reducer;
  const std::string& prefix = core_->options().client.task_prefix;
  if (!absl::StartsWith(named, prefix)) {
    return absl::InvalidArgumentError(absl::StrCat(
        described_, ": the mapper can't submit to the reducer \"",
        SafeText(named), "\", which does not begin with its task_prefix \"",
        SafeText(prefix), "\""));
  }
  std::string reducer = named.substr(prefix.size());
  const std::vector<std::string>& allowed = core_->options().allowed_reducers;
  if (!allowed.empty() &&
      std::find(allowed.begin(), allowed.end(), reducer) == allowed.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(described_, ": the reducer \"", SafeText(reducer),
                     "\" is not one of MapperOptions::allowed_reducers"));
  }
  return reducer;
}

// --- the steps ---------------------------------------------------------------

void MapRun::Pump() {
  const std::shared_ptr<MapperCore> core = core_;
  const CallScope scope(core.get());
  {
    absl::MutexLock lock(&mutex_);
    again_ = true;
    if (stepping_) return;
    stepping_ = true;
  }
  for (;;) {
    Step step = Step::kNone;
    Ref<Part> oldest;
    absl::Status why;
    {
      absl::MutexLock lock(&mutex_);
      if (!std::exchange(again_, false) || ended_) {
        stepping_ = false;
        break;
      }
      step = NextStep();
      if (step == Step::kStop) why = WhyStopped();
      if (step == Step::kDeliver) {
        oldest = std::move(window_.front());
        window_.pop_front();
      }
      // Another step may follow this one.
      if (step != Step::kNone) again_ = true;
    }
    switch (step) {
      case Step::kNone:
        break;
      case Step::kStop:
        End(std::move(why));
        break;
      case Step::kDeliver:
        Deliver(std::move(oldest));
        break;
      case Step::kMake:
        MakePart();
        break;
      case Step::kFinish:
        End(GuardedResult([this] { return plan_.aggregator->Finish(); },
                          JobException));
        break;
    }
  }
  core->TellWaiting();
}

MapRun::Step MapRun::NextStep() {
  const MapperOptions& options = core_->options();
  if (stopped_ || failed_ > options.max_failed_parts || core_->closed()) {
    return Step::kStop;
  }
  if (!window_.empty() && window_.front()->ended) return Step::kDeliver;
  if (!exhausted_ && window_.size() < options.max_parts_per_job) {
    return Step::kMake;
  }
  return exhausted_ && window_.empty() ? Step::kFinish : Step::kNone;
}

void MapRun::Deliver(Ref<Part> part) {
  // The end of a part does not change any more.
  const size_t bytes = part->bytes;
  if (part->end.ok()) {
    Add(part->index, *std::move(part->end));
  } else {
    absl::Status status = GuardedResult(
        [&] {
          return plan_.aggregator->AddFailure(part->index, part->end.status());
        },
        JobException);
    if (!status.ok()) End(std::move(status));
  }
  core_->GiveBack(1, bytes);
}

void MapRun::Add(size_t part, std::string result) {
  absl::Status status = GuardedResult(
      [&] { return plan_.aggregator->Add(part, std::move(result)); },
      JobException);
  if (!status.ok()) return End(std::move(status));
  absl::MutexLock lock(&mutex_);
  ++added_;
}

void MapRun::MakePart() {
  const bool submits = !input_.reducer.empty();
  if (submits) {
    bool none_in_flight = false;
    {
      absl::MutexLock lock(&mutex_);
      none_in_flight = window_.empty();
      // The end of a part, or room, sets it again.
      again_ = false;
    }
    if (!core_->TakeRoom(shared_from_this(), none_in_flight)) return;
    absl::MutexLock lock(&mutex_);
    again_ = true;
  }
  absl::StatusOr<std::optional<std::string>> part =
      GuardedResult([this] { return plan_.next_part(); }, JobException);
  if (part.ok() && part->has_value()) {
    if (submits) return SubmitPart(**std::move(part));
    return Add(next_part_++, **std::move(part));
  }
  if (submits) core_->GiveBack(1, 0);
  if (!part.ok()) return End(part.status());
  absl::MutexLock lock(&mutex_);
  exhausted_ = true;
}

void MapRun::SubmitPart(std::string data) {
  const auto part =
      Ref<Part>::Make(shared_from_this(), next_part_++, data.size());
  core_->ChangeBytes(0, data.size());
  {
    absl::MutexLock lock(&mutex_);
    window_.push_back(part);
  }
  JobSpec spec(input_.reducer, std::move(data));
  spec.options = core_->options().part;
  std::optional<JobRequest> request;
  if (!core_->WithClient([&](Client& client) {
        request = MakeTold(std::move(spec), part);
        SubmitTold(client, {&*request, 1});
      })) {
    return part->OnEnd(ClosedError());
  }
  absl::MutexLock lock(&mutex_);
  if (!part->ended) part->request = *std::move(request);
}

void MapRun::End(absl::StatusOr<std::string> result) {
  PendingJob job;
  std::vector<JobRequest> in_flight;
  size_t parts = 0;
  size_t bytes = 0;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    job = std::move(job_);
    for (const Ref<Part>& part : window_) {
      if (part->ended) {
        ++parts;
        bytes += part->bytes;
      } else if (part->request.has_value()) {
        in_flight.push_back(*std::move(part->request));
        part->request.reset();
      }
    }
    window_.clear();
  }
  for (const JobRequest& request : in_flight) request.Cancel();
  plan_ = MapPlan();
  core_->GiveBack(parts, bytes);
  core_->OnJobEnded(result.ok());
  job.Finish(std::move(result));
}

// --- what happens ------------------------------------------------------------

void MapRun::OnPartEnded(Part* part, absl::StatusOr<std::string> end) {
  const bool completed = end.ok();
  std::optional<JobRequest> request;  // freed without the lock
  size_t before = 0;
  bool too_late = false;
  {
    absl::MutexLock lock(&mutex_);
    part->ended = true;
    request = std::move(part->request);
    part->request.reset();
    too_late = ended_;
    before = part->bytes;
    if (!too_late) {
      part->bytes = completed ? end->size() : 0;
      // Before another thread delivers the part and gives these bytes back.
      core_->ChangeBytes(before, part->bytes);
      if (!completed) {
        ++failed_;
        if (failures_.size() < kMaxNamedFailures) {
          failures_.emplace_back(part->index, end.status());
        }
      }
      part->end = std::move(end);
    }
  }
  if (too_late) {
    core_->GiveBack(1, before);
    core_->TellWaiting();
    return;
  }
  core_->OnPartEnded(completed);
  Pump();
}

void MapRun::OnStop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  Pump();
}

absl::Status MapRun::WhyStopped() const {
  if (stopped_) {
    return absl::CancelledError(absl::StrCat(
        described_, ": its parts were cancelled, because the job was stopped (",
        absl::string_view(StopReasonName(input_.stop_token.reason())), ")"));
  }
  if (core_->closed()) return ClosedError();
  std::vector<std::pair<size_t, absl::Status>> failures = failures_;
  std::sort(failures.begin(), failures.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = absl::StrCat(
      described_, ": ", failed_, failed_ == 1 ? " part has" : " parts have",
      " failed, and ", core_->options().max_failed_parts, " may; ", added_,
      added_ == 1 ? " result was" : " results were", " combined");
  for (const auto& [part, status] : failures) {
    const absl::string_view message = status.message();
    absl::StrAppend(&text, "; part ", part, ": ",
                    absl::StatusCodeToString(status.code()), ": ",
                    SafeLine(message.substr(0, kMaxReasonBytes)),
                    message.size() > kMaxReasonBytes ? "..." : "");
  }
  if (failed_ > failures.size()) {
    absl::StrAppend(&text, "; and ", failed_ - failures.size(), " more");
  }
  return absl::Status(failures_.front().second.code(), text);
}

}  // namespace internal
}  // namespace gearman
