#include "gearman/examples/tracing/trace_context.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace gearman_examples {
namespace {

constexpr absl::string_view kBegin = "traceparent: 00-";
constexpr size_t kTraceDigits = 32;
constexpr size_t kSpanDigits = 16;
// The length of the whole line: both ids, "-", and "-01\n".
constexpr size_t kLine = kBegin.size() + kTraceDigits + 1 + kSpanDigits + 4;

bool IsHex(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)) &&
        (c < 'a' || c > 'f')) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string WithContext(const TraceContext& context, absl::string_view data) {
  return absl::StrCat(kBegin, context.trace_id, "-", context.span_id, "-01\n",
                      data);
}

bool ReadContext(absl::string_view data, TraceContext* context) {
  if (data.size() < kLine || !absl::ConsumePrefix(&data, kBegin)) return false;
  const absl::string_view trace_id = data.substr(0, kTraceDigits);
  const absl::string_view span_id = data.substr(kTraceDigits + 1, kSpanDigits);
  const absl::string_view flags =
      data.substr(kTraceDigits + 1 + kSpanDigits, 4);
  if (!IsHex(trace_id) || !IsHex(span_id) || data[kTraceDigits] != '-' ||
      flags[0] != '-' || !IsHex(flags.substr(1, 2)) || flags[3] != '\n') {
    return false;
  }
  context->trace_id = std::string(trace_id);
  context->span_id = std::string(span_id);
  return true;
}

absl::string_view WithoutContext(absl::string_view data) {
  TraceContext context;
  return ReadContext(data, &context) ? data.substr(kLine) : data;
}

}  // namespace gearman_examples
