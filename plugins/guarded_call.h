// Calls user code, which may throw anything.
#ifndef GEARMAN_PLUGINS_GUARDED_CALL_H_
#define GEARMAN_PLUGINS_GUARDED_CALL_H_

#include <exception>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace internal {

// A program may be compiled without exceptions, and use headers that call these
// functions. Then nothing is caught, because nothing can be thrown. The two
// kinds have different names, so that no linker takes one for the other.
#ifdef ABSL_HAVE_EXCEPTIONS
inline namespace guarded {

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

}  // namespace guarded
#else
inline namespace unguarded {

template <typename Function, typename StatusOf>
absl::Status GuardedCall(const Function& function,
                         const StatusOf& /*status_of*/) {
  function();
  return absl::OkStatus();
}

template <typename Function, typename StatusOf>
auto GuardedResult(const Function& function, const StatusOf& /*status_of*/)
    -> decltype(function()) {
  return function();
}

template <typename Function>
void CallIgnoringThrow(Function&& function) {
  function();
}

}  // namespace unguarded
#endif  // ABSL_HAVE_EXCEPTIONS

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_GUARDED_CALL_H_
