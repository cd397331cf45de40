#include "gearman/sdk/internal/worker/prefetch.h"

#include <algorithm>
#include <limits>

#include "absl/time/time.h"

namespace gearman {
namespace internal {
namespace {

// The weight of a new payload size in the mean.
constexpr double kBytesWeight = 1.0 / 16;

// Far more than a server gives. Counts of jobs can be added and doubled.
constexpr int64_t kMaxTarget = 1 << 24;
// A larger budget is cut, so that the costs of a million jobs can be added.
constexpr int64_t kMaxBudgetNs = std::numeric_limits<int64_t>::max() >> 20;

int64_t BudgetNs(absl::Duration max_wait, int concurrency) {
  const int64_t ns =
      absl::ToInt64Nanoseconds(std::max(max_wait, absl::ZeroDuration()));
  return std::min(ns, kMaxBudgetNs / concurrency) * concurrency;
}

}  // namespace

Prefetch::Prefetch(const PrefetchOptions& options, int concurrency)
    : options_(options),
      concurrency_(concurrency),
      budget_ns_(BudgetNs(options.max_wait, concurrency)) {}

int64_t Prefetch::unknown_ns() const {
  return std::max(mix_.expected_ns(), budget_ns_);
}

void Prefetch::OnAssigned(size_t bytes) {
  const double size = static_cast<double>(bytes);
  job_bytes_ += kBytesWeight * (size - job_bytes_);
  large_bytes_ = std::max(size, large_bytes_ * (1 - kBytesWeight));
}

void Prefetch::OnDone(JobCost* task, int64_t ns) {
  task->Add(ns);
  mix_.Add(ns);
  if (ns > budget_ns_ / concurrency_) {
    fast_in_a_row_ = 0;
  } else {
    ++fast_in_a_row_;
  }
}

int Prefetch::Target(const Load& load) const {
  const int free = std::max(0, concurrency_ - load.running);
  int64_t ahead = 0;
  if (mix_.known()) {
    const int64_t per_job = std::max<int64_t>(mix_.expected_ns(), 1);
    // Waiting jobs may cost more than the jobs that usually come.
    const int64_t excess =
        std::max<int64_t>(0, load.waiting_ns - load.waiting * per_job);
    const int64_t by_time = std::max<int64_t>(0, budget_ns_ - excess) / per_job;
    const size_t room_bytes =
        options_.max_bytes - std::min(options_.max_bytes, load.held_bytes);
    const int64_t by_bytes =
        load.waiting +
        static_cast<int64_t>(std::min<double>(
            static_cast<double>(room_bytes) / std::max(job_bytes_, 1.0),
            options_.max_jobs));
    ahead = std::min({static_cast<int64_t>(options_.max_jobs), by_time,
                      2 * fast_in_a_row_, by_bytes});
  }
  ahead = std::max(ahead, static_cast<int64_t>(options_.min_jobs));
  return static_cast<int>(std::min<int64_t>(free + ahead, kMaxTarget));
}

int Prefetch::Room(const Load& load, bool alone) const {
  const int target = Target(load);
  const int unstarted = load.waiting + load.outstanding;
  const int room = target - unstarted;
  if (room <= 0) return 0;
  // A handler that would be idle does not wait for a bundle.
  if (alone && unstarted >= concurrency_ - load.running && room * 2 < target)
    return 0;
  return room;
}

int Prefetch::RoomInMemory(const Load& load, size_t bytes) const {
  const double room =
      static_cast<double>(bytes - std::min(bytes, load.held_bytes)) /
          std::max(large_bytes_, 1.0) -
      load.outstanding;
  const double least = load.held_bytes == 0 && load.outstanding == 0 ? 1 : 0;
  return static_cast<int>(
      std::min(std::max(room, least), static_cast<double>(kMaxTarget)));
}

}  // namespace internal
}  // namespace gearman
