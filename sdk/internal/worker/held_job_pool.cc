#include "gearman/sdk/internal/worker/held_job_pool.h"

#include <memory>
#include <string>
#include <utility>

#include "gearman/codecs/payload.h"
#include "gearman/sdk/internal/access.h"

namespace gearman {
namespace internal {
namespace {

// About as many records as a worker usually holds at once.
constexpr size_t kMaxSpares = 256;
// Larger memory is not kept here, because a later job may not need it.
constexpr size_t kMaxKeptBytes = 4096;

}  // namespace

HeldJobPtr HeldJobPool::Take() {
  if (spare_.empty()) return std::make_shared<HeldJob>();
  HeldJobPtr job = std::move(spare_.back());
  spare_.pop_back();
  return job;
}

std::string HeldJobPool::GiveBack(HeldJobPtr job) {
  std::string large;
  // A token that another thread has just dropped has used only atomics of the
  // job.
  if (job.use_count() != 1 || spare_.size() >= kMaxSpares ||
      job->state != HeldJob::State::kEnded) {
    return large;
  }
  std::shared_ptr<const std::string> data = Access::TakeData(&job->job);
  // Payload or Job made the string, and not as const.
  if (std::shared_ptr<std::string> only = WritableIfOnly(std::move(data))) {
    job->spare_data = std::move(only);
    if (job->spare_data->capacity() > kMaxKeptBytes) {
      large.swap(*job->spare_data);
    }
  }
  job->task = nullptr;
  job->hooks = nullptr;
  job->body = nullptr;
  job->seen = nullptr;
  job->started = absl::InfinitePast();
  job->deadline = absl::InfiniteFuture();
  job->stop.Reset();
  job->ended.store(false, std::memory_order_relaxed);
  job->posted.store(false, std::memory_order_relaxed);
  job->state = HeldJob::State::kWaiting;
  job->pending = false;
  job->timer = absl::InfiniteFuture();
  spare_.push_back(std::move(job));
  return large;
}

std::shared_ptr<const std::string> TakeData(Payload data, HeldJob* job) {
  if (data.empty()) return nullptr;
  if (data.is_shared()) return std::move(data).TakeShared();
  std::shared_ptr<std::string> taken = std::move(job->spare_data);
  if (taken == nullptr) taken = std::make_shared<std::string>();
  if (data.borrowed()) {
    taken->assign(data.view().data(), data.view().size());
  } else {
    *taken = std::move(data).TakeString();
  }
  return taken;
}

}  // namespace internal
}  // namespace gearman
