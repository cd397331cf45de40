// Calls user code from which anything may be thrown.
#ifndef GEARMAN_PLUGINS_GUARDED_CALL_H_
#define GEARMAN_PLUGINS_GUARDED_CALL_H_

#include <exception>

#include "absl/status/status.h"

namespace gearman {
namespace internal {

// OK: it has returned. Else what `status_of` makes of the exception's text.
template <typename Function, typename StatusOf>
absl::Status GuardedCall(const Function& function, const StatusOf& status_of) {
  try {
    function();
  } catch (const std::exception& exception) {
    return status_of(exception.what());
  } catch (...) {
    return status_of("unknown exception");
  }
  return absl::OkStatus();
}

// The same for what is its own affair: nobody is told.
template <typename Function>
void CallIgnoringThrow(const Function& function) {
  try {
    function();
  } catch (...) {
  }
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_GUARDED_CALL_H_
