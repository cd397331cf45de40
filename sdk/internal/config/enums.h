// Finds enum values of a config that the .proto file does not name. Protobuf
// keeps any number in an enum field, whether it comes from text format, JSON or
// code. The options would then silently have their defaults. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_ENUMS_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_ENUMS_H_

#include "absl/status/status.h"
#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// Checks each enum field of `config`, including those of nested messages and of
// plugins' configs in Any. INVALID_ARGUMENT: the message has the place of the
// first unknown number and the valid names.
absl::Status CheckEnums(const google::protobuf::Message& config,
                        const Places& places);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_ENUMS_H_
