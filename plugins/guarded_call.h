// Calls user code, which may throw anything.
#ifndef GEARMAN_PLUGINS_GUARDED_CALL_H_
#define GEARMAN_PLUGINS_GUARDED_CALL_H_

#include <exception>

#include "absl/status/status.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace internal {

// Calls `function`. Returns OK, or the result of `status_of` for the text of
// the exception that `function` has thrown.
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

// Like GuardedCall, for a function that returns a StatusOr: returns its result.
template <typename Function, typename StatusOf>
auto GuardedResult(const Function& function, const StatusOf& status_of)
    -> decltype(function()) {
  try {
    return function();
  } catch (const std::exception& exception) {
    return status_of(exception.what());
  } catch (...) {
    return status_of("unknown exception");
  }
}

// Calls `function` and ignores any exception from it.
template <typename Function>
void CallIgnoringThrow(Function&& function) {
  try {
    function();
  } catch (...) {
  }
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_GUARDED_CALL_H_
