// SeenFields finds fields that a config block mentions twice. Each block has
// its own while it is read. Thread-compatible.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_SEEN_FIELDS_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_SEEN_FIELDS_H_

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/descriptor.h"

namespace gearman {
namespace internal {

class SeenFields {
 public:
  // Notes one more mention. Returns the error in it, or "" if there is none.
  std::string Add(const google::protobuf::FieldDescriptor* field);
  // The number of mentions of the field before the last Add.
  size_t index(const google::protobuf::FieldDescriptor* field) const;

 private:
  absl::flat_hash_map<const google::protobuf::FieldDescriptor*, size_t> times_;
  absl::flat_hash_map<const google::protobuf::OneofDescriptor*,
                      const google::protobuf::FieldDescriptor*>
      choices_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_SEEN_FIELDS_H_
