// Mailbox takes messages about jobs from other threads to the worker's I/O
// thread: from handler threads and from owners of pending jobs. Messages are
// taken in the order in which they were posted.
//
// Thread-safe. It outlives the worker as long as a pending job refers to it.
// Messages posted after Close, or in a child made by fork, are dropped.
#ifndef GEARMAN_SDK_INTERNAL_JOB_MAILBOX_H_
#define GEARMAN_SDK_INTERNAL_JOB_MAILBOX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

struct Message {
  enum class Kind : unsigned char {
    kStarted,   // the handler of a job with a time limit begins
    kReturned,  // the handler has returned after `busy_ns`; `result`, unless
                // asynchronous
    kSkipped,   // the job had been lost before it was begun
    kPaused,    // the job's task had been paused before it was begun
    kFinished,  // a pending job's answer is `result`
    kLetGo,     // a pending job goes back to its server
    kData,      // `bytes`
    kWarning,   // `bytes`
    kStatus,    // numerator, denominator
  };

  Kind kind;
  bool forgotten = false;
  HeldJobPtr job;
  absl::StatusOr<std::string> result = std::string();
  std::string bytes;
  int64_t numerator = 0;
  int64_t denominator = 0;
  int64_t busy_ns = 0;
};

class Mailbox {
 public:
  // `max_bytes` limits the posted updates that were not taken, with their
  // records. `max_packet_bytes` limits one packet to a server.
  Mailbox(std::shared_ptr<Poller> poller, size_t max_bytes,
          size_t max_packet_bytes);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // The most bytes that the payload of a WORK_* packet of this job may have. By
  // default the job's client has the worker's limit and could not take more.
  // Any thread.
  size_t MaxPayload(const HeldJob& job) const;
  // INVALID_ARGUMENT: `payload_bytes` exceeds MaxPayload. The message names
  // `what`, its size and the limit. Any thread.
  absl::Status CheckPayload(const HeldJob& job, absl::string_view what,
                            size_t payload_bytes) const;
  // Checks a result of so many bytes, and of the body that the job may have.
  // Also FAILED_PRECONDITION: the body was read and can't be read again.
  absl::Status CheckResult(const HeldJob& job, size_t bytes) const;
  // True in a child made by fork, where the worker is the parent's.
  bool inherited() const { return process_.inherited(); }

  void Post(Message message) ABSL_LOCKS_EXCLUDED(mutex_);
  // Posts all messages and empties `messages`.
  void PostAll(std::vector<Message>* messages) ABSL_LOCKS_EXCLUDED(mutex_);
  // Posts an update of a job that a handler works on. If there is no room, it
  // waits (`may_wait`) until there is room or the job's token fires; else
  // RESOURCE_EXHAUSTED. CANCELLED: the job has ended, or its token has fired.
  // FAILED_PRECONDITION: inherited().
  absl::Status PostUpdate(Message message, bool may_wait)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Appends everything that was posted. If that is nothing, no lock is taken.
  // I/O thread only.
  void Take(std::vector<Message>* messages) ABSL_LOCKS_EXCLUDED(mutex_);
  // Says whether the output of this connection is above its limit. I/O thread
  // only.
  void SetCongested(Poller::Key connection, bool congested)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes waiting threads look again, because tokens have fired. I/O thread
  // only.
  void Nudge() ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops the posted messages and all later ones.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool HasRoom(const HeldJob& job) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Push(Message message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProcessMark process_;
  const std::shared_ptr<Poller> poller_;
  const size_t max_bytes_;
  const size_t max_packet_bytes_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  // There are messages, and the poller has been woken for them. Set with the
  // lock.
  std::atomic<bool> announced_{false};
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_set<Poller::Key> congested_ ABSL_GUARDED_BY(mutex_);
  std::vector<Message> messages_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_MAILBOX_H_
