// OpenTelemetry's names for the facts that a TraceObserver gets. Every name of
// a span or attribute is in this file and nowhere else. (The SDK itself links
// no OpenTelemetry: a bridge is a TraceObserver that passes these names on.)
//
// "messaging.*", "server.*" and "error.type" are OpenTelemetry's semantic
// conventions for messaging. Facts without a name there have a "gearman.*"
// name.
#ifndef GEARMAN_PLUGINS_TRACING_SEMANTIC_CONVENTIONS_H_
#define GEARMAN_PLUGINS_TRACING_SEMANTIC_CONVENTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/plugins/tracing/trace_observer.h"

namespace gearman {
namespace semantic_conventions {

// The name and the value of the attribute that says that the system is Gearman.
inline constexpr absl::string_view kMessagingSystem = "messaging.system";
inline constexpr absl::string_view kMessagingSystemGearman = "gearman";
// The task.
inline constexpr absl::string_view kMessagingDestinationName =
    "messaging.destination.name";
// The handle: unique on its server as long as the server runs.
inline constexpr absl::string_view kMessagingMessageId = "messaging.message.id";
// "submit", "retry", "status", "process".
inline constexpr absl::string_view kMessagingOperationName =
    "messaging.operation.name";
// "send" or "process".
inline constexpr absl::string_view kMessagingOperationType =
    "messaging.operation.type";
// The bytes of the payload.
inline constexpr absl::string_view kMessagingMessageBodySize =
    "messaging.message.body.size";
// The host and the port of the job server.
inline constexpr absl::string_view kServerAddress = "server.address";
inline constexpr absl::string_view kServerPort = "server.port";
// The kind of the error: TraceEnd::error_type.
inline constexpr absl::string_view kErrorType = "error.type";
// The unique, whether the job is a background job, and the outcome:
// TraceEnd::outcome.
inline constexpr absl::string_view kGearmanUnique = "gearman.unique";
inline constexpr absl::string_view kGearmanBackground = "gearman.background";
inline constexpr absl::string_view kGearmanOutcome = "gearman.outcome";
// For a retry: its number, and why the attempt before failed.
inline constexpr absl::string_view kGearmanAttempt = "gearman.attempt";
inline constexpr absl::string_view kGearmanRetryReason = "gearman.retry.reason";
// For a submission: the number of its attempts.
inline constexpr absl::string_view kGearmanAttempts = "gearman.attempts";

// The values are OTLP's numbers.
enum class SpanKind : unsigned char {
  kClient = 3,
  kProducer = 4,
  kConsumer = 5
};

// Returns kProducer for kSubmit, kConsumer for kProcess, and kClient otherwise.
SpanKind SpanKindOf(TraceOperation operation);

// Returns "submit reverse", or "status" without a task.
std::string SpanName(const TraceBegin& begin);

// A text or, if the text is empty, a number.
struct SpanAttribute {
  absl::string_view name;  // one of the names above
  std::string text;        // the value, if it is a text
  int64_t number = 0;      // the value, if `text` is empty
};

// Return the attributes at the beginning of a span, and those that its end adds
// or corrects: if both have one name, that of the end is right. Unknown facts
// are left out.
std::vector<SpanAttribute> AttributesOf(const TraceBegin& begin);
std::vector<SpanAttribute> AttributesOf(const TraceEnd& end);

}  // namespace semantic_conventions
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_TRACING_SEMANTIC_CONVENTIONS_H_
