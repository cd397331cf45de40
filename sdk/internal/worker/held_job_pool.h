// HeldJobPool: records of jobs that have ended, for jobs to come: a job in
// steady state allocates nothing but what its handler does.
//
// Belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_POOL_H_
#define GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_POOL_H_

#include <memory>
#include <string>
#include <vector>

#include "gearman/codecs/payload.h"
#include "gearman/sdk/internal/worker/held_job.h"

namespace gearman {
namespace internal {

class HeldJobPool {
 public:
  // A record as new, but that its strings have memory, and hold anything.
  HeldJobPtr Take();
  // Keeps the record of a job that has ended, if nobody else refers to it:
  // neither a token, nor a report, nor a connection's list. Returns the memory
  // of large data, for the connection's decoder; mostly none.
  std::string GiveBack(HeldJobPtr job);

 private:
  std::vector<HeldJobPtr> spare_;
};

// The data of a job that comes into this record; copied, into the memory of an
// earlier job's, when it is borrowed. Null when it is empty.
std::shared_ptr<const std::string> TakeData(Payload data, HeldJob* job);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_POOL_H_
