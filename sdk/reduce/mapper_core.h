// MapperCore is what the jobs of one Mapper share: the client, the room for
// parts, and the counts.
//
// Thread-safe. No function calls user code or a job with the lock held.
#ifndef GEARMAN_SDK_REDUCE_MAPPER_CORE_H_
#define GEARMAN_SDK_REDUCE_MAPPER_CORE_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/reduce.h"

namespace gearman {
namespace internal {

class MapRun;

class MapperCore {
 public:
  MapperCore(std::unique_ptr<Client> client, MapperOptions options);
  MapperCore(const MapperCore&) = delete;
  MapperCore& operator=(const MapperCore&) = delete;

  const MapperOptions& options() const { return options_; }
  // True in a child made by fork.
  bool inherited() const { return process_.inherited(); }

  // Calls `function`, and lets the client live as long. Returns false, and
  // calls nothing, after Close.
  bool WithClient(absl::FunctionRef<void(Client&)> function);
  // Destroys the client, which ends all parts as CANCELLED. Waits until no
  // thread is in WithClient. The calling thread must not be in it.
  void Close();
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Ends the core when the current call on this thread has returned, because
  // code in that call destroys the mapper. `core` is this object.
  void EndLater(std::shared_ptr<MapperCore> core);

  // Takes room for one part. Returns false if there is none; TellWaiting then
  // calls MapRun::Pump of `run` when there is. `whatever_the_limit`: there is
  // room in any case.
  bool TakeRoom(const std::shared_ptr<MapRun>& run, bool whatever_the_limit);
  // Changes the number of bytes that the parts have.
  void ChangeBytes(size_t before, size_t now);
  // Gives back the room of parts, which have these bytes.
  void GiveBack(size_t parts, size_t bytes);
  // Lets jobs that wait go on while there is room. The caller holds no lock.
  void TellWaiting();

  void OnJobBegun();
  void OnJobEnded(bool completed);
  void OnPartEnded(bool completed);
  MapperStats stats() const;

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stats_.parts < options_.max_parts &&
           stats_.bytes < options_.max_bytes;
  }

  const MapperOptions options_;
  const ProcessMark process_;
  std::atomic<bool> closed_{false};
  mutable absl::Mutex mutex_;
  std::unique_ptr<Client> client_ ABSL_GUARDED_BY(mutex_);
  int client_users_ ABSL_GUARDED_BY(mutex_) = 0;
  MapperStats stats_ ABSL_GUARDED_BY(mutex_);
  // The jobs that wait for room, the first one first. A job is here once.
  std::deque<std::weak_ptr<MapRun>> waiting_ ABSL_GUARDED_BY(mutex_);
  // A thread is in TellWaiting.
  bool telling_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_REDUCE_MAPPER_CORE_H_
