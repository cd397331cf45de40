#include "gearman/plugins/tracing/semantic_conventions.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace gearman {
namespace semantic_conventions {
namespace {

using Attributes = std::vector<SpanAttribute>;

void AddText(absl::string_view name, absl::string_view text,
             Attributes* attributes) {
  if (!text.empty()) attributes->push_back({name, std::string(text)});
}

void AddNumber(absl::string_view name, int64_t number, Attributes* attributes) {
  attributes->push_back({name, std::string(), number});
}

// Adds host and port of tcp://host:4730 or tls://[::1]:4730. The meaning of
// other schemes' addresses is unknown here.
void AddServer(absl::string_view address, Attributes* attributes) {
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "tcp://") ||
      absl::ConsumePrefix(&rest, "tls://")) {
    const size_t colon = rest.rfind(':');
    uint32_t port = 0;
    if (colon != absl::string_view::npos &&
        absl::SimpleAtoi(rest.substr(colon + 1), &port)) {
      absl::string_view host = rest.substr(0, colon);
      if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
      AddText(kServerAddress, host, attributes);
      AddNumber(kServerPort, port, attributes);
      return;
    }
  }
  AddText(kServerAddress, address, attributes);
}

absl::string_view OperationType(TraceOperation operation) {
  switch (operation) {
    case TraceOperation::kSubmit:
    case TraceOperation::kRetry:
      return "send";
    case TraceOperation::kProcess:
      return "process";
    case TraceOperation::kStatus:
      break;
  }
  return "";
}

}  // namespace

SpanKind SpanKindOf(TraceOperation operation) {
  switch (operation) {
    case TraceOperation::kSubmit:
      return SpanKind::kProducer;
    case TraceOperation::kProcess:
      return SpanKind::kConsumer;
    case TraceOperation::kRetry:
    case TraceOperation::kStatus:
      break;
  }
  return SpanKind::kClient;
}

std::string SpanName(const TraceBegin& begin) {
  return absl::StrCat(TraceOperationName(begin.operation),
                      begin.task.empty() ? "" : " ", begin.task);
}

Attributes AttributesOf(const TraceBegin& begin) {
  Attributes attributes;
  AddText(kMessagingSystem, kMessagingSystemGearman, &attributes);
  AddText(kMessagingOperationName, TraceOperationName(begin.operation),
          &attributes);
  AddText(kMessagingOperationType, OperationType(begin.operation), &attributes);
  AddText(kMessagingDestinationName, begin.task, &attributes);
  AddText(kMessagingMessageId, begin.handle, &attributes);
  AddText(kGearmanUnique, begin.unique, &attributes);
  AddServer(begin.server, &attributes);
  switch (begin.operation) {
    case TraceOperation::kSubmit:
      AddText(kGearmanBackground, begin.background ? "true" : "false",
              &attributes);
      AddNumber(kMessagingMessageBodySize,
                static_cast<int64_t>(begin.data.size()), &attributes);
      break;
    case TraceOperation::kProcess:
      AddNumber(kMessagingMessageBodySize,
                static_cast<int64_t>(begin.data.size()), &attributes);
      break;
    case TraceOperation::kRetry:
      AddNumber(kGearmanAttempt, begin.attempt, &attributes);
      AddText(kGearmanRetryReason, begin.reason, &attributes);
      break;
    case TraceOperation::kStatus:
      break;
  }
  return attributes;
}

Attributes AttributesOf(const TraceEnd& end) {
  Attributes attributes;
  AddText(kMessagingDestinationName, end.task, &attributes);
  AddText(kMessagingMessageId, end.handle, &attributes);
  AddText(kGearmanUnique, end.unique, &attributes);
  AddServer(end.server, &attributes);
  AddText(kGearmanOutcome, end.outcome, &attributes);
  AddText(kErrorType, end.error_type, &attributes);
  if (end.attempts > 0) AddNumber(kGearmanAttempts, end.attempts, &attributes);
  return attributes;
}

}  // namespace semantic_conventions
}  // namespace gearman
