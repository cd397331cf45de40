#include "gearman/sdk/internal/worker/held_job_pool.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/config.h"

namespace gearman {
namespace internal {
namespace {

// As many as a worker usually holds at once.
constexpr size_t kMaxSpares = 256;
// Larger data is not kept here, where it might not be needed again.
constexpr size_t kMaxKeptBytes = 4096;

// Whether this is the only reference left, so that what it points at may be
// written to. use_count alone does not order this thread after another one that
// has read it and dropped its reference.
bool IsOnly(const std::shared_ptr<const std::string>& data) {
  if (data.use_count() != 1) return false;
#ifdef ABSL_HAVE_THREAD_SANITIZER
  // It does not know fences; a further reference that is given back does the
  // same, for two atomic operations.
  const std::shared_ptr<const std::string> ordered = data;
#else
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
  return true;
}

}  // namespace

HeldJobPtr HeldJobPool::Take() {
  if (spare_.empty()) return std::make_shared<HeldJob>();
  HeldJobPtr job = std::move(spare_.back());
  spare_.pop_back();
  return job;
}

std::string HeldJobPool::GiveBack(HeldJobPtr job) {
  std::string large;
  // A token that another thread has just dropped let it see atomics only.
  if (job.use_count() != 1 || spare_.size() >= kMaxSpares ||
      job->state != HeldJob::State::kEnded) {
    return large;
  }
  std::shared_ptr<const std::string> data = job->job.TakeData();
  if (data != nullptr && IsOnly(data)) {
    // TakeData has made it, not const.
    job->spare_data = std::const_pointer_cast<std::string>(std::move(data));
    if (job->spare_data->capacity() > kMaxKeptBytes) {
      large.swap(*job->spare_data);
    }
  }
  job->task = nullptr;
  job->hooks = nullptr;
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
