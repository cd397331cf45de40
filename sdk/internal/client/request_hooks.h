// RequestHooks: what observers and interceptors have to do with one submission.
// Only requests of a client that has some have it.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_REQUEST_HOOKS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_REQUEST_HOOKS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client_options.h"

namespace gearman {
namespace internal {

// Filled by the thread that submits. From then on it belongs to the thread that
// drives, which takes it out of notices one after another.
struct RequestHooks {
  TraceObserver* observer = nullptr;  // of the client; null: none
  std::unique_ptr<TraceSpan> span;
  std::unique_ptr<TraceSpan> retry_span;
  // To be called from the last to the first.
  std::vector<
      std::function<void(const JobRequest&, absl::StatusOr<std::string>&)>>
      on_end;
  // An interceptor's. Taken when the request is started.
  std::optional<absl::StatusOr<std::string>> answer;
  // A further attempt is going on. Guarded by the client's lock.
  bool retrying = false;
};

// What interceptors have changed, as the caller gave it. Stays with the request
// for another submission.
struct OriginalJob {
  std::optional<std::string> task;
  std::optional<std::string> data;
  std::optional<CallOptions> options;
  bool background = false;  // what it was when `options` was changed
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_REQUEST_HOOKS_H_
