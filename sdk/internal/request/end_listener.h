// EndListener hears of the end of a request beside the user's callbacks. The
// call styles are made of it (sdk/client/told_call.h): it is in the record
// itself, so that a request without callbacks needs no CallOptions for it, and
// an interceptor that replaces the options does not lose it.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_END_LISTENER_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_END_LISTENER_H_

#include "gearman/base/ref.h"

namespace gearman {

class JobRequest;

namespace internal {

// The record owns it, with others.
class EndListener : public Counted {
 public:
  virtual ~EndListener() = default;
  EndListener() = default;

  // A submission of the request has ended, and its on_complete has returned or
  // thrown; on_complete may have submitted the request again. The client calls
  // this where it calls on_complete: on the thread that does the I/O, with no
  // lock held, and not if the end is a silent one. The function must not throw.
  virtual void OnSubmissionEnd(const JobRequest& request) = 0;

  // Returns false if OnSubmissionEnd only wakes threads. When several such
  // requests end one after the other, the client tells the last one first. A
  // thread that waits for all of them, from the first on, then sleeps once and
  // not once for each.
  virtual bool runs_user_code() const { return true; }
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_END_LISTENER_H_
