// JobUpdate: what a worker reported before the end of its job, and when. It is
// a plain value. JobRequest (sdk/job_request.h) keeps the updates that nobody
// took.
#ifndef GEARMAN_SDK_JOB_UPDATE_H_
#define GEARMAN_SDK_JOB_UPDATE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

struct JobUpdate {
  // The packets that carry an update.
  enum class Kind : unsigned char {
    kData,     // WORK_DATA: a part of the result
    kWarning,  // WORK_WARNING
    kStatus,   // WORK_STATUS: progress
  };

  Kind kind = Kind::kData;  // the packet
  std::string data;         // of kData and kWarning
  // The progress of kStatus, as in JobStatus.
  int64_t numerator = 0;
  int64_t denominator = 0;
  // When this client received the update, by the client's clock.
  absl::Time time_received = absl::InfinitePast();
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_UPDATE_H_
