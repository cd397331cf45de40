#include "gearman/sdk/internal/config/seen_fields.h"

#include "absl/strings/str_cat.h"

namespace gearman {
namespace internal {

using google::protobuf::FieldDescriptor;

std::string SeenFields::Add(const FieldDescriptor* field) {
  if (++times_[field] > 1 && !field->is_repeated()) {
    return absl::StrCat("\"", field->name(), "\" is given twice; keep one");
  }
  // A proto3 optional field is in its own oneof, which is no choice.
  if (field->real_containing_oneof() != nullptr) {
    const auto [choice, first] =
        choices_.emplace(field->real_containing_oneof(), field);
    if (!first) {
      return absl::StrCat("\"", field->name(), "\" and \"",
                          choice->second->name(),
                          "\" exclude each other; keep one");
    }
  }
  return "";
}

size_t SeenFields::index(const FieldDescriptor* field) const {
  const auto found = times_.find(field);
  return found == times_.end() ? 0 : found->second - 1;
}

}  // namespace internal
}  // namespace gearman
