// Looks up a config's message types by name, and describes them in words.
// Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_SCHEMA_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_SCHEMA_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// The message type of an Any's URL, if its code is linked into this program;
// else null.
const google::protobuf::Descriptor* LinkedType(absl::string_view type_url);

// Returns a new, empty message of a linked type.
std::unique_ptr<google::protobuf::Message> NewMessage(
    const google::protobuf::Descriptor* type);

// The field that a file means by `name`, which is written as in the .proto file
// or in JSON's lowerCamelCase. Null: there is none.
const google::protobuf::FieldDescriptor* FindField(
    const google::protobuf::Descriptor* type, absl::string_view name);

// Returns `unknown field "servrs": did you mean "servers"? Known: ...`.
std::string UnknownField(const google::protobuf::Descriptor* type,
                         absl::string_view name);
// Returns `unknown plugin config "acme.Retry": ... Known: ...`, with advice.
std::string UnknownType(absl::string_view type_url,
                        const std::vector<std::string>& known_types);

// Describes the values of the field: "a whole number from 0 to 4294967295".
std::string Expected(const google::protobuf::FieldDescriptor* field);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_SCHEMA_H_
