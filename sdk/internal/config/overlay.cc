#include "gearman/sdk/internal/config/overlay.h"

#include <memory>
#include <string>
#include <vector>

#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Copies one field of any type: makes a message that has only this field, which
// Protobuf merges.
void ReplaceField(const Message& over, const FieldDescriptor* field,
                  Message* into) {
  std::unique_ptr<Message> only(over.New());
  only->CopyFrom(over);
  std::vector<const FieldDescriptor*> set;
  only->GetReflection()->ListFields(*only, &set);
  for (const FieldDescriptor* other : set) {
    if (other != field) only->GetReflection()->ClearField(only.get(), other);
  }
  into->GetReflection()->ClearField(into, field);
  into->MergeFrom(*only);
}

void OverlayBlock(const Message& over, const std::string& path, Message* into,
                  absl::FunctionRef<void(absl::string_view)> replaced) {
  const Reflection* const reflection = over.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(over, &set);
  for (const FieldDescriptor* field : set) {
    const std::string child = ChildPath(path, std::string(field->name()));
    const bool block = !field->is_repeated() &&
                       field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                       field->message_type() != Any::descriptor();
    if (block && reflection->HasField(*into, field)) {
      OverlayBlock(reflection->GetMessage(over, field), child,
                   reflection->MutableMessage(into, field), replaced);
      continue;
    }
    // The other members of a oneof go away, and so do their places.
    if (field->real_containing_oneof() != nullptr) {
      const FieldDescriptor* const chosen = reflection->GetOneofFieldDescriptor(
          *into, field->real_containing_oneof());
      if (chosen != nullptr) {
        replaced(ChildPath(path, std::string(chosen->name())));
      }
    }
    ReplaceField(over, field, into);
    replaced(child);
  }
}

}  // namespace

void Overlay(const Message& over, Message* into,
             absl::FunctionRef<void(absl::string_view path)> replaced) {
  OverlayBlock(over, "", into, replaced);
}

}  // namespace internal
}  // namespace gearman
