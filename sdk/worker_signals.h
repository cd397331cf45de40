// WorkerSignals: SIGINT and SIGTERM drain workers, a second signal stops them,
// and a third one has the effect that it would have without this class.
//
//   auto signals = gearman::WorkerSignals::Create({worker.get()});
//   if (!signals.ok()) return signals.status();
//   return worker->Run();  // or Start, and Join
#ifndef GEARMAN_SDK_WORKER_SIGNALS_H_
#define GEARMAN_SDK_WORKER_SIGNALS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/worker.h"

namespace gearman {

namespace internal {
class SignalRegistration;
}  // namespace internal

// While a WorkerSignals lives, the first SIGINT or SIGTERM calls Worker::Drain
// of each of its workers, and the second one Worker::Stop. The program's own
// handlers of the two signals are not called during this time. They are in
// force again after the second signal, and when the WorkerSignals is destroyed.
// A handler that was installed after it stays. So in a program without handlers
// of its own a third signal ends the process, whatever the program waits for.
//
// A signal that the process ignores when the object is created stays ignored.
// (A script's `&` starts programs that ignore SIGINT.) Only its stop token
// tells a running job handler of Worker::Stop.
//
// The workers must outlive this object. It may live on any thread, and signals
// may come on any thread. One object lives in a process at a time.
//
// Fork: in a child the earlier handlers are in force again, and the child's
// copy of this object does nothing.
class WorkerSignals {
 public:
  // `limit` is that of Worker::Drain. Returns INVALID_ARGUMENT if there is no
  // worker, or one is null, and FAILED_PRECONDITION if another WorkerSignals
  // lives in this process.
  static absl::StatusOr<std::unique_ptr<WorkerSignals>> Create(
      std::vector<Worker*> workers, Duration limit = absl::InfiniteDuration());
  // If another thread is handling a signal, waits until it has done so.
  ~WorkerSignals();
  WorkerSignals(const WorkerSignals&) = delete;
  WorkerSignals& operator=(const WorkerSignals&) = delete;

  // Returns how many signals this object has handled so far.
  int count() const;

 private:
  explicit WorkerSignals(
      OwnedByProcess<internal::SignalRegistration> registration);

  const OwnedByProcess<internal::SignalRegistration> registration_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_SIGNALS_H_
