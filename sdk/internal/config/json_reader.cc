#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/json_tree.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/internal/config/reader.h"
#include "gearman/sdk/internal/config/schema.h"
#include "gearman/sdk/internal/config/seen_fields.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr absl::string_view kTypeKey = "@type";
constexpr absl::string_view kNull = "null";

bool Converts(const std::string& json, Message* message) {
  return google::protobuf::util::JsonStringToMessage(json, message).ok();
}

// True if an object for this field is written field by field. Maps are not, nor
// are the well-known types that have their own form in JSON.
bool HasFields(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         !field->is_map() &&
         (field->message_type() == Any::descriptor() ||
          !absl::StartsWith(field->message_type()->full_name(),
                            "google.protobuf."));
}

// True if null is a value of this field. It is for fields that take any JSON,
// which a plugin's config may have.
bool TakesNull(const FieldDescriptor* field) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return field->enum_type()->full_name() == "google.protobuf.NullValue";
  }
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field->message_type()->full_name() == "google.protobuf.Value";
}

class JsonChecker {
 public:
  JsonChecker(absl::string_view text, const ReadOptions& options,
              Places* places)
      : lines_(text), options_(options), places_(places) {}

  // Notes the places of all values. Returns an error for the first wrong name.
  absl::Status CheckObject(const JsonValue& object, const Descriptor* type,
                           const std::string& path) {
    if (object.kind != JsonValue::Kind::kObject) {
      return Error(object.offset, path, "expected an object { }");
    }
    absl::StatusOr<const Descriptor*> contents = Contents(object, type, path);
    if (!contents.ok()) return contents.status();
    if (*contents == nullptr) {
      skipped_.push_back(object.text);
      return absl::OkStatus();
    }
    SeenFields seen;
    for (const JsonMember& member : object.members) {
      if (type == Any::descriptor() && member.key == kTypeKey) continue;
      const FieldDescriptor* const field = FindField(*contents, member.key);
      if (field == nullptr) {
        return Error(member.key_offset, path,
                     UnknownField(*contents, member.key));
      }
      const std::string wrong = seen.Add(field);
      if (!wrong.empty()) return Error(member.key_offset, path, wrong);
      absl::Status status = CheckMember(member, field, path);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Returns `text` with {} in place of the configs of plugins that are not
  // linked. All other bytes keep their places.
  std::string WithoutSkipped(absl::string_view text) const {
    std::string blanked(text);
    for (const absl::string_view object : skipped_) {
      const auto begin = static_cast<size_t>(object.data() - text.data());
      for (size_t at = begin + 1; at + 1 < begin + object.size(); ++at) {
        blanked[at] = ' ';
      }
    }
    return blanked;
  }

  // Returns an error for the smallest part of `object` that Protobuf refuses.
  absl::Status ExplainObject(const JsonValue& object, const Descriptor* type,
                             const std::string& path) {
    absl::StatusOr<const Descriptor*> contents = Contents(object, type, path);
    if (!contents.ok()) return contents.status();
    if (*contents == nullptr) return absl::OkStatus();
    for (const JsonMember& member : object.members) {
      const FieldDescriptor* const field = FindField(*contents, member.key);
      if (field == nullptr || TakesMember(*contents, member, member.value)) {
        continue;
      }
      return ExplainMember(*contents, member, field, path);
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Error(size_t offset, absl::string_view path,
                     absl::string_view text) {
    const TextPosition position = lines_.At(offset);
    return ErrorAt(
        absl::StrCat(options_.source, ":", position.line, ":", position.column),
        path, text);
  }

  // Returns the type whose fields the object has. For an Any it is in its
  // "@type". Null: the type is not linked, and the object is to be skipped.
  absl::StatusOr<const Descriptor*> Contents(const JsonValue& object,
                                             const Descriptor* type,
                                             const std::string& path) {
    if (type != Any::descriptor()) return type;
    const JsonValue* const url = object.Find(kTypeKey);
    // A skipped config has become {} when mistakes are explained.
    if (object.members.empty() && !skipped_.empty()) return nullptr;
    if (url == nullptr || url->kind != JsonValue::Kind::kString) {
      return Error(object.offset, path,
                   "a plugin's config needs a member \"@type\": "
                   "\"type.googleapis.com/<its config message>\"");
    }
    const Descriptor* const contents = LinkedType(url->quoted());
    if (contents == nullptr && !options_.skip_unlinked_types) {
      return Error(url->offset, path,
                   UnknownType(url->quoted(), options_.known_types));
    }
    return contents;
  }

  absl::Status CheckMember(const JsonMember& member,
                           const FieldDescriptor* field,
                           const std::string& path) {
    const std::string child = ChildPath(path, std::string(field->name()));
    if (!field->is_repeated() || field->is_map()) {
      return CheckValue(member.value, field, child, member.key_offset);
    }
    // Some versions of Protobuf accept a lone element as a list.
    if (member.value.kind != JsonValue::Kind::kArray) {
      return Bad(member.value, child, "a list [ ]");
    }

    size_t index = 0;
    for (const JsonValue& element : member.value.elements) {
      absl::Status status = CheckValue(
          element, field, ElementPath(child, index++), element.offset);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckValue(const JsonValue& value, const FieldDescriptor* field,
                          const std::string& path, size_t name_offset) {
    const bool block = value.kind == JsonValue::Kind::kObject;
    places_->Add(path, lines_.At(block ? name_offset : value.offset));
    // Protobuf ignores a null, even in a list.
    if (value.text == kNull && !TakesNull(field)) {
      return Bad(value, path,
                 absl::StrCat(ExpectedOf(path, field),
                              "; for a default leave it out"));
    }
    if (block && field->is_map()) return CheckMap(value, field, path);
    // Protobuf refuses a value that should be an object and is not.
    return block && HasFields(field)
               ? CheckObject(value, field->message_type(), path)
               : absl::OkStatus();
  }

  absl::Status CheckMap(const JsonValue& map, const FieldDescriptor* field,
                        const std::string& path) {
    const FieldDescriptor* const values = field->message_type()->map_value();
    for (const JsonMember& member : map.members) {
      absl::Status status = CheckValue(member.value, values,
                                       ChildPath(path, std::string(member.key)),
                                       member.key_offset);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string ExpectedOf(const std::string& path,
                         const FieldDescriptor* field) const {
    return options_.expected ? options_.expected(path, field) : Expected(field);
  }

  // True if a message of this type accepts `value` as this member.
  static bool TakesMember(const Descriptor* type, const JsonMember& member,
                          const JsonValue& value) {
    return Converts(absl::StrCat("{\"", member.key, "\":", value.text, "}"),
                    NewMessage(type).get());
  }

  absl::Status ExplainMember(const Descriptor* type, const JsonMember& member,
                             const FieldDescriptor* field,
                             const std::string& path) {
    const std::string child = ChildPath(path, std::string(field->name()));
    const bool list = field->is_repeated() && !field->is_map();
    if (!list) return ExplainValue(member.value, field, child);
    size_t index = 0;
    for (const JsonValue& element : member.value.elements) {
      JsonValue alone = element;
      const std::string array = absl::StrCat("[", element.text, "]");
      alone.text = array;
      if (!TakesMember(type, member, alone)) {
        return ExplainValue(element, field, ElementPath(child, index));
      }
      ++index;
    }
    return Bad(member.value, child, "another list");
  }

  absl::Status ExplainValue(const JsonValue& value,
                            const FieldDescriptor* field,
                            const std::string& path) {
    if (value.kind == JsonValue::Kind::kObject && HasFields(field)) {
      absl::Status inner = ExplainObject(value, field->message_type(), path);
      if (!inner.ok()) return inner;
    }
    return Bad(value, path, ExpectedOf(path, field));
  }

  absl::Status Bad(const JsonValue& value, absl::string_view path,
                   absl::string_view expected) {
    constexpr size_t kLongest = 60;
    const absl::string_view shown = value.text.substr(0, kLongest);
    return Error(
        value.offset, path,
        absl::StrCat(shown, shown.size() < value.text.size() ? "..." : "",
                     " is not valid: expected ", expected));
  }

  const LineIndex lines_;
  const ReadOptions& options_;
  Places* const places_;
  std::vector<absl::string_view> skipped_;
};

}  // namespace

absl::Status ReadJson(absl::string_view text, const ReadOptions& options,
                      Message* message, Places* places) {
  *places = Places(options.source);
  message->Clear();
  const absl::StatusOr<JsonValue> tree = ParseJson(text, options.source);
  if (!tree.ok()) return tree.status();
  JsonChecker checker(text, options, places);
  absl::Status status =
      checker.CheckObject(*tree, message->GetDescriptor(), "");
  if (!status.ok()) return status;
  const std::string blanked = checker.WithoutSkipped(text);
  const auto converted =
      google::protobuf::util::JsonStringToMessage(blanked, message);
  if (converted.ok()) return absl::OkStatus();
  message->Clear();
  const absl::StatusOr<JsonValue> converted_tree =
      ParseJson(blanked, options.source);
  if (!converted_tree.ok()) return converted_tree.status();
  status = checker.ExplainObject(*converted_tree, message->GetDescriptor(), "");
  if (!status.ok()) return status;
  return ErrorAt(options.source, "", std::string(converted.message()));
}

}  // namespace internal
}  // namespace gearman
