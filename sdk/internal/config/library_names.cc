#include "gearman/sdk/internal/config/library_names.h"

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/json_tree.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace gearman {
namespace internal {
namespace {

using config::GearmanConfig;
using google::protobuf::TextFormat;

std::vector<std::string> NamesOf(const GearmanConfig& config) {
  return {config.plugin_libraries().begin(), config.plugin_libraries().end()};
}

// Takes the content of any Any as an empty message with unknown fields.
class AnythingGoes : public TextFormat::Finder {
 public:
  const google::protobuf::Descriptor* FindAnyType(
      const google::protobuf::Message& /*message*/,
      const std::string& /*prefix*/,
      const std::string& /*name*/) const override {
    return google::protobuf::Empty::descriptor();
  }
};

// Errors are ignored here, because reading the config reports them.
class IgnoreErrors : public google::protobuf::io::ErrorCollector {
 public:
  // There is no override, because the method's name depends on Protobuf's
  // version.
  // NOLINTNEXTLINE(modernize-use-override)
  void AddError(int /*line*/, int /*column*/, const std::string& /*message*/) {}
  void RecordError(int /*line*/, int /*column*/,
                   absl::string_view /*message*/) {}
};

}  // namespace

std::optional<std::vector<std::string>> LibraryNamesInText(
    absl::string_view text) {
  // Most configs name no library.
  if (!absl::StrContains(text, "plugin_libraries")) {
    return std::vector<std::string>();
  }
  AnythingGoes finder;
  IgnoreErrors errors;
  TextFormat::Parser parser;
  parser.SetFinder(&finder);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(64);
  parser.RecordErrorsTo(&errors);
  GearmanConfig config;
  if (!parser.ParseFromString(std::string(text), &config)) return std::nullopt;
  return NamesOf(config);
}

std::optional<std::vector<std::string>> LibraryNamesInJson(
    absl::string_view text) {
  const absl::StatusOr<JsonValue> tree = ParseJson(text, "");
  if (!tree.ok()) return std::nullopt;
  for (const char* const key : {"plugin_libraries", "pluginLibraries"}) {
    const JsonValue* const list = tree->Find(key);
    if (list == nullptr) continue;
    GearmanConfig config;
    const auto status = google::protobuf::util::JsonStringToMessage(
        absl::StrCat("{\"plugin_libraries\":", list->text, "}"), &config);
    if (!status.ok()) return std::nullopt;
    return NamesOf(config);
  }
  return std::vector<std::string>();
}

}  // namespace internal
}  // namespace gearman
