// Enum values of a config that their .proto file does not name. Protobuf keeps
// any number in an enum field, from text format, JSON and code alike; the
// options would then silently have their defaults. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_ENUMS_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_ENUMS_H_

#include "absl/status/status.h"
#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// Checks each enum field of `config`, those of nested messages and of the
// plugins' configs in Any included. INVALID_ARGUMENT with the place of the
// first unknown number and the names that there are.
absl::Status CheckEnums(const google::protobuf::Message& config,
                        const Places& places);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_ENUMS_H_
