// RequestHooks holds the state of observers and interceptors for one
// submission. Only requests of a client that has some of them have it.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_REQUEST_HOOKS_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_REQUEST_HOOKS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "gearman/codecs/payload.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client_options.h"

namespace gearman {
namespace internal {

// The submitting thread fills it. From then on it belongs to the driving
// thread, which handles the notices that refer to it one after another.
struct RequestHooks {
  TraceObserver* observer = nullptr;  // of the client; null: none
  std::unique_ptr<TraceSpan> span;
  std::unique_ptr<TraceSpan> retry_span;
  // Called from the last to the first.
  std::vector<
      absl::AnyInvocable<void(const JobRequest&, absl::StatusOr<std::string>&)>>
      on_end;
  // The answer of an interceptor. It is taken when the request is started.
  std::optional<absl::StatusOr<std::string>> answer;
  // A further attempt is in progress. Guarded by the client's lock.
  bool retrying = false;
};

// The values, as the caller gave them, that interceptors have changed. They
// stay with the request for another submission.
struct OriginalJob {
  std::optional<std::string> task;
  std::optional<Payload> data;
  std::optional<CallOptions> options;
  bool background = false;  // the value when `options` was changed
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_REQUEST_HOOKS_H_
