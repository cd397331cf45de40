// The allowed values of GearmanConfig: one table of the ranges that its .proto
// file promises. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_RULES_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_RULES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

struct ValueRule {
  enum class Kind : unsigned char {
    kNumber,  // a whole number from min to max
    kReal,    // any number from min to max

    kDuration,           // a text, from min to max milliseconds
    kDurationOrForever,  // or "inf"
  };
  absl::string_view path;
  Kind kind;
  uint64_t min;
  uint64_t max;
};

absl::Span<const ValueRule> ConfigRules();

// Checks each value of `config` (a GearmanConfig) that is set and has a rule.
// INVALID_ARGUMENT: the message has the place of the first bad value.
absl::Status CheckRules(const google::protobuf::Message& config,
                        const Places& places);

// The duration of a text that CheckRules has accepted.
absl::Duration ParsedDuration(const std::string& text);

// Describes the expected value at `path`, by its rule or else by its type.
std::string ExpectedAt(absl::string_view path,
                       const google::protobuf::FieldDescriptor* field);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_RULES_H_
