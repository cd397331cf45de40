// GuardedData: calls code that encodes or decodes, and makes errors of its
// exceptions. Internal.
#ifndef GEARMAN_PLUGINS_ENCODING_GUARDED_DATA_H_
#define GEARMAN_PLUGINS_ENCODING_GUARDED_DATA_H_

#include <exception>
#include <new>

#include "absl/status/status.h"
#include "gearman/base/cpp17.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

// Returns the result of `function`, a Status or StatusOr. If it throws:
// RESOURCE_EXHAUSTED for want of memory, and UNKNOWN otherwise.
template <typename Function>
auto GuardedData(const Function& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there is not enough memory");
  } catch (const std::exception& exception) {
    return absl::UnknownError(SafeMessage(exception.what()));
  } catch (...) {
    return absl::UnknownError("unknown exception");
  }
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_GUARDED_DATA_H_
