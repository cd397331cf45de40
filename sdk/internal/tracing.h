// Calls a TraceObserver and ignores anything that it throws.
#ifndef GEARMAN_SDK_INTERNAL_TRACING_H_
#define GEARMAN_SDK_INTERNAL_TRACING_H_

#include <memory>

#include "gearman/plugins/guarded_call.h"
#include "gearman/plugins/tracing/trace_observer.h"

namespace gearman {
namespace internal {

// Returns null if the observer does not trace this, or if `observer` is null.
inline std::unique_ptr<TraceSpan> BeginSpan(TraceObserver* observer,
                                            const TraceBegin& begin) {
  if (observer == nullptr) return nullptr;
  std::unique_ptr<TraceSpan> span;
  CallIgnoringThrow([&] { span = observer->Begin(begin); });
  return span;
}

// Ends and destroys `*span` if it is not null.
inline void EndSpan(std::unique_ptr<TraceSpan>* span, const TraceEnd& end) {
  if (*span == nullptr) return;
  CallIgnoringThrow([&] { (*span)->End(end); });
  span->reset();
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_TRACING_H_
