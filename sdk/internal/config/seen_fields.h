// SeenFields: finds what a config block says twice. One per block while it is
// read; thread-compatible.
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
  // Notes one more mention. Returns what is wrong with it; "" when nothing is.
  std::string Add(const google::protobuf::FieldDescriptor* field);
  // How often the field has been mentioned before the last Add.
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
