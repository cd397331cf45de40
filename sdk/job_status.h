// JobStatus: what a server reported about a job, and when. It is a plain value.
#ifndef GEARMAN_SDK_JOB_STATUS_H_
#define GEARMAN_SDK_JOB_STATUS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// A status comes from a status query (STATUS_RES, STATUS_RES_UNIQUE) or from
// the worker's own WORK_STATUS (docs/protocol.md, section "Client semantics").
// `known` has nothing to do with JobState::kUnknown: a server forgets a
// finished job, so it can't tell one from a job that never existed.
struct JobStatus {
  // The job's handle. After a query by unique it is the handle that the request
  // has got from its server, and empty if there is none: for a JobId without a
  // handle, and for a request that is not accepted yet.
  std::string handle;
  // Whether the server has the job, queued or running.
  bool known = false;
  // Whether a worker has the job.
  bool running = false;
  // The progress that the worker reported, in the worker's own units. A text
  // that is not a number counts as 0. The denominator is 0 before the first
  // report, so check it before dividing by it.
  int64_t numerator = 0;
  int64_t denominator = 0;
  // When this client received the status. InfinitePast means never.
  absl::Time time_received = absl::InfinitePast();
  // The number of foreground clients that wait for the job. Only an answer to a
  // query by unique has it.
  int64_t client_count = 0;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_STATUS_H_
