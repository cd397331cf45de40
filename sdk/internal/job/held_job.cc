#include "gearman/sdk/internal/job/held_job.h"

#include <atomic>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

bool DroppedInHandler(HeldJob* job) {
  if (job->calling.load(std::memory_order_acquire) !=
      std::this_thread::get_id()) {
    return false;
  }
  job->dropped = true;
  return true;
}

absl::Status NoWarnings(const HeldJob& job) {
  return absl::UnimplementedError(
      absl::StrCat(job.job.connection(), " knows no WORK_WARNING: that of job ",
                   SafeText(job.job.handle()), " is told nobody"));
}

}  // namespace internal
}  // namespace gearman
