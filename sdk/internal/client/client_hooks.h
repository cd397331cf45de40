// ClientHooks calls the user's code for the requests of a client: callbacks,
// interceptors and observers. What that code throws is logged, or becomes the
// end of the request.
//
// No lock is held during a call. The calls for one request come one after
// another.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_HOOKS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_HOOKS_H_

#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace internal {

class ClientHooks {
 public:
  // `options` and `clock` must outlive this object.
  ClientHooks(const ClientOptions* options, Clock* clock)
      : options_(*options), clock_(clock) {}

  // True if the client has an observer or an interceptor.
  bool hooked() const {
    return options_.trace_observer != nullptr || !options_.interceptors.empty();
  }
  // Begins the span of a submission, and calls the interceptors. One of them
  // may answer in place of a server.
  void Begin(JobRequestState* request) const;
  // Tells the observer that a further attempt begins or has failed.
  void OnRetry(Notice* notice) const;
  // Lets the interceptors change the end of a request, which is in the facts
  // of the notice.
  static void ChangeEnd(Notice* notice);
  // Tells the observer the end of a request.
  static void OnEnd(Notice* notice);
  // Calls the callback that the notice is for.
  void Call(const Notice& notice) const;

 private:
  const ClientOptions& options_;
  Clock* const clock_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_HOOKS_H_
