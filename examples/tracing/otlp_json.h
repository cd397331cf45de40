// OtlpJsonWriter: a TraceObserver that writes spans as OpenTelemetry's OTLP in
// JSON, one batch per line. A collector's `otlpjsonfile` receiver can read this
// form, and so can its /v1/traces as the body of a POST.
//
// This is an example of a bridge, written to be read. Other bridges handle
// spans in the same way (opentelemetry-cpp: StartSpan in Begin, SetAttribute
// and End in End). It shows the decisions of a program: the source of ids, the
// parent of a span, and the destination of spans.
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

// Thread-safe. It must outlive its spans.
class OtlpJsonWriter final : public gearman::TraceObserver {
 public:
  // `write` gets one line for each batch of up to `batch_size` spans. It is
  // called once at a time, on the thread that ends a span or calls Flush.
  OtlpJsonWriter(std::string service_name,
                 std::function<void(absl::string_view line)> write,
                 size_t batch_size = 100);
  // Calls Flush.
  ~OtlpJsonWriter() override;

  // Chooses the parent. For a retry it is the submission. For a job's
  // processing it is the context in the job's payload (trace_context.h). For a
  // submission or question made while the thread handles a job it is that job
  // (Scope). Otherwise there is no parent, and a new trace begins.
  std::unique_ptr<gearman::TraceSpan> Begin(
      const gearman::TraceBegin& begin) override;
  // Writes the spans that have ended so far.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  // While a Scope lives, spans that begin on its thread have the parent `span`.
  // Null means no parent.
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
