#include "gearman/examples/tracing/otlp_json.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gearman/plugins/tracing/semantic_conventions.h"
#include "gearman/sdk/version.h"
#include "google/protobuf/util/json_util.h"

namespace gearman_examples {
namespace {

using gearman::TraceBegin;
using gearman::TraceEnd;
using gearman::TraceOperation;
using gearman::semantic_conventions::SpanAttribute;

// OTLP's Status.code for an error. The status of a span without an error stays
// unset, because OTLP leaves OK to the program.
constexpr int kStatusError = 2;

thread_local const OtlpSpan* current_span = nullptr;

// Returns text for JSON, which is UTF-8. Handles, uniques and tasks may have
// any bytes: bytes that are not printable ASCII are escaped.
std::string Printable(absl::string_view bytes) {
  return absl::StrReplaceAll(absl::CHexEscape(bytes),
                             {{"\\\"", "\""}, {"\\'", "'"}});
}

// Replaces an attribute with this name, because the later one is right.
void SetAttribute(const SpanAttribute& attribute, otlp::Span* span) {
  otlp::KeyValue* entry = nullptr;
  for (otlp::KeyValue& known : *span->mutable_attributes()) {
    if (known.key() == attribute.name) entry = &known;
  }
  if (entry == nullptr) entry = span->add_attributes();
  entry->set_key(std::string(attribute.name));
  if (attribute.text.empty()) {
    entry->mutable_value()->set_int_value(attribute.number);
  } else {
    entry->mutable_value()->set_string_value(Printable(attribute.text));
  }
}

}  // namespace

class OtlpJsonWriter::Span final : public OtlpSpan {
 public:
  Span(OtlpJsonWriter* writer, const TraceContext* parent,
       const TraceBegin& begin)
      : writer_(writer), context_(writer->NewContext(parent)) {
    namespace names = gearman::semantic_conventions;
    if (parent != nullptr) span_.set_parent_span_id(parent->span_id);
    span_.set_trace_id(context_.trace_id);
    span_.set_span_id(context_.span_id);
    span_.set_name(Printable(names::SpanName(begin)));
    span_.set_kind(static_cast<int>(names::SpanKindOf(begin.operation)));
    span_.set_start_time_unix_nano(
        static_cast<uint64_t>(absl::ToUnixNanos(begin.time)));
    for (const SpanAttribute& attribute : names::AttributesOf(begin)) {
      SetAttribute(attribute, &span_);
    }
  }

  const TraceContext& context() const override { return context_; }

  void End(const TraceEnd& end) override {
    namespace names = gearman::semantic_conventions;
    for (const SpanAttribute& attribute : names::AttributesOf(end)) {
      SetAttribute(attribute, &span_);
    }
    span_.set_end_time_unix_nano(
        static_cast<uint64_t>(absl::ToUnixNanos(end.time)));
    span_.mutable_status();
    if (!end.error_type.empty()) {
      span_.mutable_status()->set_code(kStatusError);
      span_.mutable_status()->set_message(Printable(end.status.message()));
    }
    writer_->Add(std::move(span_));
  }

 private:
  OtlpJsonWriter* const writer_;
  const TraceContext context_;
  otlp::Span span_;
};

OtlpJsonWriter::OtlpJsonWriter(std::string service_name,
                               std::function<void(absl::string_view)> write,
                               size_t batch_size)
    : service_name_(std::move(service_name)),
      write_(std::move(write)),
      batch_size_(batch_size) {}

OtlpJsonWriter::~OtlpJsonWriter() { Flush(); }

std::unique_ptr<gearman::TraceSpan> OtlpJsonWriter::Begin(
    const TraceBegin& begin) {
  TraceContext carried;
  const TraceContext* parent = nullptr;
  if (begin.parent != nullptr) {
    parent = &static_cast<const OtlpSpan*>(begin.parent)->context();
  } else if (begin.operation == TraceOperation::kProcess) {
    if (ReadContext(begin.data, &carried)) parent = &carried;
  } else if (current_span != nullptr) {
    parent = &current_span->context();
  }
  return std::make_unique<Span>(this, parent, begin);
}

TraceContext OtlpJsonWriter::NewContext(const TraceContext* parent) {
  absl::MutexLock lock(&mutex_);
  const auto random = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return absl::StrFormat(
        "%016x",
        absl::Uniform<uint64_t>(absl::IntervalClosed, random_, 1, UINT64_MAX));
  };
  TraceContext context;
  context.trace_id =
      parent == nullptr ? absl::StrCat(random(), random()) : parent->trace_id;
  context.span_id = random();
  return context;
}

void OtlpJsonWriter::Add(otlp::Span span) {
  absl::MutexLock lock(&mutex_);
  *batch_.add_spans() = std::move(span);
  if (static_cast<size_t>(batch_.spans_size()) >= batch_size_) WriteBatch();
}

void OtlpJsonWriter::Flush() {
  absl::MutexLock lock(&mutex_);
  if (batch_.spans_size() > 0) WriteBatch();
}

void OtlpJsonWriter::WriteBatch() {
  otlp::TracesData traces;
  otlp::ResourceSpans* const resource_spans = traces.add_resource_spans();
  otlp::KeyValue* const service =
      resource_spans->mutable_resource()->add_attributes();
  service->set_key("service.name");
  service->mutable_value()->set_string_value(service_name_);
  batch_.mutable_scope()->set_name("gearman_sdk");
  batch_.mutable_scope()->set_version(std::string(gearman::kVersion));
  resource_spans->add_scope_spans()->Swap(&batch_);
  std::string line;
  if (google::protobuf::util::MessageToJsonString(traces, &line).ok()) {
    write_(line);
  }
}

OtlpJsonWriter::Scope::Scope(const gearman::TraceSpan* span)
    : previous_(current_span) {
  current_span = static_cast<const OtlpSpan*>(span);
}

OtlpJsonWriter::Scope::~Scope() { current_span = previous_; }

}  // namespace gearman_examples
