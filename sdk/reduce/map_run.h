// MapRun is one job of a Mapper: it makes the parts, submits them, and gives
// their results to the aggregator in order.
//
// Each event (a part has ended, the job is to stop, there is room) changes the
// state and calls Pump. One thread at a time is in the steps of a job. An event
// on another thread meanwhile leaves its work to that thread.
//
// A run lives as long as one of its parts is in flight or a thread is in its
// steps. It ends, and answers its job, before neither holds.
#ifndef GEARMAN_SDK_REDUCE_MAP_RUN_H_
#define GEARMAN_SDK_REDUCE_MAP_RUN_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/client/told_call.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/reduce.h"
#include "gearman/sdk/reduce/mapper_core.h"

namespace gearman {
namespace internal {

class MapRun : public std::enable_shared_from_this<MapRun> {
 public:
  // Begins a job on this thread.
  static void Begin(std::shared_ptr<MapperCore> core, MapHandler& handler,
                    PendingJob job);
  // Use Begin.
  MapRun(std::shared_ptr<MapperCore> core, PendingJob job);

  // Takes every step that can be taken now, unless a thread does so already.
  void Pump();

  // Whether the job is in the line of those that wait for room. MapperCore
  // guards it.
  bool in_line = false;

 private:
  class Part;
  enum class Step : unsigned char {
    kNone,     // there is nothing to do now
    kStop,     // the job ends with an error
    kDeliver,  // the oldest part has ended
    kMake,     // another part may be made
    kFinish,   // all parts have been delivered
  };

  void Start(MapHandler& handler);
  // Returns the name by which the client knows the reducer of a job.
  absl::StatusOr<std::string> ReducerOf(const std::string& named) const;

  Step NextStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives the end of the oldest part to the aggregator. The mutable functions
  // below are for the thread that is in the steps.
  void Deliver(Ref<Part> part);
  void MakePart();
  void SubmitPart(std::string data);
  // Gives a result to the aggregator, or an error to the end of the job.
  void Add(size_t part, std::string result);
  // Answers the job, and cancels what is in flight.
  void End(absl::StatusOr<std::string> result);

  void OnPartEnded(Part* part, absl::StatusOr<std::string> end);
  void OnStop();
  // The reason for which the job is to end without all of its parts.
  absl::Status WhyStopped() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<MapperCore> core_;

  // Set before the first step.
  MapInput input_;
  std::string described_;  // for messages

  // For the thread that is in the steps.
  MapPlan plan_;
  size_t next_part_ = 0;

  mutable absl::Mutex mutex_;
  PendingJob job_ ABSL_GUARDED_BY(mutex_);
  bool stepping_ ABSL_GUARDED_BY(mutex_) = false;
  // Something has happened since the last look for a step.
  bool again_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool exhausted_ ABSL_GUARDED_BY(mutex_) = false;  // there is no further part
  // The parts that have not been delivered, in order.
  std::deque<Ref<Part>> window_ ABSL_GUARDED_BY(mutex_);
  size_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  // The first ones to fail.
  std::vector<std::pair<size_t, absl::Status>> failures_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_REDUCE_MAP_RUN_H_
