#include "gearman/sdk/internal/config/enums.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/config/schema.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Deeper than the readers accept.
constexpr int kMaxDepth = 100;

class EnumChecker {
 public:
  explicit EnumChecker(const Places& places) : places_(places) {}

  absl::Status Check(const Message& message, const std::string& path) {
    if (depth_ == kMaxDepth) {
      return ErrorAt(places_.Describe(path), path, "nested too deeply");
    }
    ++depth_;
    absl::Status status = message.GetDescriptor() == Any::descriptor()
                              ? CheckContents(message, path)
                              : CheckFields(message, path);
    --depth_;
    return status;
  }

 private:
  absl::Status CheckFields(const Message& message, const std::string& path) {
    const Reflection* const reflection = message.GetReflection();
    std::vector<const FieldDescriptor*> set;
    reflection->ListFields(message, &set);
    for (const FieldDescriptor* field : set) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM &&
          field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        continue;
      }
      const std::string child = ChildPath(path, std::string(field->name()));
      const int size =
          field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      for (int i = 0; i < size; ++i) {
        absl::Status status =
            CheckValue(message, field, i,
                       field->is_repeated() ? ElementPath(child, i) : child);
        if (!status.ok()) return status;
      }
    }
    return CheckUnknown(message, path);
  }

  absl::Status CheckValue(const Message& message, const FieldDescriptor* field,
                          int index, const std::string& path) {
    const Reflection* const reflection = message.GetReflection();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Check(field->is_repeated()
                       ? reflection->GetRepeatedMessage(message, field, index)
                       : reflection->GetMessage(message, field),
                   path);
    }
    const int number =
        field->is_repeated()
            ? reflection->GetRepeatedEnumValue(message, field, index)
            : reflection->GetEnumValue(message, field);
    return field->enum_type()->FindValueByNumber(number) != nullptr
               ? absl::OkStatus()
               : Bad(field, number, path);
  }

  // For a closed enum (proto2) Protobuf puts unknown numbers here.
  absl::Status CheckUnknown(const Message& message, const std::string& path) {
    const UnknownFieldSet& unknown =
        message.GetReflection()->GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count(); ++i) {
      const UnknownField& value = unknown.field(i);
      const FieldDescriptor* const field =
          message.GetDescriptor()->FindFieldByNumber(value.number());
      if (field != nullptr && value.type() == UnknownField::TYPE_VARINT &&
          field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        return Bad(field, static_cast<int>(value.varint()),
                   ChildPath(path, std::string(field->name())));
      }
    }
    return absl::OkStatus();
  }

  // The plugin's registry refuses a config whose type is not linked or whose
  // bytes can't be parsed.
  absl::Status CheckContents(const Message& any, const std::string& path) {
    const auto& packed = static_cast<const Any&>(any);
    const Descriptor* const type = LinkedType(packed.type_url());
    if (type == nullptr) return absl::OkStatus();
    const std::unique_ptr<Message> contents = NewMessage(type);
    if (!contents->ParsePartialFromString(packed.value())) {
      return absl::OkStatus();
    }
    return Check(*contents, path);
  }

  absl::Status Bad(const FieldDescriptor* field, int number,
                   const std::string& path) {
    return ErrorAt(
        places_.Describe(path), path,
        absl::StrCat(number, " is not valid: expected ", Expected(field)));
  }

  const Places& places_;
  int depth_ = 0;
};

}  // namespace

absl::Status CheckEnums(const Message& config, const Places& places) {
  return EnumChecker(places).Check(config, "");
}

}  // namespace internal
}  // namespace gearman
