// Every enum field of the config and of the SDK's plugins' configs: a number
// that has no name is refused, however it came. The fields are found by walking
// the message types, so that a new one is tested by itself.
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/tests/sdk/config_fixture.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

// The fields that lead from the config to an enum field, which is the last.
using FieldPath = std::vector<const FieldDescriptor*>;

// Adds the paths of all enum fields below `type`. A type is not entered again
// below itself.
void Collect(const Descriptor* type, FieldPath* path,
             std::set<const Descriptor*>* entered,
             std::vector<FieldPath>* found) {
  if (!entered->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    path->push_back(type->field(i));
    if (type->field(i)->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      found->push_back(*path);
    } else if (type->field(i)->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Collect(type->field(i)->message_type(), path, entered, found);
    }
    path->pop_back();
  }
  entered->erase(type);
}

std::vector<FieldPath> EnumFields() {
  FieldPath path;
  std::set<const Descriptor*> entered;
  std::vector<FieldPath> found;
  Collect(GearmanConfig::descriptor(), &path, &entered, &found);
  return found;
}

std::string Dotted(const FieldPath& path) {
  return absl::StrJoin(path, ".", [](std::string* out, const auto* field) {
    absl::StrAppend(out, field->name(), field->is_repeated() ? "[0]" : "");
  });
}

// "connections { tls { min_version: 99 } }".
std::string InText(const FieldPath& path, int number) {
  std::string text = absl::StrCat(path.back()->name(), ": ", number);
  for (auto field = path.rbegin() + 1; field != path.rend(); ++field) {
    text = absl::StrCat((*field)->name(), " { ", text, " }");
  }
  return text;
}

// {"connections": {"tls": {"min_version": 99}}}.
std::string InJson(const FieldPath& path, int number) {
  std::string text = absl::StrCat(number);
  for (auto field = path.rbegin(); field != path.rend(); ++field) {
    if ((*field)->is_repeated()) text = absl::StrCat("[", text, "]");
    text = absl::StrCat("{\"", (*field)->name(), "\": ", text, "}");
  }
  return text;
}

TEST_F(ConfigTest, FindsTheEnumFields) {
  std::vector<std::string> found;
  for (const FieldPath& path : EnumFields()) found.push_back(Dotted(path));
  EXPECT_THAT(found, IsSupersetOf({"log_level", "limits.when_full",
                                   "connections.tls.min_version",
                                   "embedded_server.tls.min_version"}));
}

TEST_F(ConfigTest, RefusesANumberWithoutANameInEachEnumField) {
  for (const FieldPath& path : EnumFields()) {
    std::vector<std::string> names;
    for (int i = 0; i < path.back()->enum_type()->value_count(); ++i) {
      names.emplace_back(path.back()->enum_type()->value(i)->name());
    }
    for (const int number : {99, -1}) {
      const std::string mistake = absl::StrCat(
          Dotted(path), ": ", number, " is not valid: expected one of ",
          absl::StrJoin(names, ", "));
      const std::string text = InText(path, number);
      EXPECT_EQ(Error(text),
                absl::StrCat("f:1:", text.rfind(absl::StrCat(number)) + 1, ": ",
                             mistake));
      const std::string json = InJson(path, number);
      EXPECT_EQ(JsonError(json),
                absl::StrCat("f:1:", json.rfind(absl::StrCat(number)) + 1, ": ",
                             mistake));
      GearmanConfig message;
      ASSERT_TRUE(
          google::protobuf::TextFormat::ParseFromString(text, &message));
      const absl::Status status = Config(message).Validate();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_THAT(std::string(status.message()), EndsWith(mistake));
      // An overlay over a good config is checked, too.
      Config config;
      config.Overlay(message, "over");
      EXPECT_THAT(
          std::string(config.ToWorkerOptions(registry_).status().message()),
          AllOf(HasSubstr("over: "), EndsWith(mistake)));
    }
  }
}

TEST_F(ConfigTest, TakesEachNumberThatHasAName) {
  for (const FieldPath& path : EnumFields()) {
    for (int i = 0; i < path.back()->enum_type()->value_count(); ++i) {
      const int number = path.back()->enum_type()->value(i)->number();
      const absl::Status text =
          Config::FromText(InText(path, number), "f", registry_).status();
      EXPECT_TRUE(text.ok()) << text;
      const absl::Status json =
          Config::FromJson(InJson(path, number), "f", registry_).status();
      EXPECT_TRUE(json.ok()) << json;
    }
  }
}

}  // namespace
}  // namespace gearman
