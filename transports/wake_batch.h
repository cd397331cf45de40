// WakeBatch: delays the wake-ups that this thread causes until the batch ends.
//
// Use a batch if this thread wakes others while it holds a lock that they need.
// A thread that wakes up at once would find the lock taken and sleep again. (On
// one core this happens every time, because the kernel runs the woken thread
// first.) Marks are set without delay, so a thread that is awake sees them.
//
//   WakeBatch batch;
//   absl::MutexLock lock(&mutex_);
//   ...  // writes to in-process streams, whose readers sleep
//
// A batch belongs to the thread that made it. Batches may be nested: then the
// innermost batch collects the wake-ups.
#ifndef GEARMAN_TRANSPORTS_WAKE_BATCH_H_
#define GEARMAN_TRANSPORTS_WAKE_BATCH_H_

#include <memory>

#include "absl/container/inlined_vector.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// A thread that sleeps. Any thread may wake it.
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

  // Rouses `sleeper` when the calling thread's batch ends, or now if there is
  // no batch.
  static void Rouse(std::shared_ptr<Sleeper> sleeper);

 private:
  WakeBatch* const outer_;
  absl::InlinedVector<std::shared_ptr<Sleeper>, 4> sleepers_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_WAKE_BATCH_H_
