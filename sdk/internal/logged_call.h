// Calls user code and logs anything that it throws.
#ifndef GEARMAN_SDK_INTERNAL_LOGGED_CALL_H_
#define GEARMAN_SDK_INTERNAL_LOGGED_CALL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/log.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

// Returns true if `function` has returned, and false if it has thrown. `name`
// names the function in the log.
template <typename Function>
bool CallLoggingThrow(const Logger& logger, absl::string_view name,
                      const Function& function) {
  return GuardedCall(function,
                     [&logger, name](absl::string_view what) {
                       logger.Log(LogLevel::kWarning, name,
                                  " has thrown: ", SafeMessage(what));
                       return absl::UnknownError(what);
                     })
      .ok();
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_LOGGED_CALL_H_
