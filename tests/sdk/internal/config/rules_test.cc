#include "gearman/sdk/internal/config/rules.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/places.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using config::GearmanConfig;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Sets the value at `path` to `text`, which a number field takes as a number.
void Set(Message* config, absl::string_view path, const std::string& text) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  Message* message = config;
  for (size_t i = 0;; ++i) {
    const FieldDescriptor* const field =
        message->GetDescriptor()->FindFieldByName(names[i]);
    ASSERT_NE(field, nullptr) << path;
    const auto* const reflection = message->GetReflection();
    if (i + 1 < names.size()) {
      message = reflection->MutableMessage(message, field);
      continue;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection->SetString(message, field, text);
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection->SetUInt32(message, field, std::stoul(text));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection->SetDouble(message, field, std::stod(text));
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection->SetUInt64(message, field, std::stoull(text));
      default:
        FAIL() << path << " has a type that no rule covers";
    }
  }
}

bool Allowed(const ValueRule& rule, const std::string& text) {
  GearmanConfig config;
  Set(&config, rule.path, text);
  return CheckRules(config, Places("f")).ok();
}

bool IsDuration(const ValueRule& rule) {
  return rule.kind == ValueRule::Kind::kDuration ||
         rule.kind == ValueRule::Kind::kDurationOrForever;
}

class EachRule : public ::testing::TestWithParam<ValueRule> {};

// The text of a number or duration, `extra` beyond `value`.
std::string Beside(const ValueRule& rule, uint64_t value, int extra) {
  if (rule.kind == ValueRule::Kind::kReal) {
    return absl::StrCat(static_cast<double>(value) + 0.001 * extra);
  }
  return rule.kind == ValueRule::Kind::kNumber
             ? absl::StrCat(value + extra)
             : absl::FormatDuration(absl::Milliseconds(value) +
                                    extra * absl::Microseconds(1));
}

TEST_P(EachRule, AllowsItsRangeAndNothingBeyond) {
  const ValueRule& rule = GetParam();
  EXPECT_TRUE(Allowed(rule, Beside(rule, rule.min, 0)));
  EXPECT_TRUE(Allowed(rule, Beside(rule, rule.max, 0)));
  if (rule.kind != ValueRule::Kind::kNumber || rule.min > 0) {
    EXPECT_FALSE(Allowed(rule, Beside(rule, rule.min, -1)));
  }

  EXPECT_FALSE(Allowed(rule, Beside(rule, rule.max, 1)));
}

TEST_P(EachRule, SaysPlaceAndValueAndWhatWouldBeRight) {
  const ValueRule& rule = GetParam();
  // Beyond every range, and no duration.
  const std::string bad =
      IsDuration(rule) ? "tomorrow" : absl::StrCat(uint64_t{rule.max} + 1);

  GearmanConfig config;
  Set(&config, rule.path, bad);
  const absl::Status status = CheckRules(config, Places("f"));
  ASSERT_TRUE(absl::IsInvalidArgument(status));
  const std::string error(status.message());
  EXPECT_THAT(error, StartsWith(absl::StrCat("f: ", rule.path, ": ")));
  EXPECT_THAT(error, HasSubstr(bad));
  EXPECT_THAT(error, HasSubstr(absl::StrCat("expected ",
                                            ExpectedAt(rule.path, nullptr))));
}

TEST_P(EachRule, AllowsForeverOnlyWhereItSaysSo) {
  const ValueRule& rule = GetParam();
  if (!IsDuration(rule)) return;

  EXPECT_EQ(Allowed(rule, "inf"),
            rule.kind == ValueRule::Kind::kDurationOrForever);
  EXPECT_FALSE(Allowed(rule, "-inf"));
}

std::string TestName(const ::testing::TestParamInfo<ValueRule>& info) {
  std::string name(info.param.path);
  for (char& c : name) {
    if (c == '.') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(ConfigRules, EachRule,
                         ::testing::ValuesIn(ConfigRules().begin(),
                                             ConfigRules().end()),
                         TestName);

// Numbers and texts below `type` that no rule names.
void CollectWithoutRule(const Descriptor* type, const std::string& path,
                        const std::set<std::string>& ruled,
                        std::vector<std::string>* found) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* const field = type->field(i);
    const std::string child = ChildPath(path, std::string(field->name()));
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        // A plugin checks its own config.
        if (field->message_type()->oneof_decl_count() == 0 ||
            field->message_type()->real_oneof_decl_count() == 0) {
          CollectWithoutRule(field->message_type(), child, ruled, found);
        }
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
      case FieldDescriptor::CPPTYPE_ENUM:
        break;
      default:
        if (ruled.count(child) == 0) found->push_back(child);
    }
  }
}

TEST(ConfigRules, CoverEveryNumberAndDuration) {
  std::set<std::string> ruled;
  for (const ValueRule& rule : ConfigRules()) {
    ruled.insert(std::string(rule.path));
  }
  std::vector<std::string> found;
  CollectWithoutRule(GearmanConfig::descriptor(), "", ruled, &found);
  // Texts that are no durations; Config::Validate checks them. Files of TLS are
  // read when they are needed, libraries loaded before.
  found.erase(std::remove_if(found.begin(), found.end(),
                             [](const std::string& path) {
                               return absl::StrContains(path, ".tls.");
                             }),
              found.end());
  EXPECT_THAT(found,
              ::testing::ElementsAre(
                  "servers", "task_prefix", "worker.client_id",
                  "worker.server_options", "worker.control_task",
                  "embedded_server.listen", "embedded_server.job_handle_prefix",
                  "plugin_libraries", "job_retry.dead_letter_task"));
}

TEST(ConfigRules, AllowAnEmptyConfig) {
  EXPECT_TRUE(CheckRules(GearmanConfig(), Places("f")).ok());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
