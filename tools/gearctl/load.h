// Load submits jobs at a client's full speed or at a fixed rate, and times each
// job.
#ifndef GEARMAN_TOOLS_GEARCTL_LOAD_H_
#define GEARMAN_TOOLS_GEARCTL_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/latencies.h"

namespace gearman {
namespace gearctl {

struct LoadOptions {
  std::string task;
  std::string data;
  bool background = false;
  // The number of jobs to submit, or, if `duration` is not zero, the time for
  // submitting.
  int64_t jobs = 0;
  absl::Duration duration;
  // At most so many jobs are in progress. With rate 0, always so many.
  int64_t in_flight = 1;
  // Jobs a second, each at its own time. 0: the next job is submitted when
  // another one ends.
  double rate = 0;
};

struct LoadResult {
  int64_t submitted = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  absl::Status first_failure;
  // The time from the first submission to the last end.
  absl::Duration elapsed;
  // The latencies of jobs that succeeded. With a rate they count from the time
  // at which each job was due.
  Latencies latencies;
};

class Load {
 public:
  // INVALID_ARGUMENT: a number makes no sense.
  static absl::Status Check(const LoadOptions& options);

  // `client` must end before the load does.
  Load(Client& client, LoadOptions options);

  // Drives the client on this thread until all jobs have ended, or until Stop.
  // Calls `on_progress` about ten times a second with the number of jobs that
  // have ended.
  LoadResult Run(const std::function<void(int64_t done)>& on_progress);
  // Makes Run return soon with the results so far. Any thread.
  void Stop() { stopped_ = true; }

 private:
  // Submits the jobs that are due and for which the client has room. Returns
  // the time at which the next one is due.
  absl::Time SubmitDue(absl::Time now);
  // Submits a job that is counted as submitted. Returns false if the client has
  // no room for it: the job is then counted no more.
  bool SubmitOne(absl::Time due);
  void OnEnd(const JobRequest& request, absl::Time due);
  // True if nothing more is to be submitted.
  bool Exhausted(absl::Time now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  Client& client_;
  const LoadOptions options_;
  absl::Time start_;
  std::atomic<bool> stopped_{false};

  absl::Mutex mutex_;
  int64_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  LoadResult result_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_LOAD_H_
