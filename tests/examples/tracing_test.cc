// The tracing example, run as its users run it: what it writes is OTLP.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using support::GearmandProcess;
using support::ProgramResult;
using support::RunProgram;
using support::SubprocessOptions;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kProgram[] = "examples/tracing/tracing";

// One span, with its values as text.
struct Span {
  std::map<std::string, std::string> fields;
  std::map<std::string, std::string> attributes;
  int kind = 0;
  int status = 0;
};

// The field that must be there, of the kind that it must have.
const Value& Get(const Struct& object, const std::string& name,
                 Value::KindCase kind) {
  static const Value nothing;
  const auto found = object.fields().find(name);
  if (found == object.fields().end()) {
    ADD_FAILURE() << "no " << name << " in " << object.ShortDebugString();
    return nothing;
  }
  EXPECT_EQ(found->second.kind_case(), kind) << name;
  return found->second;
}

Span ReadSpan(const Struct& object) {
  Span span;
  for (const auto& field : object.fields()) {
    if (field.second.kind_case() == Value::kStringValue) {
      span.fields[field.first] = field.second.string_value();
    }
  }
  span.kind =
      static_cast<int>(Get(object, "kind", Value::kNumberValue).number_value());
  const Struct& status =
      Get(object, "status", Value::kStructValue).struct_value();
  if (!status.fields().empty()) {
    span.status = static_cast<int>(
        Get(status, "code", Value::kNumberValue).number_value());
  }
  for (const Value& attribute :
       Get(object, "attributes", Value::kListValue).list_value().values()) {
    const std::string key =
        Get(attribute.struct_value(), "key", Value::kStringValue)
            .string_value();
    const Struct& value =
        Get(attribute.struct_value(), "value", Value::kStructValue)
            .struct_value();
    EXPECT_EQ(value.fields().size(), 1u) << key;
    for (const auto& field : value.fields()) {
      EXPECT_THAT(field.first, ::testing::AnyOf("stringValue", "intValue"));
      EXPECT_EQ(field.second.kind_case(), Value::kStringValue) << key;
      EXPECT_TRUE(
          span.attributes.emplace(key, field.second.string_value()).second)
          << key << " twice";
    }
  }
  return span;
}

// All spans of the lines that a program has written.
std::vector<Span> ReadSpans(const std::string& output) {
  std::vector<Span> spans;
  for (const absl::string_view line :
       absl::StrSplit(output, '\n', absl::SkipEmpty())) {
    Struct message;
    const auto status = google::protobuf::util::JsonStringToMessage(
        std::string(line), &message);
    EXPECT_TRUE(status.ok()) << line;
    for (const Value& resource :
         Get(message, "resourceSpans", Value::kListValue)
             .list_value()
             .values()) {
      Get(resource.struct_value(), "resource", Value::kStructValue);
      for (const Value& scope :
           Get(resource.struct_value(), "scopeSpans", Value::kListValue)
               .list_value()
               .values()) {
        Get(scope.struct_value(), "scope", Value::kStructValue);
        for (const Value& span :
             Get(scope.struct_value(), "spans", Value::kListValue)
                 .list_value()
                 .values()) {
          spans.push_back(ReadSpan(span.struct_value()));
        }
      }
    }
  }
  return spans;
}

std::map<std::string, Span> ByName(const std::vector<Span>& spans) {
  std::map<std::string, Span> named;
  for (const Span& span : spans) named[span.fields.at("name")] = span;
  return named;
}

std::vector<Span> RunExample(std::vector<std::string> arguments) {
  SubprocessOptions options;
  options.argv = {kProgram};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  const absl::StatusOr<ProgramResult> result = RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return {};
  EXPECT_THAT(result->error_output, HasSubstr("not paid: a book"));
  return ReadSpans(result->output);
}

TEST(TracingExampleTest, WritesSpansOfOneTraceAsOtlp) {
  const std::vector<Span> spans = RunExample({});
  std::map<std::string, Span> named = ByName(spans);
  ASSERT_THAT(named,
              UnorderedElementsAre(Key("submit order"), Key("process order"),
                                   Key("submit pay"), Key("process pay"),
                                   Key("status order")));
  ASSERT_THAT(spans, SizeIs(5));

  std::set<std::string> ids;
  for (const Span& span : spans) {
    const std::string& name = span.fields.at("name");
    EXPECT_THAT(span.fields.at("traceId"), MatchesRegex("[0-9a-f]{32}"));
    EXPECT_THAT(span.fields.at("spanId"), MatchesRegex("[0-9a-f]{16}"));
    EXPECT_TRUE(ids.insert(span.fields.at("spanId")).second) << name;
    int64_t begin = 0;
    int64_t end = 0;
    EXPECT_TRUE(absl::SimpleAtoi(span.fields.at("startTimeUnixNano"), &begin));
    EXPECT_TRUE(absl::SimpleAtoi(span.fields.at("endTimeUnixNano"), &end));
    EXPECT_GT(begin, 0) << name;
    EXPECT_LE(begin, end) << name;
    EXPECT_EQ(span.attributes.at("messaging.system"), "gearman");
    EXPECT_EQ(span.attributes.at("server.address"), "inproc://default");
  }

  // Each span is the child of the span that caused it.
  EXPECT_EQ(named["submit order"].fields.count("parentSpanId"), 0u);
  const std::vector<std::pair<const char*, const char*>> children = {
      {"submit order", "process order"},
      {"process order", "submit pay"},
      {"submit pay", "process pay"}};
  for (const auto& [parent, child] : children) {
    EXPECT_EQ(named[child].fields["parentSpanId"],
              named[parent].fields["spanId"])
        << child;
    EXPECT_EQ(named[child].fields["traceId"], named[parent].fields["traceId"])
        << child;
  }

  EXPECT_EQ(named["submit order"].kind, 4);   // PRODUCER
  EXPECT_EQ(named["process order"].kind, 5);  // CONSUMER
  EXPECT_EQ(named["status order"].kind, 3);   // CLIENT
  EXPECT_EQ(named["submit order"].attributes["messaging.destination.name"],
            "order");
  EXPECT_EQ(named["submit order"].attributes["messaging.message.id"],
            named["process order"].attributes["messaging.message.id"]);
  EXPECT_THAT(named["submit order"].attributes["messaging.message.id"],
              StartsWith("H:"));
  EXPECT_EQ(named["submit order"].attributes["gearman.unique"],
            named["process order"].attributes["gearman.unique"]);

  EXPECT_EQ(named["process order"].status, 0);  // unset
  EXPECT_EQ(named["process order"].attributes.count("error.type"), 0u);
  for (const char* failed : {"submit pay", "process pay"}) {
    EXPECT_EQ(named[failed].status, 2) << failed;  // ERROR
    EXPECT_EQ(named[failed].attributes["error.type"], "exception") << failed;
  }
}

TEST(TracingExampleTest, GoesThroughARealServer) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  std::map<std::string, Span> named = ByName(RunExample({server.address()}));
  ASSERT_THAT(named, Contains(Key("process pay")));
  for (auto& [name, span] : named) {
    EXPECT_EQ(span.attributes["server.address"], "127.0.0.1") << name;
    EXPECT_EQ(span.attributes["server.port"], std::to_string(server.port()))
        << name;
  }
  EXPECT_EQ(named["process pay"].fields["parentSpanId"],
            named["submit pay"].fields["spanId"]);
}

}  // namespace
}  // namespace gearman
