// A trace's context, and how this example's programs carry it from a client to
// its workers.
//
// Gearman's packets have no room for headers, so a context can travel only in
// the payload, in a form that clients and workers agree on. In this example it
// is a line in the form of W3C's `traceparent` before the data:
//
//   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//
// A client's interceptor adds the line, and a worker's interceptor removes it.
// A worker without that interceptor sees the line as data. The line makes all
// payloads different: where jobs are joined by their payload
// (UniqueMode::kPayload, kDash), give uniques instead.
#ifndef GEARMAN_EXAMPLES_TRACING_TRACE_CONTEXT_H_
#define GEARMAN_EXAMPLES_TRACING_TRACE_CONTEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gearman_examples {

struct TraceContext {
  std::string trace_id;  // 32 digits, hexadecimal, lower case
  std::string span_id;   // 16 digits, likewise
};

// Returns `data` with the context before it.
std::string WithContext(const TraceContext& context, absl::string_view data);
// Reads the context at the beginning of `data`. Returns false if there is none.
bool ReadContext(absl::string_view data, TraceContext* context);
// Returns `data` without the context.
absl::string_view WithoutContext(absl::string_view data);

}  // namespace gearman_examples

#endif  // GEARMAN_EXAMPLES_TRACING_TRACE_CONTEXT_H_
