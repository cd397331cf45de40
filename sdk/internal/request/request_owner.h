// RequestOwner is the part of a client that its requests use: the lock that
// guards them, the mark of the client's process, and two functions of the
// client. ClientCore implements it.
//
// So JobRequest needs the record and this header only, and ClientCore can be
// built on top of JobRequest (docs/internals/layout.md). JobRequest's functions call the
// virtual functions. The way of a job through the client calls none of them.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_REQUEST_OWNER_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_REQUEST_OWNER_H_

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gearman/codecs/wire/spare_strings.h"
#include "gearman/process/process_mark.h"

namespace gearman {
namespace internal {

struct JobRequestState;

class RequestOwner {
 public:
  RequestOwner(const RequestOwner&) = delete;
  RequestOwner& operator=(const RequestOwner&) = delete;

  // True in a child made by fork, where the client is the parent's.
  bool inherited() const { return process_.inherited(); }
  // Returns the lock that guards this client's requests. In such a child it is
  // a lock of the child's own.
  absl::Mutex* request_mutex() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Finishes, in such a child, a request that is in flight in the parent, as if
  // it had not been submitted. The caller holds request_mutex().
  static void LeaveBehind(JobRequestState* request);
  // Takes the memory of a result that is no longer needed, for a later one. Any
  // thread, with and without the lock.
  void Recycle(std::string result) {
    // In such a child the lock of the spares may be held for ever.
    if (!inherited()) spares_.Put(std::move(result));
  }

  // Takes the memory of large data that is no longer needed, to free it later
  // (SpareStrings::Hold). Any thread, with and without the lock.
  void Hold(std::string data) {
    if (!inherited()) spares_.Hold(std::move(data));
  }

  // Does what JobRequest::Cancel says. Takes the lock.
  virtual void Cancel(JobRequestState* request) = 0;
  // True if the calling thread runs on_complete of this request, and no other
  // callback of the submission follows.
  virtual bool InLastCallbackOf(const JobRequestState* request) const = 0;

 protected:
  RequestOwner() = default;
  // Not virtual: nobody destroys a client through this type.
  ~RequestOwner() = default;

  const ProcessMark process_;
  absl::Mutex mutex_;
  // The client's connections read large results into this memory.
  wire::SpareStrings spares_{16 << 20};
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_REQUEST_OWNER_H_
