#include "gearman/sdk/internal/worker/held_job_pool.h"

#include <memory>
#include <string>
#include <utility>

namespace gearman {
namespace internal {
namespace {

// As many as a worker usually holds at once.
constexpr size_t kMaxSpares = 256;
// Larger data is not kept here, where it might not be needed again.
constexpr size_t kMaxKeptBytes = 4096;

// Whether this is the only reference left, so that what it points at may be
// written to. use_count alone does not order this thread after another one that
// has read it and dropped its reference; giving back a further reference, once
// there is no other, does.
bool IsOnly(const std::shared_ptr<std::string>& data) {
  if (data.use_count() != 1) return false;
  const std::shared_ptr<std::string> ordered = data;
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
  job->job.Assign({}, {}, {}, {}, nullptr);
  if (job->data != nullptr) {
    if (!IsOnly(job->data)) {
      job->data = nullptr;
    } else if (job->data->capacity() > kMaxKeptBytes) {
      large.swap(*job->data);
    }
  }
  job->reducer.clear();
  job->task = nullptr;
  job->mailbox = nullptr;
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

void TakeData(Payload data, HeldJob* job) {
  if (job->data == nullptr) job->data = std::make_shared<std::string>();
  if (data.borrowed()) {
    job->data->assign(data.view().data(), data.view().size());
  } else {
    *job->data = std::move(data).TakeString();
  }
}

}  // namespace internal
}  // namespace gearman
