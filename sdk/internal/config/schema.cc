#include "gearman/sdk/internal/config/schema.h"

#include <cstdint>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/plugins/suggest.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

std::vector<std::string> FieldNames(const Descriptor* type) {
  std::vector<std::string> names;
  names.reserve(type->field_count());
  for (int i = 0; i < type->field_count(); ++i) {
    names.emplace_back(type->field(i)->name());
  }
  return names;
}

std::vector<std::string> ValueNames(const EnumDescriptor* type) {
  std::vector<std::string> names;
  names.reserve(type->value_count());
  for (int i = 0; i < type->value_count(); ++i) {
    names.emplace_back(type->value(i)->name());
  }
  return names;
}

template <typename Number>
std::string WholeNumber() {
  return absl::StrCat("a whole number from ",
                      std::numeric_limits<Number>::min(), " to ",
                      std::numeric_limits<Number>::max());
}

}  // namespace

const Descriptor* LinkedType(absl::string_view type_url) {
  const size_t slash = type_url.rfind('/');
  const absl::string_view name =
      slash == absl::string_view::npos ? type_url : type_url.substr(slash + 1);
  return DescriptorPool::generated_pool()->FindMessageTypeByName(
      std::string(name));
}

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(type)->New());
}

const FieldDescriptor* FindField(const Descriptor* type,
                                 absl::string_view name) {
  const FieldDescriptor* const field = type->FindFieldByName(std::string(name));
  if (field != nullptr) return field;
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->json_name() == name) return type->field(i);
  }
  return nullptr;
}

std::string UnknownField(const Descriptor* type, absl::string_view name) {
  std::string text = absl::StrCat("unknown field \"", name,
                                  "\": ", Suggest(name, FieldNames(type)));
  if (type->FindFieldByName("plugin") != nullptr) {
    absl::StrAppend(&text,
                    "; a plugin from outside the SDK is named by its config "
                    "message in the field \"plugin\"");
  }
  return text;
}

std::string UnknownType(absl::string_view type_url,
                        const std::vector<std::string>& known_types) {
  const size_t slash = type_url.rfind('/');
  const absl::string_view name =
      slash == absl::string_view::npos ? type_url : type_url.substr(slash + 1);
  return absl::StrCat(
      "unknown plugin config \"", name, "\": ", Suggest(name, known_types),
      "; is the plugin's target among the deps of this program, "
      "or its shared object in plugin_libraries?");
}

std::string Expected(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_INT32:
      return WholeNumber<int32_t>();
    case FieldDescriptor::CPPTYPE_INT64:
      return WholeNumber<int64_t>();
    case FieldDescriptor::CPPTYPE_UINT32:
      return WholeNumber<uint32_t>();
    case FieldDescriptor::CPPTYPE_UINT64:
      return WholeNumber<uint64_t>();
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    case FieldDescriptor::CPPTYPE_STRING:
      return "a text in quotes";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ",
                          absl::StrJoin(ValueNames(field->enum_type()), ", "));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return absl::StrCat(
          "a block { } with any of ",
          absl::StrJoin(FieldNames(field->message_type()), ", "));
  }
  return "another value";
}

}  // namespace internal
}  // namespace gearman
