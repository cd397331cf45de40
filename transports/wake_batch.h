// WakeBatch: as long as one lives on a thread, whom this thread wakes is woken
// when it ends.
//
// For who wakes others under a lock that they will want: woken at once they
// would find it taken, and go to sleep again (on one core each time, as the
// kernel runs whoever wakes up first). Marks are set at once all the same, so
// that whoever is awake sees them.
//
//   WakeBatch batch;
//   absl::MutexLock lock(&mutex_);
//   ...  // writes to in-process streams, whose readers sleep
//
// A batch belongs to its thread; batches may be nested, then the innermost one
// counts.
#ifndef GEARMAN_TRANSPORTS_WAKE_BATCH_H_
#define GEARMAN_TRANSPORTS_WAKE_BATCH_H_

#include <memory>

#include "absl/container/inlined_vector.h"

namespace gearman {

// What is asleep. Any thread may wake it.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void Rouse() = 0;
};

class WakeBatch {
 public:
  WakeBatch();
  WakeBatch(const WakeBatch&) = delete;
  WakeBatch& operator=(const WakeBatch&) = delete;
  ~WakeBatch();

  // Rouses `sleeper`: now, or with the calling thread's batch.
  static void Rouse(std::shared_ptr<Sleeper> sleeper);

 private:
  WakeBatch* const outer_;
  absl::InlinedVector<std::shared_ptr<Sleeper>, 4> sleepers_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_WAKE_BATCH_H_
