// OtlpJsonWriter: a TraceObserver that writes spans as OpenTelemetry's OTLP in
// JSON, one batch a line: what a collector's `otlpjsonfile` receiver reads, or
// the body of a POST to its /v1/traces.
//
// It is an example of a bridge, made to be read: what it does with spans any
// other bridge does, too (opentelemetry-cpp: StartSpan in Begin, SetAttribute
// and End in End). It shows what is a program's to decide: where ids come from,
// what the parent of a span is, where the spans go.
#ifndef GEARMAN_EXAMPLES_TRACING_OTLP_JSON_H_
#define GEARMAN_EXAMPLES_TRACING_OTLP_JSON_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/examples/tracing/otlp.pb.h"
#include "gearman/examples/tracing/trace_context.h"
#include "gearman/plugins/tracing/trace_observer.h"

namespace gearman_examples {

// A span that can be a parent.
class OtlpSpan : public gearman::TraceSpan {
 public:
  virtual const TraceContext& context() const = 0;
};

// Thread-safe. Outlives its spans.
class OtlpJsonWriter final : public gearman::TraceObserver {
 public:
  // `write` gets one line for each batch of up to `batch_size` spans, one call
  // at a time, on the thread that ends a span or calls Flush.
  OtlpJsonWriter(std::string service_name,
                 std::function<void(absl::string_view line)> write,
                 size_t batch_size = 100);
  // Flush.
  ~OtlpJsonWriter() override;

  // The parent is: of a retry its submission, of a job's processing the context
  // that its payload carries (trace_context.h), of what is submitted or asked
  // while a thread handles a job that job (Scope); else there is none, and a
  // new trace begins.
  std::unique_ptr<gearman::TraceSpan> Begin(
      const gearman::TraceBegin& begin) override;
  // Writes what has ended so far.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  // What the calling thread does is part of `span`, as long as this lives.
  // Null: of none.
  class Scope {
   public:
    explicit Scope(const gearman::TraceSpan* span);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const OtlpSpan* const previous_;
  };

 private:
  class Span;

  TraceContext NewContext(const TraceContext* parent)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Add(otlp::Span span) ABSL_LOCKS_EXCLUDED(mutex_);
  void WriteBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string service_name_;
  const std::function<void(absl::string_view)> write_;
  const size_t batch_size_;
  absl::Mutex mutex_;
  absl::BitGen random_ ABSL_GUARDED_BY(mutex_);
  otlp::ScopeSpans batch_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman_examples

#endif  // GEARMAN_EXAMPLES_TRACING_OTLP_JSON_H_
