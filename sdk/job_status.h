// JobStatus: what a server said of a job, and when. A plain value.
#ifndef GEARMAN_SDK_JOB_STATUS_H_
#define GEARMAN_SDK_JOB_STATUS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace gearman {

// Comes from a status query (STATUS_RES) or from the worker's own WORK_STATUS.
// `known` has nothing to do with JobState::kUnknown: a finished job is no
// longer known to its server, and a server can't tell it from one that never
// existed.
struct JobStatus {
  // The job's handle; empty when it was asked for by its unique.
  std::string handle;
  // The server has the job, queued or running.
  bool known = false;
  // A worker has it.
  bool running = false;
  // Progress as the worker reported it: its units are the worker's. Text that
  // is no number counts as 0, and the denominator is 0 before the first
  // report: don't divide by it unseen.
  int64_t numerator = 0;
  int64_t denominator = 0;
  // When this client received it; InfinitePast: never.
  absl::Time time_received = absl::InfinitePast();
  // Foreground clients waiting for the job; only an answer by unique tells.
  int64_t client_count = 0;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_STATUS_H_
