#include "gearman/sdk/internal/config/unlinked.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"

namespace gearman {
namespace internal {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

// Returns the oneof of a plugin family's message (Metrics, Retry): it has a
// member for plugins from outside. Null: this is no such message.
const OneofDescriptor* PluginChoice(const Descriptor* type) {
  for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
    const OneofDescriptor* const choice = type->oneof_decl(i);
    for (int j = 0; j < choice->field_count(); ++j) {
      if (choice->field(j)->message_type() == Any::descriptor()) return choice;
    }
  }
  return nullptr;
}

class Remover {
 public:
  Remover(const std::vector<std::string>& known_types, Places* places)
      : known_types_(known_types), places_(places) {}

  void Visit(Message* message, const std::string& path) {
    const Reflection* const reflection = message->GetReflection();
    std::vector<const FieldDescriptor*> set;
    reflection->ListFields(*message, &set);
    for (const FieldDescriptor* field : set) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
          field->is_map()) {
        continue;
      }
      const std::string child = ChildPath(path, std::string(field->name()));
      if (field->is_repeated()) {
        VisitList(message, field, child);
      } else if (IsUnlinked(reflection->GetMessage(*message, field), child)) {
        reflection->ClearField(message, field);
      } else {
        Visit(reflection->MutableMessage(message, field), child);
      }
    }
  }

  // Call it after everything has been visited, because later elements take the
  // places of removed ones.
  void CloseGaps() {
    for (const Gap& gap : gaps_) places_->RemoveElement(gap.list, gap.index);
  }
  std::vector<std::string> TakeRemoved() { return std::move(removed_); }

 private:
  struct Gap {
    std::string list;
    size_t index;
  };

  void VisitList(Message* message, const FieldDescriptor* field,
                 const std::string& path) {
    const Reflection* const reflection = message->GetReflection();
    int kept = 0;
    int index = 0;  // the index in the file
    while (kept < reflection->FieldSize(*message, field)) {
      const std::string element = ElementPath(path, index++);
      if (!IsUnlinked(reflection->GetRepeatedMessage(*message, field, kept),
                      element)) {
        Visit(reflection->MutableRepeatedMessage(message, field, kept++),
              element);
        continue;
      }
      const int last = reflection->FieldSize(*message, field) - 1;
      for (int i = kept; i < last; ++i) {
        reflection->SwapElements(message, field, i, i + 1);
      }
      reflection->RemoveLast(message, field);
      gaps_.push_back({path, static_cast<size_t>(kept)});
    }
  }

  // Tells whether the plugin is not linked, and notes it if so.
  bool IsUnlinked(const Message& family, const std::string& path) {
    const OneofDescriptor* const choice = PluginChoice(family.GetDescriptor());
    if (choice == nullptr) return false;
    const Reflection* const reflection = family.GetReflection();
    const FieldDescriptor* const chosen =
        reflection->GetOneofFieldDescriptor(family, choice);
    if (chosen == nullptr) return false;
    std::string type(chosen->message_type()->full_name());
    if (chosen->message_type() == Any::descriptor()) {
      const auto& any =
          static_cast<const Any&>(reflection->GetMessage(family, chosen));
      type = any.type_url().substr(any.type_url().rfind('/') + 1);
    }
    if (std::find(known_types_.begin(), known_types_.end(), type) !=
        known_types_.end()) {
      return false;
    }
    const std::string child = ChildPath(path, std::string(chosen->name()));
    removed_.push_back(absl::StrCat(places_->Describe(child), ": ", child));
    return true;
  }

  const std::vector<std::string>& known_types_;
  Places* const places_;
  std::vector<std::string> removed_;
  std::vector<Gap> gaps_;
};

}  // namespace

std::string HowToLink(absl::string_view config_type) {
  if (config_type == "gearman.config.PrometheusMetrics") {
    return "link @gearman_sdk//sdk:prometheus (CMake: gearman_sdk::prometheus)";
  }
  if (config_type == "gearman.config.ZlibEncoder" ||
      config_type == "gearman.config.ZstdEncoder") {
    return "link @gearman_sdk//sdk:compression (CMake: "
           "gearman_sdk::compression)";
  }
  if (absl::StartsWith(config_type, "gearman.config.") &&
      absl::EndsWith(config_type, "Encoder")) {
    return "link @gearman_sdk//sdk:encoders (CMake: gearman_sdk::encoders)";
  }
  if (absl::StartsWith(config_type, "gearman.config.")) {
    return "link @gearman_sdk//sdk:builtins (CMake: gearman_sdk::config), or "
           "call RegisterBuiltins for a registry of the program's own";
  }
  return "";
}

std::vector<std::string> RemoveUnlinked(
    const std::vector<std::string>& known_types, Message* config,
    Places* places) {
  Remover remover(known_types, places);
  remover.Visit(config, "");
  remover.CloseGaps();
  return remover.TakeRemoved();
}

}  // namespace internal
}  // namespace gearman
