// HeldJobPool keeps the records of ended jobs for later jobs. In steady state a
// job then allocates nothing except in its handler.
//
// It belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_POOL_H_
#define GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_POOL_H_

#include <memory>
#include <string>
#include <vector>

#include "gearman/codecs/payload.h"
#include "gearman/sdk/internal/job/held_job.h"

namespace gearman {
namespace internal {

class HeldJobPool {
 public:
  // Returns a record that is like new, but its strings keep memory and content.
  HeldJobPtr Take();
  // Keeps the record of a job that has ended, if the caller has the only
  // reference: no token, report or connection's list may have one. Returns the
  // memory of large data, for the connection's decoder. It is mostly empty.
  std::string GiveBack(HeldJobPtr job);

 private:
  std::vector<HeldJobPtr> spare_;
};

// Returns the data of a job that comes into this record. Borrowed data is
// copied into the memory of an earlier job's data. Null: the data is empty.
std::shared_ptr<const std::string> TakeData(Payload data, HeldJob* job);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_POOL_H_
