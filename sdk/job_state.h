// JobState and AttemptRecord: what is known of a requested job, as plain
// values. JobRequest (sdk/job_request.h) shows them.
#ifndef GEARMAN_SDK_JOB_STATE_H_
#define GEARMAN_SDK_JOB_STATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// The states of a request (docs/guide/requests.md).
enum class JobState : unsigned char {
  kUnknown,   // not submitted, or given up: JobRequest::status() says why
  kPending,   // submitted, not yet accepted by a server
  kCreated,   // accepted: the server gave a handle (JOB_CREATED)
  kFailed,    // the job failed or ended with an exception (WORK_FAIL,
              // WORK_EXCEPTION), or the server refused it (ERROR):
              // JobRequest::status() says which
  kComplete,  // the worker completed it (WORK_COMPLETE)
};
// Returns "unknown", "pending", "created", "failed" or "complete".
inline StringView JobStateName(JobState state) {
  switch (state) {
    case JobState::kUnknown:
      break;
    case JobState::kPending:
      return "pending";
    case JobState::kCreated:
      return "created";
    case JobState::kFailed:
      return "failed";
    case JobState::kComplete:
      return "complete";
  }
  return "unknown";
}

// One failed attempt of a request.
struct AttemptRecord {
  int attempt = 0;                                 // from 1
  std::string server;                              // its address
  FailureReason reason = FailureReason::kConnect;  // why it failed
  // Whether a byte of the submission was sent; with a body from a source
  // (JobSpec::body), whether all of it was.
  bool bytes_sent = false;
  absl::Time time;      // of the failure
  absl::Status status;  // what went wrong
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_STATE_H_
