// How the SDK calls a TraceObserver: what it throws is its own affair.
#ifndef GEARMAN_SDK_INTERNAL_TRACING_H_
#define GEARMAN_SDK_INTERNAL_TRACING_H_

#include <memory>

#include "gearman/plugins/guarded_call.h"
#include "gearman/plugins/tracing/trace_observer.h"

namespace gearman {
namespace internal {

// Null: not traced; also without an observer.
inline std::unique_ptr<TraceSpan> BeginSpan(TraceObserver* observer,
                                            const TraceBegin& begin) {
  if (observer == nullptr) return nullptr;
  std::unique_ptr<TraceSpan> span;
  CallIgnoringThrow([&] { span = observer->Begin(begin); });
  return span;
}

// Ends and destroys `*span`, if there is one.
inline void EndSpan(std::unique_ptr<TraceSpan>* span, const TraceEnd& end) {
  if (*span == nullptr) return;
  CallIgnoringThrow([&] { (*span)->End(end); });
  span->reset();
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_TRACING_H_
