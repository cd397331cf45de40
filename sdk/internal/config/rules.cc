#include "gearman/sdk/internal/config/rules.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/internal/config/schema.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = ValueRule::Kind;

constexpr uint64_t kSecond = 1000;
constexpr uint64_t kHour = 3600 * kSecond;
constexpr uint64_t kDay = 24 * kHour;
// The longest finite duration. A longer one must be written as "inf".
constexpr uint64_t kYear = 365 * kDay;
constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kTiB = uint64_t{1} << 40;
// The limit of the protocol: a 32-bit size after a header of 12 bytes.
constexpr uint64_t kLargestPacket = UINT32_MAX + uint64_t{12};

constexpr ValueRule kRules[] = {
    {"timeouts.connect", Kind::kDuration, 1, kDay},
    {"timeouts.request", Kind::kDurationOrForever, 1, kYear},
    {"timeouts.reply", Kind::kDurationOrForever, 1, kYear},
    {"timeouts.heartbeat", Kind::kDurationOrForever, 1, kYear},
    {"limits.max_packet_bytes", Kind::kNumber, kKiB, kLargestPacket},
    {"limits.max_output_bytes", Kind::kNumber, kKiB, kTiB},
    {"limits.max_requests_in_flight", Kind::kNumber, 1, 1'000'000'000},
    {"limits.max_update_bytes", Kind::kNumber, 1, kTiB},
    {"limits.max_memory_bytes", Kind::kNumber, 0, kTiB},
    {"requests.max_connection_attempts", Kind::kNumber, 1, 1000},
    {"log_payload_bytes", Kind::kNumber, 0, 64 * kKiB},
    {"connections.tcp.keepalive_idle", Kind::kDuration, kSecond, 9 * kHour},
    {"connections.tcp.keepalive_interval", Kind::kDuration, kSecond, 9 * kHour},
    {"connections.tcp.keepalive_probes", Kind::kNumber, 1, 127},
    {"connections.tcp.attempt_delay", Kind::kDuration, 10, 10 * kSecond},
    {"connections.reconnect.first_delay", Kind::kDuration, 1, kHour},
    {"connections.reconnect.initial_delay", Kind::kDuration, 1, kHour},
    {"connections.reconnect.max_delay", Kind::kDuration, 1, kHour},
    {"connections.reconnect.multiplier", Kind::kReal, 1, 100},
    {"connections.reconnect.jitter", Kind::kReal, 0, 1},
    {"connections.reconnect.failures_to_open", Kind::kNumber, 1, 1000},
    {"connections.reconnect.connection_lifetime", Kind::kDurationOrForever,
     1000, kYear},
    {"worker.concurrency", Kind::kNumber, 1, 10'000},
    {"worker.prefetch.max_jobs", Kind::kNumber, 0, 10'000},
    {"worker.prefetch.min_jobs", Kind::kNumber, 0, 10'000},
    {"worker.prefetch.max_wait", Kind::kDuration, 0, kHour},
    {"worker.prefetch.max_bytes", Kind::kNumber, kKiB, kTiB},
    {"worker.heartbeat_interval", Kind::kDurationOrForever, 1, kYear},
    {"worker.regrab_interval", Kind::kDurationOrForever, 1, kYear},
    {"worker.drain_limit", Kind::kDurationOrForever, 0, kYear},
    {"worker.reconnect.first_delay", Kind::kDuration, 1, kHour},
    {"worker.reconnect.initial_delay", Kind::kDuration, 1, kHour},
    {"worker.reconnect.max_delay", Kind::kDuration, 1, kHour},
    {"worker.reconnect.multiplier", Kind::kReal, 1, 100},
    {"worker.reconnect.jitter", Kind::kReal, 0, 1},
    {"worker.reconnect.failures_to_open", Kind::kNumber, 1, 1000},
    {"worker.reconnect.connection_lifetime", Kind::kDurationOrForever, 1000,
     kYear},
    {"worker.max_pending_jobs", Kind::kNumber, 1, 1'000'000'000},
    {"embedded_server.job_retries", Kind::kNumber, 0, 1'000'000},
    {"embedded_server.worker_wakeup", Kind::kNumber, 0, 1'000'000},
    {"embedded_server.max_jobs", Kind::kNumber, 0, kTiB},
    {"embedded_server.max_job_bytes", Kind::kNumber, 0, kTiB},
    {"embedded_server.max_functions", Kind::kNumber, 0, kTiB},
    {"embedded_server.max_functions_of_worker", Kind::kNumber, 0, kTiB},
    {"embedded_server.max_connections", Kind::kNumber, 0, 1'000'000},
    {"embedded_server.max_packet_bytes", Kind::kNumber, kKiB, kLargestPacket},
    {"embedded_server.output_mark", Kind::kNumber, kKiB, kTiB},
    {"embedded_server.max_output_bytes", Kind::kNumber, kKiB, kTiB},
    {"embedded_server.pipe_bytes", Kind::kNumber, kKiB, kTiB},
    {"embedded_server.max_queue_memory", Kind::kNumber, 0, kTiB},
    {"embedded_server.max_connection_memory", Kind::kNumber, 0, kTiB},
    {"embedded_server.packet_timeout", Kind::kDurationOrForever, 1, kYear},
    {"embedded_server.output_timeout", Kind::kDurationOrForever, 1, kYear},
    {"embedded_server.max_handshakes", Kind::kNumber, 0, 1'000'000},
    {"queue_metrics.interval", Kind::kDuration, 1, kDay},
    {"queue_metrics.timeout", Kind::kDuration, 1, kHour},
    {"queue_metrics.max_tasks", Kind::kNumber, 1, 10'000},
    {"job_retry.max_attempts", Kind::kNumber, 1, 1'000'000},

};

std::string Describe(const ValueRule& rule) {
  if (rule.kind == Kind::kNumber) {
    return absl::StrCat("a whole number from ", rule.min, " to ", rule.max);
  }
  if (rule.kind == Kind::kReal) {
    return absl::StrCat("a number from ", rule.min, " to ", rule.max);
  }
  return absl::StrCat(
      "a duration such as \"500ms\", \"10s\" or \"1h30m\", from ",
      absl::FormatDuration(absl::Milliseconds(rule.min)), " to ",
      absl::FormatDuration(absl::Milliseconds(rule.max)),
      rule.kind == Kind::kDurationOrForever ? ", or \"inf\" for no limit" : "");
}

bool DurationIsAllowed(const ValueRule& rule, const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) return false;
  if (duration == absl::InfiniteDuration()) {
    return rule.kind == Kind::kDurationOrForever;
  }
  return duration >= absl::Milliseconds(rule.min) &&
         duration <= absl::Milliseconds(rule.max);
}

// The message that holds the value at `path`, and the value's field. nullopt:
// the value is not set.
struct FieldValue {
  const Message* message;
  const FieldDescriptor* field;
};
std::optional<FieldValue> FindValue(const Message& config,
                                    absl::string_view path) {
  FieldValue value{&config, nullptr};
  for (const absl::string_view name : absl::StrSplit(path, '.')) {
    if (value.field != nullptr) {
      value.message = &value.message->GetReflection()->GetMessage(
          *value.message, value.field);
    }
    value.field =
        value.message->GetDescriptor()->FindFieldByName(std::string(name));
    if (value.field == nullptr || !value.message->GetReflection()->HasField(
                                      *value.message, value.field)) {
      return std::nullopt;
    }
  }
  return value;
}

uint64_t Number(const FieldValue& value) {
  const auto* const reflection = value.message->GetReflection();
  return value.field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32
             ? reflection->GetUInt32(*value.message, value.field)
             : reflection->GetUInt64(*value.message, value.field);
}

}  // namespace

absl::Span<const ValueRule> ConfigRules() { return kRules; }

absl::Status CheckRules(const Message& config, const Places& places) {
  for (const ValueRule& rule : kRules) {
    const std::optional<FieldValue> value = FindValue(config, rule.path);
    if (!value.has_value()) continue;
    std::string shown;
    bool allowed = false;
    if (rule.kind == Kind::kNumber) {
      const uint64_t number = Number(*value);
      allowed = number >= rule.min && number <= rule.max;
      shown = absl::StrCat(number);
    } else if (rule.kind == Kind::kReal) {
      const double number = value->message->GetReflection()->GetDouble(
          *value->message, value->field);
      allowed = number >= static_cast<double>(rule.min) &&
                number <= static_cast<double>(rule.max);
      shown = absl::StrCat(number);
    } else {
      const std::string text = value->message->GetReflection()->GetString(
          *value->message, value->field);
      allowed = DurationIsAllowed(rule, text);
      shown = absl::StrCat("\"", SafeText(text), "\"");
    }
    if (!allowed) {
      return ErrorAt(
          places.Describe(rule.path), rule.path,
          absl::StrCat(shown, " is not valid: expected ", Describe(rule)));
    }
  }
  return absl::OkStatus();
}

std::string ExpectedAt(absl::string_view path, const FieldDescriptor* field) {
  for (const ValueRule& rule : kRules) {
    if (rule.path == path) return Describe(rule);
  }
  return Expected(field);
}

absl::Duration ParsedDuration(const std::string& text) {
  absl::Duration duration;
  absl::ParseDuration(text, &duration);
  return duration;
}

}  // namespace internal
}  // namespace gearman
